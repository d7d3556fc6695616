"""Findings of other tools, as SARIF files: they join the report, its baseline, waivers and gate."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from omni.kernel.clock import now
from omni.kernel.errors import Exit, OmniError, declare
from omni.verify import repository
from omni.verify.check import Check, Item, Output
from omni.verify.examine import conclude, judge
from omni.verify.files import Inventory
from omni.verify.report import CheckResult, Coverage, Finding
from omni.verify.sarif import parse_sarif
from omni.verify.session import Session

BAD_SARIF = declare("V062", "A SARIF file can't be used", Exit.USAGE, "Name a file that the tool wrote whole.")

LARGEST = 64 << 20
"""Bytes."""


def from_sarif(paths: Iterable[Path], session: Session, inventory: Inventory, commit: str) -> tuple[CheckResult, ...]:
    """A result a file. With a baseline, what stands in a file that has not changed since is not new. Raises `V062`."""
    results: dict[str, CheckResult] = {}
    for path in paths:
        try:
            if path.stat().st_size > LARGEST:
                raise OmniError(BAD_SARIF, f"it is larger than {LARGEST >> 20} MiB", where=str(path))
            text = path.read_text("utf-8-sig")
            name = _name(text, results)
            context = session.context(_check(name, path), inventory)
            items = list(parse_sarif(context, Output(0, "", "", text)))
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as problem:
            raise OmniError(BAD_SARIF, str(problem) or type(problem).__name__, where=str(path)) from problem
        old = _unchanged(inventory, commit, items) if commit else frozenset()
        result = conclude(context, items, Coverage(), now().date())
        results[name] = _without(result, old, commit)
    return tuple(results.values())


def _check(name: str, path: Path) -> Check:
    return Check(id=name, title=f"Findings in {path.name}", tier=1, globs=("**",), advice="See the tool's own words.")


def _name(text: str, taken: Iterable[str]) -> str:
    """`sarif-codeql`: by the tool that wrote it."""
    runs = json.loads(text)["runs"]
    tool = str(runs[0]["tool"]["driver"]["name"]) if runs else "nothing"
    name = "sarif-" + (re.sub(r"[^a-z0-9]+", "-", tool.lower()).strip("-")[:40].strip("-") or "tool")
    number = sum(each == name or each.startswith(f"{name}-again-") for each in taken)
    return f"{name}-again-{number}" if number else name


def _unchanged(inventory: Inventory, commit: str, items: Iterable[Item]) -> frozenset[str]:
    """Files with findings that are as they were in the commit."""
    paths = {item.path for item in items if isinstance(item, Finding) and item.path in inventory.by_path}
    return frozenset(paths - repository.changed_since(inventory.root, commit, paths))


def _without(result: CheckResult, old: frozenset[str], commit: str) -> CheckResult:
    if not old:
        return result
    why = f"already in {commit[:12]}: the file has not changed"
    known = tuple(each.model_copy(update={"suppressed": why}) for each in result.findings if each.path in old)
    new = tuple(each for each in result.findings if each.path not in old)
    status, reason = judge(new, (), result.coverage)
    if result.reason:  # it missed something, whatever is new
        status, reason = (status if status == "fail" else result.status), result.reason
    update = {"findings": new, "suppressed": (*result.suppressed, *known), "status": status, "reason": reason}
    return result.model_copy(update=update)
