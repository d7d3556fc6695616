"""What Pact's verifier is told and what comes of it, with a stand-in for it; with the real one: test_pact.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from omni.verify.deep.pact_verifier import main


class Verifier:
    """Says what it was told as its results. `fails` breaks the run, `broken` the results, too."""

    def __init__(self, name: str, host: str | None) -> None:
        self.told: list[object] = [name, host]

    def add_transport(self, *, url: str) -> Verifier:
        return self._note(url)

    def add_source(self, file: str) -> Verifier:
        return self._note(Path(file).name)

    def set_request_timeout(self, milliseconds: int) -> Verifier:
        return self._note(milliseconds)

    def add_custom_headers(self, headers: dict[str, str]) -> Verifier:
        return self._note(headers)

    def state_handler(self, url: str, *, body: bool) -> None:
        self._note([url, body])

    def verify(self) -> None:
        if self.told[0] in {"fails", "broken"}:
            raise RuntimeError("the provider is not there")

    @property
    def results(self) -> object:
        if self.told[0] == "broken":
            raise RuntimeError("no results")
        return self.told

    def _note(self, what: object) -> Verifier:
        self.told.append(what)
        return self


@pytest.fixture
def verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = ModuleType("pact")
    module.__dict__["Verifier"] = Verifier
    monkeypatch.setitem(sys.modules, "pact", module)
    for name in ("shop", "fails", "broken"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"provider": {"name": name}}))
    return tmp_path


def test_each_file_is_verified_and_told(verified: Path) -> None:
    files = [str(verified / f"{name}.json") for name in ("shop", "fails", "broken")]
    main(str(verified / "out/results"), "http://127.0.0.1:8000", "", '{"A": "b"}', *files)
    common = ["127.0.0.1", "http://127.0.0.1:8000"]
    assert json.loads((verified / "out/results").read_text()) == {
        files[0]: ["shop", *common, "shop.json", 10000, {"A": "b"}],
        files[1]: ["fails", *common, "fails.json", 10000, {"A": "b"}],
        files[2]: {"problem": "the provider is not there"},
    }


def test_states_are_set_up_where_the_provider_can(verified: Path) -> None:
    file, states = str(verified / "shop.json"), "http://127.0.0.1:8000/_pact/states"
    main(str(verified / "results"), "http://127.0.0.1:8000", states, "{}", file)
    assert json.loads((verified / "results").read_text())[file][-1] == [states, True]
