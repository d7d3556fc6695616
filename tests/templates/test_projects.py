"""Rendered web applications pass their own tests, lint and types, in their own environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.templates.generated import check_generated, generate
from tests.templates.specs import polls, todo
from tests.templates.test_render import SPECS, example

pytestmark = [pytest.mark.slow, pytest.mark.host]
WEB_APPS = [path for path in SPECS if example(path).template == "web-app"]


@pytest.mark.parametrize("path", WEB_APPS, ids=lambda path: path.stem)
def test_an_example_passes_its_own_checks(tmp_path: Path, path: Path) -> None:
    check_generated(generate(example(path), tmp_path))


def test_an_application_without_accounts_passes_its_own_checks(tmp_path: Path) -> None:
    check_generated(generate(todo(auth=False), tmp_path))


def test_who_may_add_need_not_be_who_may_change(tmp_path: Path) -> None:
    tests = [f"tests/integration/test_{name}.py" for name in ("option_pages", "option_service", "note_pages")]
    done = generate(polls(), tmp_path).run("pytest", "-q", *tests)
    assert done.returncode == 0, done.stdout[-4000:]
