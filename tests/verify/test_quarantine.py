"""The quarantine of flaky tests: what is written is read, and nothing stays in it for ever."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.kernel.errors import OmniError
from omni.verify.quarantine import FILE, load, record
from omni.verify.report import CheckResult, Status

TODAY = date(2030, 1, 1)


def result(**rates: float) -> CheckResult:
    metrics = {f"tests.flaky.{name}": rate for name, rate in rates.items()} | {"tests.passed": 3.0}
    return CheckResult(check="tests", title="t", tier=2, status=Status.PASS, metrics=metrics)


def test_a_flaky_test_is_recorded_once_and_keeps_its_days(tmp_path: Path) -> None:
    assert record(tmp_path, [result(a=0.5)], TODAY) == ("a",)
    assert record(tmp_path, [result(a=0.25, b=0.75)], date(2030, 1, 9)) == ("b",)
    entries = load((tmp_path / FILE).read_text())
    assert [(each.test, each.rate, each.since, each.until) for each in entries.values()] == [
        ("a", 0.25, TODAY, date(2030, 1, 31)),
        ("b", 0.75, date(2030, 1, 9), date(2030, 2, 8)),
    ]


def test_nothing_flaky_writes_nothing(tmp_path: Path) -> None:
    assert record(tmp_path, [result()], TODAY) == ()
    assert not (tmp_path / FILE).exists()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, unique=True))
def test_any_name_of_a_test_survives(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    root = tmp_path_factory.mktemp("project")
    record(root, [result(**dict.fromkeys(names, 0.5))], TODAY)
    assert set(load((root / FILE).read_text("utf-8"))) == set(names)


@pytest.mark.parametrize("text", ["[[test]", "test = 3", "[[test]]\ntest = 'a'\nrate = 7", "test = ['a']"])
def test_a_file_that_can_not_be_used_is_an_error_with_its_place(text: str) -> None:
    with pytest.raises(OmniError) as caught:
        load(text)
    assert (caught.value.kind.code, caught.value.where) == ("V005", FILE)
