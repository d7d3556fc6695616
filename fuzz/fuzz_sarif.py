"""SARIF that a tool printed."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify import sarif
    from omni.verify.check import Check, Output
    from omni.verify.examine import UNREADABLE


CHECK = Check(id="a", title="A", tier=1, languages=("python",))
CONTEXT = shapes.context(CHECK)
WORDS = shapes.words_of(sarif.__file__)


def target(data: bytes) -> None:
    text = shapes.json_text(data, WORDS)
    try:
        shapes.said(sarif.parse_sarif(CONTEXT, Output(1, text, "")))
    except UNREADABLE:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
