from __future__ import annotations

import pytest

from omni.verify.languages import language


@pytest.mark.parametrize(
    ("path", "first_line", "expected"),
    [
        ("src/a.py", b"", "python"),
        ("A.PY", b"", "python"),
        ("docker/Dockerfile", b"", "dockerfile"),
        ("Dockerfile.dev", b"", "dockerfile"),
        ("Dockerfile.jinja", b"", "jinja"),
        ("web.dockerfile", b"", "dockerfile"),
        (".env", b"", "env"),
        (".env.example", b"", "env"),
        (".github/workflows/ci.yml", b"", "yaml"),
        ("package-lock.json", b"", "lock"),
        ("bin/run", b"#!/bin/sh", "shell"),
        ("bin/run", b"#!/usr/bin/env python3", "python"),
        ("bin/run", b"#!/usr/bin/env -S python3.12 -u", "python"),
        ("bin/run", b"#!", ""),
        ("bin/run", b"echo", ""),
        ("README", b"", ""),
    ],
)
def test_language_is_told_by_name_ending_or_interpreter(path: str, first_line: bytes, expected: str) -> None:
    assert language(path, first_line) == expected
