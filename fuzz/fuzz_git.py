"""What git prints about a repository that a stranger made."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from pathlib import Path

    from omni.kernel.errors import OmniError
    from omni.verify import repository


ANSWER = [b""]
WORDS = ("100644 blob ", "120000 blob ", "a" * 40, "\t", "\0", "\n", " ", "../x", "blob 3\nabc\n", "blob 99999999999\n")


def answer(_root: Path, *_argv: str, stdin: bytes = b"") -> bytes | None:
    return ANSWER[0] if stdin != b"none" else None


repository._git = answer  # noqa: SLF001 - what git says is what is fuzzed


def target(data: bytes) -> None:
    ANSWER[0] = shapes.worded(data, WORDS).encode() if data[:1] < b"\x80" else data
    try:
        repository.listed_files(shapes.ROOT)
        repository.changed_since(shapes.ROOT, "a", ["a.py", "b"])
        repository.text_at(shapes.ROOT, "a", "a.py")
    except OmniError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
