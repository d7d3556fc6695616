"""The rules in force for a project, and new ones, made from code that was rejected."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import write_atomic
from omni.verify.report import Model
from omni.verify.rules.entry import PARSED_AS, PROJECT, Metadata, PatternRule, built_in, of_project
from omni.verify.rules.trial import BAD_RULE, wrong

UNKNOWN_RULE = declare("V041", "There is no such rule", Exit.USAGE, "Type: omni rules list")
REFUSED = declare("V042", "The rule was not written", Exit.USAGE, "Change the pattern or the examples.")


class Draft(Model):
    """What a person says of a rule to be."""

    id: str
    language: str
    severity: Literal["error", "warning", "note"] = "warning"
    message: str
    why: str
    mend: str
    cwe: str = ""
    pattern: str = ""
    """Default: the rejected code itself."""
    rejected: str
    good: str


def all_rules(root: Path) -> tuple[PatternRule, ...]:
    """Omni's own and the project's. Raises `V040` for a file that holds no rules, or an id that is taken."""
    found = {rule.id: rule for rule in built_in()}
    for name, said in of_project(root):
        if isinstance(said, str):
            raise OmniError(BAD_RULE, said, where=name)
        for rule in said:
            if rule.id in found:
                raise OmniError(BAD_RULE, f"the id “{rule.id}” is taken", where=name, fix="Give it another id.")
            found[rule.id] = rule
    return tuple(found.values())


def named(rules: Iterable[PatternRule], rule_id: str) -> PatternRule:
    """Raises `V041`."""
    for rule in rules:
        if rule.id == rule_id:
            return rule
    raise OmniError(UNKNOWN_RULE, f"“{rule_id}”")


def add(draft: Draft, root: Path, ast_grep: Path) -> Path:
    """Write the rule to the project; returns its file.

    Raises `V042` when the id is taken or the examples don't pass, `V040` when it is no rule, and writes nothing then.
    """
    if any(rule.id == draft.id for rule in all_rules(root)):
        raise OmniError(REFUSED, f"there is a rule “{draft.id}” already", fix="Give it another id.")
    rule = _rule(draft)
    if mistakes := wrong([rule], ast_grep):
        raise OmniError(REFUSED, "; ".join(str(each) for each in mistakes))
    folder = root / PROJECT
    if any(part.is_symlink() for part in (root / ".omni", folder)):
        raise OmniError(REFUSED, f"{PROJECT} is a link", fix="Make it a folder of the project.")
    path = folder / f"{rule.id}.yml"
    write_atomic(path, rule.document())
    return path


def _rule(draft: Draft) -> PatternRule:
    """Raises `V040`."""
    if draft.language not in PARSED_AS:
        raise OmniError(BAD_RULE, f"no language “{draft.language}”", fix=f"Known: {', '.join(PARSED_AS)}.")
    severity = "info" if draft.severity == "note" else draft.severity
    only = "dockerfile" if draft.language == "dockerfile" else ""
    try:
        metadata = Metadata.model_validate(
            {"why": draft.why, "fix": draft.mend, "cwe": draft.cwe, "only": only, "where": "anywhere"}
            | {"valid": (draft.good,), "invalid": (draft.rejected,)}
        )
        return PatternRule.model_validate(
            {"id": draft.id, "language": PARSED_AS[draft.language], "severity": severity, "message": draft.message}
            | {"rule": {"pattern": (draft.pattern or draft.rejected).strip()}, "metadata": metadata}
        )
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        raise OmniError(BAD_RULE, f"{'.'.join(map(str, error['loc']))}: {error['msg']}") from problem
