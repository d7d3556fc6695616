"""Markdown and Mermaid of a repository."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify.analysis import markdown, mermaid


WORDS = (
    *shapes.words_of(mermaid.__file__),
    "# ",
    "```mermaid\n",
    "```\n",
    "[a](b)",
    "![](",
    "| a | b |\n",
    "~~~",
    "    ",
    "<!--",
)


def target(data: bytes) -> None:
    text = shapes.worded(data, WORDS)
    markdown.read(text)
    list(mermaid.problems(text))


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
