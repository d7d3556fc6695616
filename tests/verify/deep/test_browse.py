"""What the browser is told and what comes of it, with a stand-in for it; with Chromium: test_wcag_browser.py."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from omni.verify.deep.browse import FLAGS, LOOK, TAGS, main

URL = "http://127.0.0.1:8000"
SITE: dict[str, tuple[str, list[str]]] = {
    "/": (
        "text/html; charset=utf-8",
        ["/a", "b?x=1#y", "https://else.example/c", "mailto:a@b.example", "/style.css"],
    ),
    "/a": ("text/html", ["/", "/slow", "../d"]),
    "/b": ("text/html", ["d", "/a"]),
    "/d": ("text/html", []),
    "/style.css": ("text/css", []),
}


class BrowserError(Exception):
    @property
    def message(self) -> str:
        return str(self)


@dataclass
class Page:
    """Also the context and the browser that lead to it."""

    visited: list[str] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def set_default_timeout(self, _milliseconds: int) -> None:
        """No page here is slow."""

    def goto(self, url: str, *, wait_until: str) -> SimpleNamespace | None:
        path = url.removeprefix(URL)
        self.visited.append(path)
        if path not in SITE:
            raise BrowserError("it took too long\nand more")
        return SimpleNamespace(headers={"content-type": SITE[path][0]}) if wait_until == "load" else None

    def evaluate(self, script: str, given: object = None) -> object:
        self.told.append((script, given) if given else script)
        return [{"id": "label", "page": self.visited[-1]}] if given else None

    def eval_on_selector_all(self, _selector: str, _script: str) -> list[str]:
        return SITE[self.visited[-1]][1]

    def launch(self, **given: object) -> Page:
        self.told.append(given)
        return self

    def new_context(self, **_given: object) -> Page:
        return self

    def new_page(self) -> Page:
        return self

    def close(self) -> None:
        self.told.append("closed")

    def __enter__(self) -> SimpleNamespace:
        return SimpleNamespace(chromium=self)

    def __exit__(self, *_: object) -> None:
        """Nothing runs."""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Page:
    (tmp_path / "axe.min.js").write_text("axe source")
    spec = ModuleSpec("axe_playwright_python", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    found, module = Page(), ModuleType("playwright.sync_api")
    module.__dict__.update(Error=BrowserError, sync_playwright=lambda: found)
    monkeypatch.setitem(sys.modules, "playwright.sync_api", module)
    return found


def look(capsys: pytest.CaptureFixture[str], most: int, *pages: str) -> dict[str, list[dict[str, object]]]:
    main({"url": URL, "pages": list(pages), "most": most, "browser": "/bin/chromium"})
    said: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return said


def test_links_of_the_same_server_are_followed_once(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    said = look(capsys, 10, "/")
    assert page.visited == ["/", "/a", "/b", "/style.css", "/slow", "/d"]
    assert said == {
        "pages": [{"path": path, "violations": [{"id": "label", "page": path}]} for path in ("/", "/a", "/b", "/d")],
        "problems": [{"path": "/slow", "why": "it took too long"}],
    }
    assert page.told[:3] == [{"executable_path": "/bin/chromium", "args": FLAGS}, "axe source", (LOOK, TAGS)]
    assert page.told[-1] == "closed"


def test_no_more_pages_than_wanted(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    said = look(capsys, 2, "/slow", "/", "/b")
    assert (page.visited, len(said["pages"]), len(said["problems"])) == (["/slow", "/"], 1, 1)


@pytest.mark.parametrize("spec", [None, ModuleSpec("axe_playwright_python", None)])
def test_without_axe_it_says_so(page: Page, monkeypatch: pytest.MonkeyPatch, spec: ModuleSpec | None) -> None:
    finds: Callable[[str], ModuleSpec | None] = lambda _name: spec  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", finds)
    with pytest.raises(SystemExit, match="axe-core is not there"):
        main({"url": URL, "pages": ["/"], "most": 1, "browser": ""})
    assert page.visited == []
