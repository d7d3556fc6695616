"""Another version in a requirements file, with its hashes where the file has hashes, and no other byte changed."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from omni.kernel import processes, registries
from omni.verify.analysis.manifests import normalise
from omni.verify.analysis.pins import PIN


def rewritten(text: str, name: str, old: str, new: str, hashes: tuple[str, ...] = ()) -> str:
    """The file with version `new` of a package (its name normalised, PEP 503) in the place of `old`.

    `hashes` (`sha256:…`) take the place of those of the old version; none: the file has none.
    """
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        found = PIN.match(line)
        ours = found is not None and normalise(found[1]) == name and found[2] == old
        after = line[: found.start(2)] + new + line[found.end(2) :] if found and ours else line
        if hashes and (ours or inside):
            inside = line.rstrip().endswith("\\")
            after = _with_hashes(after, hashes if ours else ())
        kept.append(after)
    return "".join(kept)


def _with_hashes(line: str, hashes: tuple[str, ...]) -> str:
    """A line without the hashes of the old version; with the new ones after it if there are any."""
    end = "\r\n" if line.endswith("\r\n") else "\n"
    bare = re.sub(r"\s*--hash=\S+", "", line).rstrip("\\ \t\r\n")
    if hashes:
        return f" \\{end}".join((bare, *(f"    --hash={each}" for each in hashes))) + end
    return f"{bare}{end}" if bare.strip() else ""


def hashes_of(name: str, version: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the hashes that the index gives, as `sha256:…`; why there are none)."""
    uv = str(Path(sys.executable).with_name("uv"))
    flags = ("-q", "--no-deps", "--no-header", "--no-annotate", "--no-build", "--generate-hashes")
    variables: Mapping[str, str] = processes.clean_env(**registries.variables())
    asked = f"{name}=={version}\n".encode()
    done = processes.run((uv, "pip", "compile", *flags, "-"), env=variables, timeout=300, stdin=asked)
    found = tuple(re.findall(r"--hash=(\S+)", done.stdout))
    why = " ".join(done.stderr.split())[-300:] or "the index gives none"
    return found, () if found else (f"its hashes can't be had: {why}",)
