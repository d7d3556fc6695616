"""Files as ast-grep can read them, and its command lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.check import Context, Unseen
from omni.verify.languages import language
from omni.verify.rules.intake import ENDING, KNOWN, LARGEST, LONGEST_ARGUMENTS, parts, readable

Read = Callable[[Mapping[str, str | bytes]], list[tuple[str, str] | Unseen]]


@pytest.fixture
def read(write: Callable[[Mapping[str, str | bytes]], Path], tmp_path: Path) -> Read:
    """(path, what ast-grep is given) of each file, that of a copy below `copies`."""

    def names(files: Mapping[str, str | bytes]) -> list[tuple[str, str] | Unseen]:
        context: Context = context_of(write(files), "rules")
        given = readable(context, tmp_path / "copies")
        return [
            each if isinstance(each, Unseen) else (each[0].path, each[1].replace(f"{tmp_path}/", "")) for each in given
        ]

    return names


@pytest.mark.parametrize(
    "path",
    [
        "a/b.py", "b.pyi", "a.h", "a.hpp", "a.scss", "Dockerfile", "a/Dockerfile.web", "a.Dockerfile", "a.go", "a.htm",
        "A.java", "a.mjs", "a.jsx", "a.rs", "a.zsh", "a.tf", "a.tsx", "a.cts", "a.yml",
    ],
)  # fmt: skip
def test_most_are_read_as_they_are(read: Read, path: str) -> None:
    assert read({path: "x"}) == [(path, path)]


@pytest.mark.parametrize(
    ("path", "text", "copy"),
    [
        ("bin/tool", "#!/usr/bin/env python3\nx = 1\n", "copies/bin/tool.py"),
        ("Main.PY", "x = 1\n", "copies/Main.PY.py"),
        ("run", "#!/bin/sh\nls\n", "copies/run.sh"),
        ("a/b.py", "x = 1  # ast-grep-ignore\n", "copies/a/b.py"),
    ],
)
def test_others_are_read_as_a_copy(read: Read, tmp_path: Path, path: str, text: str, copy: str) -> None:
    assert read({path: text}) == [(path, copy)]
    assert (tmp_path / copy).read_text() == text.replace("ast-grep-ignore", "ast.grep.ignore")


def test_python_in_another_coding_is_read_as_a_copy(read: Read, tmp_path: Path) -> None:
    text = "# coding: latin-1\nname = 'é'\n"
    assert read({"a.py": text.encode("latin-1")}) == [("a.py", "copies/a.py")]
    assert (tmp_path / "copies/a.py").read_text("utf-8") == text


def test_what_ast_grep_would_pass_over_is_said(read: Read) -> None:
    full = "#" * LARGEST
    assert read({"a.py": full}) == [("a.py", "a.py")]
    assert read({"a.py": f"{full}\n"}) == [Unseen("a.py", "larger than 3 MB, which ast-grep passes over")]


def test_the_ending_of_a_copy_is_one_by_which_its_language_is_known() -> None:
    assert ENDING.keys() == KNOWN.keys()
    assert {name: language(f"a{ending}") for name, ending in ENDING.items()} == {name: name for name in ENDING}


def test_names_are_given_as_many_at_a_time_as_a_command_line_takes() -> None:
    half = "é" * (LONGEST_ARGUMENTS // 4 - 1)  # each of two bytes, and a space
    assert list(parts([])) == []
    assert list(parts(["a", "b"])) == [("a", "b")]
    assert list(parts([half, half, "a", half])) == [(half, half, "a"), (half,)]
    assert list(parts([half, f"{half}abcd", "a"])) == [(half,), (f"{half}abcd", "a")]
    assert list(parts(["a" * 2 * LONGEST_ARGUMENTS, "b"])) == [("a" * 2 * LONGEST_ARGUMENTS,), ("b",)]
