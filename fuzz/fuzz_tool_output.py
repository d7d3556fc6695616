"""What each tool prints, through its own parser."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify import registry
    from omni.verify.check import Failed, Output
    from omni.verify.examine import UNREADABLE

    PARSERS = [(check, check.parse) for check in registry.checks() if check.parse is not None]


CONTEXTS = {check.id: shapes.context(check) for check, _ in PARSERS}


def target(data: bytes) -> None:
    check, parse = PARSERS[data[0] % len(PARSERS)] if data else PARSERS[0]
    words = shapes.words_near(parse)
    text = shapes.json_text(data[2:], words) if data[1:2] < b"\x80" else shapes.worded(data[2:], words)
    try:
        shapes.said(parse(CONTEXTS[check.id], Output(1, text, text)))
    except (*UNREADABLE, Failed):
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
