"""Lock files, expressions of licences, metadata of what is installed, and archives of vulnerabilities."""

from __future__ import annotations

import sys
import zipfile

import atheris

with atheris.instrument_imports(include=["omni", "tomllib"]):
    import shapes
    from omni.kernel.errors import OmniError
    from omni.verify import quarantine, toollock
    from omni.verify.analysis import distributions, licences, manifests, osv, pins

WORDS = (
    *shapes.words_of(osv.__file__),
    *shapes.words_of(pins.__file__),
    "PyPI",
    "npm",
    "a",
    "1.0",
    "2.0-rc.1",
    "0",
    "[",
    "]\n",
    '"',
)
TEXTS = (*shapes.words_of(licences.__file__), *licences.table().aliases, "MIT", " OR ", " AND ", " WITH ", "(", ")")
ARCHIVE, SNAPSHOT = shapes.ROOT / "all.zip", shapes.ROOT / "osv.sqlite"
METADATA = shapes.ROOT / "lib/python3.11/site-packages/a-1.dist-info/METADATA"
METADATA.parent.mkdir(parents=True)
LOCKS = (*pins.LOCKS, "requirements.txt")


def archive(data: bytes) -> None:
    with zipfile.ZipFile(ARCHIVE, "w") as written:
        written.writestr("a.json", shapes.json_text(data, WORDS))
    osv.take([ARCHIVE], SNAPSHOT)
    with osv.Snapshot(SNAPSHOT) as snapshot:
        for ecosystem in osv.ECOSYSTEMS:
            snapshot.known(ecosystem, "a", "1.0")


def text(data: bytes) -> None:
    expression = shapes.worded(data, TEXTS)
    try:
        licences.objection("MIT", expression)
    except ValueError:
        pass
    METADATA.write_text(f"Name: a\nLicense: {expression}\nRequires-Dist: {expression}\n{expression}", "utf-8")
    distributions.distributions(shapes.ROOT)


def lock(data: bytes) -> None:
    name = LOCKS[data[0] % len(LOCKS)] if data else LOCKS[0]
    content = shapes.json_text(data[1:], WORDS) if name.endswith("json") else shapes.worded(data[1:], WORDS)
    try:
        pins.pins(name, content)
    except manifests.BadManifestError:
        pass
    (shapes.ROOT / toollock.FILE).write_text(content, "utf-8")
    for read in (lambda: quarantine.load(content), lambda: toollock.read(shapes.ROOT)):
        try:
            read()
        except OmniError:
            continue


KINDS = (archive, text, lock)


def target(data: bytes) -> None:
    KINDS[data[0] % len(KINDS)](data[1:]) if data else text(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
