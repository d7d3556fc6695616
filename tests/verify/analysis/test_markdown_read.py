"""Markdown as far as checks need it: each part with its line."""

from __future__ import annotations

import pytest

from omni.verify.analysis.markdown import Block, Document, Heading, Link, read


def test_a_document() -> None:
    text = """\
# A *title* #

Words, `code here` and [a link](a.md "Title") here's v1.2 _x_.
Second
======
Third
---
![picture](<b.png>) [ref]: `[no](x)`
[ref]: <c.md> "C"
[^note]: d.md
<a id="own"></a>

```Python {#x}
# no heading
[no](link)
```
### A *title*
~~~~
```
~~~
"""
    assert read(text) == Document(
        headings=(
            Heading(1, 1, "A *title*"),
            Heading(4, 1, "Second"),
            Heading(6, 2, "Third"),
            Heading(17, 3, "A *title*"),
        ),
        links=(Link(3, "a.md"), Link(8, "b.png"), Link(9, "c.md")),
        blocks=(
            Block(13, "python", "# no heading\n[no](link)", closed=True),
            Block(18, "", "```\n~~~", closed=False),
        ),
        anchors=frozenset({"a-title", "second", "third", "a-title-1", "own"}),
        words=31,
    )


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("## Two", Heading(1, 2, "Two")),
        ("   ###### Six ##", Heading(1, 6, "Six")),
        ("####### Seven", None),
        ("#None", None),
        ("    # Code", None),
    ],
)
def test_headings(line: str, heading: Heading | None) -> None:
    assert read(line).headings == ((heading,) if heading else ())


@pytest.mark.parametrize("text", ["---\nText", "\n---", "Text\n-- x", "| a |\n|---|"])
def test_lines_that_underline_nothing(text: str) -> None:
    assert read(text).headings == ()


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[a](b) [c](<d>)", ["b", "d"]),
        ("[a [b] c](d)", ["d"]),
        ("[a](b 'title') [c](d (title))", ["b", "d"]),
        ("[a]( b )", []),
        ("[a](b c)", []),
        ("[a] (b)", []),
        ("`[a](b)`", []),
        ("   [a]: b", ["b"]),
        ("    [a]: b", []),
    ],
)
def test_links(text: str, targets: list[str]) -> None:
    assert [link.target for link in read(text).links] == targets


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("```\na\n```\nb\n```js\nc\n```", [Block(1, "", "a", True), Block(5, "js", "c", True)]),
        ("````\n```\n````", [Block(1, "", "```", True)]),
        ("```\na\n`````", [Block(1, "", "a", True)]),
        ("```\na\n``` x", [Block(1, "", "a\n``` x", False)]),
        ("~~~ {Sh}\na\n~~~", [Block(1, "sh", "a", True)]),
        ("``` a`b", []),
        ("    ```\na", []),
        ("```", [Block(1, "", "", False)]),
    ],
)
def test_fenced_blocks(text: str, blocks: list[Block]) -> None:
    assert list(read(text).blocks) == blocks


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Two words", "two-words"),
        ("What's `new`?", "whats-new"),
        ("See [the page](x.md)", "see-the-page"),
        ("a - b", "a---b"),
        ("Über_alles", "über_alles"),
    ],
)
def test_anchors_are_made_as_code_hosts_do(title: str, anchor: str) -> None:
    assert read(f"# {title}\n## {title}\n# {title}").anchors == {anchor, f"{anchor}-1", f"{anchor}-2"}


def test_words_are_those_of_the_prose() -> None:
    assert read("one two's three.four five-six — _ 7\n```\neight\n```").words == 5
