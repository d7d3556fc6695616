"""From what checks say to findings that can be compared: in one order, with fingerprints, each counting or not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from omni.verify.check import Context
from omni.verify.files import File
from omni.verify.profile import judged_by
from omni.verify.report import Finding, fingerprint
from omni.verify.suppression import allowances, why_suppressed


def finish(
    context: Context, findings: Iterable[Finding], today: date
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(those that count, those that do not and why), in an order that depends on nothing but themselves."""
    ordered = sorted(set(findings), key=_order)
    lines = {path: _lines(context, path) for path in {finding.path for finding in ordered}}
    allowed = {path: tuple(allowances("\n".join(text))) for path, text in lines.items() if _may_allow(text)}
    ordinals: Counter[tuple[str, str, str]] = Counter()
    counting: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in ordered:
        snippet = finding.snippet or _snippet(context.check.masks, lines[finding.path], finding)
        rule = f"{finding.check}/{finding.rule}"
        key = (rule, _folded(snippet), finding.path)
        mark = fingerprint(rule, snippet, finding.path, ordinals[key])
        ordinals[key] += 1
        why = why_suppressed(finding, allowed.get(finding.path, ()), context.project.waivers, today)
        update = {"snippet": snippet, "fingerprint": mark, "suppressed": why}
        judged = judged_by(finding.model_copy(update=update), context.project.profiles)
        (suppressed if why else counting).append(judged)
    return tuple(counting), tuple(suppressed)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    return (finding.path, finding.line or 0, finding.column or 0, finding.rule, finding.message)


def _folded(snippet: str) -> str:
    return re.sub(r"\s+", " ", snippet).strip()


def _lines(context: Context, path: str) -> list[str]:
    """The file's lines; none for a file that is not text."""
    file: File | None = context.inventory.by_path.get(path)
    if file is None or file.problem:
        return []
    try:
        return context.text(file).splitlines()
    except (OSError, ValueError, SyntaxError):  # it vanished, or its coding comment names no coding
        return []


def _may_allow(lines: Iterable[str]) -> bool:
    return any("omni: allow " in line for line in lines)


SECRET = re.compile(r"(?<=[=:])\s*\S.*|\S{8,}")
"""What stands after the first `=` or `:`, and any long word."""


def _snippet(masks: bool, lines: list[str], finding: Finding) -> str:
    """The finding's line, or its message where it has none."""
    if finding.line is None or not 0 < finding.line <= len(lines):
        return finding.message
    line = lines[finding.line - 1].strip()[:500]
    return SECRET.sub("•••", line) if masks else line


def subtract(findings: Iterable[Finding], known: Mapping[str, str]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """(those that are new, those whose fingerprint is in `known`, with why from there)."""
    new: list[Finding] = []
    old: list[Finding] = []
    for finding in findings:
        if why := known.get(finding.fingerprint):
            old.append(finding.model_copy(update={"suppressed": why}))
        else:
            new.append(finding)
    return tuple(new), tuple(old)
