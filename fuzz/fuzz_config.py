"""The omni.toml of a target."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni", "tomllib"]):
    import shapes
    from omni.kernel.errors import OmniError
    from omni.verify import config


WORDS = (*shapes.words_of(config.__file__), "[verify]\n", "[[verify.waivers]]\n", " = ", "\n", "[verify.tests]\n")


def target(data: bytes) -> None:
    (shapes.ROOT / config.FILE).write_text(shapes.worded(data, WORDS), "utf-8")
    try:
        config.load_config(shapes.ROOT)
    except OmniError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
