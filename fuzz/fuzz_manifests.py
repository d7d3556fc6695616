"""Manifests of dependencies."""

from __future__ import annotations

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["omni", "tomllib", "configparser"]):
    import shapes
    from omni.verify.analysis import manifests


WORDS = (*shapes.words_of(manifests.__file__), "[", "]\n", " = ", '"', "\n")
NAMES = (*manifests.PYTHON, "requirements.txt")


def target(data: bytes) -> None:
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    with suppress(manifests.BadManifestError):
        manifests.python_dependencies(name, shapes.worded(data[1:], WORDS))
    with suppress(manifests.BadManifestError):
        manifests.npm_dependencies("package.json", shapes.json_text(data, WORDS))


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
