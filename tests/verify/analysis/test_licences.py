from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.licences import alternatives, objection, of_text, table

NAMES = [name for names in table().kinds.values() for name in names]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", [{"MIT"}]),
        ("mit", [{"MIT"}]),
        ("MIT OR Apache-2.0", [{"MIT"}, {"Apache-2.0"}]),
        ("MIT AND (ISC OR GPL-2.0-only)", [{"MIT", "ISC"}, {"MIT", "GPL-2.0-only"}]),
        ("MIT AND ISC OR 0BSD", [{"MIT", "ISC"}, {"0BSD"}]),
        ("GPL-2.0-only WITH Classpath-exception-2.0", [{"GPL-2.0-only WITH Classpath-exception-2.0"}]),
        ("Apache Software License", [{"Apache-2.0"}]),
        ("GNU General Public License v3 (GPLv3)", [{"GPL-3.0-only"}]),
    ],
)
def test_expressions(expression: str, expected: list[set[str]]) -> None:
    assert list(alternatives(expression)) == expected


@pytest.mark.parametrize("expression", ["", "AND", "MIT OR", "(MIT", "MIT)", "MIT ISC", "see the file", "(" * 300])
def test_no_expression(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expected|closed|early|name|long"):
        alternatives(expression)


@given(st.text(alphabet="MITORANDWH ()-20.", max_size=80))
def test_anything(text: str) -> None:
    try:
        found = alternatives(text)
    except ValueError:
        return
    assert all(found)


@pytest.mark.parametrize(
    ("project", "dependency", "said"),
    [
        ("MIT", "BSD-3-Clause", ""),
        ("MIT", "LGPL-3.0-or-later", ""),
        ("MIT", "GPL-3.0-only", "GPL-3.0-only (copyleft of the whole program) can't be part of a program under MIT"),
        ("MIT", "GPL-3.0-only OR MIT", ""),
        ("MIT", "MIT AND GPL-3.0-only", "GPL-3.0-only (copyleft of the whole program) can't be part"),
        ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0", ""),
        ("GPL-3.0-or-later", "GPL-3.0-only", ""),
        ("GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-only (copyleft of the whole program, also where"),
        ("GPL-3.0-or-later", "GPL-2.0-only", "it can't be passed on under version 3"),
        ("GPL-2.0-only", "Apache-2.0", "version 2 alone allows no further conditions"),
        ("GPL-2.0-or-later OR MIT", "Apache-2.0", ""),
        ("AGPL-3.0-only", "SSPL-1.0", "SSPL-1.0 (not free"),
        ("BUSL-1.1", "GPL-2.0-or-later", "can't be part of a program under BUSL-1.1"),
    ],
)
def test_objection(project: str, dependency: str, said: str) -> None:
    found = objection(project, dependency)
    assert said in found
    assert bool(said) == bool(found)


@pytest.mark.parametrize(("project", "dependency"), [("MIT", "Mine-1.0"), ("Mine-1.0", "MIT")])
def test_unknown(project: str, dependency: str) -> None:
    with pytest.raises(ValueError, match=r"“Mine-1.0” is not in the table"):
        objection(project, dependency)


def test_everything_permissive_fits_everywhere() -> None:
    blocked = {
        dependency for own in NAMES for dependency in table().kinds["public-domain"] if objection(own, dependency)
    }
    assert blocked == set()


def test_table_is_whole() -> None:
    known = set(NAMES)
    assert len(NAMES) == len(known)
    assert {*table().builds_on} == {*table().kinds}
    assert {name for each in table().conflict for name in each.project | each.dependency} <= known
    assert {*table().aliases.values()} <= known
    assert all(alias == alias.lower() for alias in table().aliases)


def test_texts() -> None:
    assert (
        of_text("MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy") == "MIT"
    )
    assert of_text("   GNU GENERAL PUBLIC LICENSE\n    Version 3, 29 June 2007") == "GPL-3.0-or-later"
    assert of_text("All rights reserved.") == ""
