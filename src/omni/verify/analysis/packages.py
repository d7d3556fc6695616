"""What is known of packages without asking anybody: popular names, and which module comes from which distribution.

The snapshots in `data/` carry their date in their first line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from omni.verify.analysis.manifests import normalise

DATA = Path(__file__).parent.parent / "data"


@cache
def popular(registry: str) -> Mapping[str, int]:
    """Name → rank (1 is the most downloaded) of `pypi` or `npm`."""
    names = _lines(f"popular-{registry}.txt")
    return {name: rank for rank, name in enumerate(names, 1)}


@cache
def snapshot_of(registry: str) -> str:
    """When the snapshot was taken: `2026-11`."""
    first = (DATA / f"popular-{registry}.txt").read_text("utf-8").partition("\n")[0]
    found = re.search(r"\d{4}-\d{2}", first)
    return found[0] if found else "unknown"


@cache
def module_owners() -> Mapping[str, frozenset[str]]:
    """Module → distributions that bring it, where the names differ."""
    owners: dict[str, set[str]] = defaultdict(set)
    for line in _lines("modules-pypi.txt"):
        module, distribution = line.split()
        owners[module].add(distribution)
    return {module: frozenset(names) for module, names in owners.items()}


@cache
def node_modules() -> frozenset[str]:
    """What Node.js brings itself."""
    return frozenset(_lines("modules-node.txt"))


def installed(environment: Path | None) -> Mapping[str, frozenset[str]]:
    """Distribution → its top-level modules, of a virtual environment; read, never run."""
    found: dict[str, frozenset[str]] = {}
    for info in environment.glob("lib/python3*/site-packages/*.dist-info") if environment else ():
        name = normalise(info.name.removesuffix(".dist-info").rpartition("-")[0])
        record = info / "RECORD"
        paths = record.read_text("utf-8", "replace").splitlines() if record.is_file() else []
        tops = (line.split(",", 1)[0].split("/", 1)[0] for line in paths)
        modules = {re.sub(r"\.(py|so|pyd|cpython.*|abi3\.so)$", "", top) for top in tops}
        found[name] = frozenset(each.split(".")[0] for each in modules if re.fullmatch(r"\w+(\..*)?", each))
    return found


def providers(module: str, environment: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Distributions that may bring a module (dotted): by the environment, by the map, by its own name."""
    top = module.split(".", 1)[0]
    prefixes = [module.rsplit(".", cut)[0] for cut in range(module.count(".") + 1)]
    mapped = [module_owners()[each] for each in (*prefixes, top) if each in module_owners()]
    by_environment = {name for name, modules in environment.items() if top in modules}
    by_name = {normalise(each) for each in (top, *prefixes)} | {normalise(module)}
    return frozenset(by_environment | by_name | {name for names in mapped for name in names})


def _lines(name: str) -> list[str]:
    text = (DATA / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
