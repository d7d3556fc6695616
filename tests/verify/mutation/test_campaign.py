from __future__ import annotations

import ast

from omni.verify.mutation.campaign import imported_names


def test_what_a_file_of_tests_imports_by_name() -> None:
    text = "import a.b, c as d\nfrom e.f import g, h as i\nfrom . import k\ndef t():\n    from l import m\n"
    assert sorted(imported_names(ast.parse(text))) == ["a.b", "c", "e.f", "e.f.g", "e.f.h", "l", "l.m"]
