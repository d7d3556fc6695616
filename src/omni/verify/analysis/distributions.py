"""What is installed in a project's environment, as its metadata says; read, never run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from omni.verify.analysis.licences import alternatives
from omni.verify.analysis.manifests import normalise

LARGEST = 1 << 20


@dataclass(frozen=True)
class Distribution:
    name: str
    """Normalised (PEP 503)."""
    version: str
    licences: tuple[str, ...]
    """What it says of its licence, the most exact first: SPDX expressions, or what authors write in their place."""
    requires: tuple[str, ...]
    """Names of what it needs here, without extras."""


def distributions(environment: Path) -> Mapping[str, Distribution]:
    """By normalised name. What can't be read is left out: who needs it will say that it is not there."""
    found = {}
    for path in sorted(environment.glob("lib/python3*/site-packages/*.dist-info/METADATA")):
        try:
            text = path.read_bytes()[:LARGEST].decode("utf-8", "replace")
        except OSError:
            continue
        about: Message = HeaderParser().parsestr(text)
        name = normalise(str(about.get("Name") or path.parent.name.split("-")[0]))
        found[name] = Distribution(
            name, str(about.get("Version") or ""), tuple(_licences(about)), tuple(_requires(about))
        )
    return found


def _licences(about: Message) -> Iterator[str]:
    """`License-Expression` (PEP 639), else the classifiers, else the free text of `License` if it is short."""
    expression = about.get("License-Expression")
    if expression:
        yield str(expression)
        return
    classifiers = [str(each) for each in about.get_all("Classifier") or () if str(each).startswith("License ::")]
    named = [each.rpartition(" :: ")[2] for each in classifiers if not each.endswith("OSI Approved")]
    free = " ".join(str(about.get("License") or "").split())
    if free and len(free) < 60 and _understood(free):
        yield free
    elif named:
        yield from named
    elif free:
        yield free[:80]


def _understood(text: str) -> bool:
    try:
        return bool(alternatives(text))
    except ValueError:
        return False


def _requires(about: Message) -> Iterator[str]:
    for line in about.get_all("Requires-Dist") or ():
        try:
            requirement = Requirement(str(line))
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield normalise(requirement.name)


def closure(names: Iterable[str], installed: Mapping[str, Distribution]) -> dict[str, str]:
    """All that the names need, they among it, each with the one of `names` that brings it."""
    brought = {name: name for name in names}
    queue = deque(brought)
    while queue:
        name = queue.popleft()
        for needed in installed[name].requires if name in installed else ():
            if needed not in brought:
                brought[needed] = brought[name]
                queue.append(needed)
    return brought
