from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Found = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](gone.md)\n", ["error broken-link README.md:1"]),
        ("![a](docs/gone.png)\n", ["error broken-link README.md:1"]),
        ("# A title\n\n[a](#a-titel)\n", ["warning broken-anchor README.md:3"]),
        ("[a](docs/a.md#nothing)\n", ["warning broken-anchor README.md:1"]),
        ("[a]: gone.md\n", ["error broken-link README.md:1"]),
        ("text\n\n```python\nx = 1\n", ["error open-code-block README.md:3"]),
        ("```mermaid\nflowchart TD\n  a[b --> c\n```\n", ["error broken-diagram README.md:3"]),
        ("```mermaid\nflowhart TD\n```\n", ["error broken-diagram README.md:2"]),
        ("# A title\n\n[a](#a-title) [b](docs/a.md#part-one) [c](docs/) [d](https://example.com/gone)\n", []),
        ("`[a](gone.md)`\n\n```\n[a](gone.md)\n```\n", []),
        ('[a](<docs/a.md> "title") [b](docs/a.md?plain=1) [mail](mailto:a@example.com)\n', []),
        ("~~~\n```\n~~~\n", []),
    ],
)
def test_document(found: Found, text: str, expected: list[str]) -> None:
    assert found("markdown", {"README.md": text, "docs/a.md": "Part one\n--------\n"}) == expected


def test_a_deleted_target_is_noticed(found: Found, root: Path) -> None:
    """The file with the link has not changed: the result must not come from the cache."""
    assert found("markdown", {"README.md": "[a](a.txt)\n", "a.txt": "a\n"}) == []
    (root / "a.txt").unlink()
    assert found("markdown", {}) == ["error broken-link README.md:1"]


def test_labels_of_sphinx_are_no_paths(found: Found) -> None:
    files = {"docs/conf.py": "", "docs/a.md": "[frozen](attrs.frozen) and [there](api-index), [gone](b/c.md)\n"}
    assert found("markdown", files) == ["error broken-link docs/a.md:1"]


def test_links_of_mkdocs_lead_from_the_page_as_a_folder(found: Found) -> None:
    pages = {"docs/a.md": "[there](../deep/b#part)\n[nowhere](../deep/c)\n", "docs/deep/b.md": "# B\n\n## Part\n"}
    assert found("markdown", pages) == ["error broken-link docs/a.md:1", "error broken-link docs/a.md:2"]
    assert found("markdown", pages | {"mkdocs.yml": "site_name: A\n"}) == ["error broken-link docs/a.md:2"]
