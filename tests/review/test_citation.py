"""Claims are looked up: a place that is there, and the words that stand on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.review import citation
from omni.review.citation import Citation, Remark, checked, material, mended, numbered, patch, problem, read_files

FILES = {"a.py": "def f():\n    return  1\n\n    }\n", "b.py": "x = 1; x = 1\n"}


def remark(path: str, line: int, quote: str, replacement: str | None = None) -> Remark:
    return Remark(
        path=path, line=line, quote=quote, rule="r", severity="error", message="m", why="w", fix="f",
        replacement=replacement,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "line", "quote", "why"),
    [
        ("a.py", 2, "return 1", ""),
        ("a.py", 2, "    return  1", ""),
        ("a.py", 4, "}", ""),
        ("a.py", 1, "return 1", "a.py:1 says something else"),
        ("a.py", 9, "return 1", "a.py has 4 lines, not 9"),
        ("a.py", 2, "", "a.py:2 is not quoted"),
        ("a.py", 3, "", "a.py:3 is not quoted"),
        ("a.py", 2, "1", "a.py:2 is not quoted"),
        ("../a.py", 2, "return 1", "../a.py was not shown to it"),
    ],
)
def test_a_citation_is_looked_up(path: str, line: int, quote: str, why: str) -> None:
    assert problem(Citation(path=path, line=line, quote=quote), FILES) == why


@given(st.text(min_size=1), st.integers(1, 50), st.text())
def test_nothing_but_what_stands_there_is_believed(text: str, line: int, quote: str) -> None:
    if not problem(Citation(path="a", line=line, quote=quote), {"a": text}):
        folded = "".join(text.splitlines()[line - 1].split())
        assert "".join(quote.split()) in folded


def test_wrong_claims_are_dropped_with_why() -> None:
    kept, dropped = checked([remark("a.py", 2, "return 1"), remark("a.py", 1, "return 1")], FILES)
    assert [each.line for each in kept] == [2]
    assert [(each.claim, each.why) for each in dropped] == [("m", "a.py:1 says something else")]


def test_a_mend_is_applied_where_its_words_stand_once() -> None:
    assert mended(remark("a.py", 2, "return  1", "return 2"), FILES["a.py"]) == "def f():\n    return 2\n\n    }\n"
    assert mended(remark("b.py", 1, "x = 1", "x = 2"), FILES["b.py"]) is None
    assert mended(remark("a.py", 2, "return  1"), FILES["a.py"]) is None


def test_mends_become_a_patch() -> None:
    said = patch([remark("a.py", 2, "return  1", "return 2"), remark("a.py", 1, "f()", "g()")], FILES)
    assert said == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,4 +1,4 @@\n-def f():\n-    return  1\n+def g():\n+    return 2\n \n     }\n"
    )
    assert patch([remark("a.py", 2, "return  1")], FILES) == ""


def test_what_does_not_fit_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citation, "FILE_LIMIT", 10)
    monkeypatch.setattr(citation, "MATERIAL_LIMIT", 12)
    found = material({"big": "x" * 11, "a": "123456", "b": "1234567"})
    assert list(found.files) == ["a"]
    assert found.left_out == {
        "b": "there was no room left of 12 characters",
        "big": "it has more than 10 characters",
    }


def test_only_texts_of_the_project_are_read(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").write_text("text")
    (root / "b").write_bytes(b"\xff\xfe")
    (root / "c").symlink_to(tmp_path / "out")
    found = read_files(root, ["a", "b", "c", "d", "../out"])
    assert dict(found.files) == {"a": "text"}
    assert set(found.left_out) == {"b", "c", "d", "../out"}
    assert "secret" not in found.shown()


def test_lines_are_numbered_as_they_are_cited() -> None:
    assert numbered("a\nb") == "    1  a\n    2  b"
