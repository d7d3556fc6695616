"""Packages and exports of the audit log, as somebody hands them over."""

from __future__ import annotations

import sys
from contextlib import suppress

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    import shutil

    from omni.delivery import package
    from omni.kernel import audit, canonical
    from omni.kernel.errors import OmniError


WORDS = (*shapes.words_of(package.__file__), *shapes.words_of(audit.__file__))
KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""
FILES = ("manifest.json", "manifest.sig", "signing-key.pub", "report.json", "spec.json")


def target(data: bytes) -> None:
    source = shapes.Bytes(data)
    lines = []
    for _ in range(source.next() % 4):
        body = canonical.dumps({"number": source.next(), "previous": "a", "x": 1}).decode()
        shape = {"body": body, "hash": "a"} if source.next() % 2 else {"checkpoint": body, "signature": "YQ=="}
        lines.append(canonical.dumps(shape))
    export = shapes.ROOT / "export"
    export.write_bytes(b"\n".join([*lines, source.rest()]) if source.next() % 2 else data)
    audit.verify_export(export, KEY)
    folder = shapes.ROOT / "package"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in FILES:
        if source.next() % 4:
            (folder / name).write_text(shapes.json_text(source.rest(), WORDS), "utf-8")
    with suppress(OmniError):  # nothing of a package lies there
        package.verify_package(folder)


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
