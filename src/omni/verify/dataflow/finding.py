"""What is said of untrusted data in a dangerous place; of all ways to one place the one that tells most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from omni.verify.analysis.rule import Rule
from omni.verify.dataflow.model import Weakness
from omni.verify.dataflow.summary import Hit
from omni.verify.report import Finding, Severity


def findings(check: str, hits: Iterable[Hit], weaknesses: Mapping[str, Weakness]) -> Iterator[Finding]:
    """One for each weakness at each place."""
    for group in _by_sink(hits, weaknesses):
        hit, weakness = group[0], weaknesses[group[0].weakness]
        severity = _severity(hit, weakness)
        if severity is not None:
            rule = Rule(check, weakness.id, severity, weakness.why, weakness.fix, weakness.cwe)
            more = f"; {len(group) - 1} more ways lead there" if len(group) > 1 else ""
            message = f"{weakness.title}: {way(hit)}{more}"
            yield rule.at(hit.sink.path, hit.sink.line, message, column=hit.column or None)


def _by_sink(hits: Iterable[Hit], weaknesses: Mapping[str, Weakness]) -> Iterator[list[Hit]]:
    """Those of one weakness at one place together: the gravest first, then the one with the shortest way."""
    groups: dict[tuple[str, str, int], list[Hit]] = defaultdict(list)
    for hit in hits:
        if _severity(hit, weaknesses[hit.weakness]) is not None:
            groups[hit.weakness, hit.sink.path, hit.sink.line].append(hit)
    for group in groups.values():
        yield sorted(group, key=lambda hit: (hit.taint.kind == "local", len(hit.taint.steps)))


def _severity(hit: Hit, weakness: Weakness) -> Severity | None:
    return weakness.local if hit.taint.kind == "local" else weakness.severity


def way(hit: Hit) -> str:
    """`request.args (app.py:4) → name (app.py:5) → db.execute(…) (app.py:6)`"""
    steps = [hit.taint.origin, *hit.taint.steps, hit.sink]
    return " → ".join(f"{step.what} ({step.path}:{step.line})" for step in dict.fromkeys(steps))
