from __future__ import annotations

import pytest

from omni.verify.analysis.positions import line_of_path, steps

TEXT = """# services
services:
  web:
    ports:
      - 80
      - name: https
        port: 443
  "a.b": {image: x,
    tag: y}
8080: number
---
second:
  - here
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", []),
        ("$.services.web.ports[0]", ["services", "web", "ports", 0]),
        ("spec.ports.10", ["spec", "ports", 10]),
        ("$['a.b'][12].c", ["a.b", 12, "c"]),
        (r"$['it\'s']", [r"it\'s"]),
    ],
)
def test_a_path_is_names_and_indexes(path: str, expected: list[str | int]) -> None:
    assert steps(path) == expected


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("$", 2),
        ("services", 2),
        ("services.web", 3),
        ("services.web.ports", 4),
        ("services.web.ports[0]", 5),
        ("services.web.ports[1]", 6),
        ("services.web.ports[1].port", 7),
        ("services.web.ports[2]", 4),
        ("services.web.ports.name", 4),
        ("services.web.none.deeper", 3),
        ("$.services['a.b'].tag", 9),
        ("8080", 10),
        ("services.web.ports[0].deeper", 5),
    ],
)
def test_a_value_stands_where_its_name_does(path: str, line: int) -> None:
    assert line_of_path(TEXT, steps(path)) == line


def test_documents_are_counted_from_nought() -> None:
    assert line_of_path(TEXT, steps("second[0]"), 1) == 13
    assert line_of_path(TEXT, steps("second[0]"), 2) == 1


@pytest.mark.parametrize("text", ["", "a: [", "a: *nobody", "[" * 5000])
def test_what_can_not_be_read_is_at_line_one(text: str) -> None:
    assert line_of_path(text, ["a"]) == 1
