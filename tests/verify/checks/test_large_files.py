from __future__ import annotations

from collections.abc import Callable

from omni.verify.report import CheckResult

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]


def test_large_and_built(found: Found) -> None:
    files = {"big.csv": "x" * (1 << 20) + "yy", "app.pyc": b"\0\0", "poetry.lock": "x" * (2 << 20), "a.py": "x = 1\n"}
    assert found("large-files", files) == ["warning built-file app.pyc:None", "warning large-file big.csv:None"]


def test_one_mebibyte_is_not_large_and_what_builds_make_is_known_in_any_case(look: Look) -> None:
    files = {"even.csv": "x" * (1 << 20), "more.csv": "x" * (3 << 19), "lib/A.JAR": b"\0", "a.whl": "x" * (2 << 20)}
    assert [(each.rule, each.path, each.message) for each in look("large-files", files).findings] == [
        ("large-file", "a.whl", "2.0 MiB"),
        ("built-file", "lib/A.JAR", "a file that a build or a program makes"),
        ("large-file", "more.csv", "1.5 MiB"),
    ]
