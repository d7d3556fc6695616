"""The account of a change: one record for programs, and one page for people."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from omni.pipeline.change.handoffs import HandOverHandoff
from omni.pipeline.change.judging import ChangeReview
from omni.pipeline.change.proof import is_test_file
from omni.verify.outputs.summary import number

HEADLINE = {
    "pass": "Proved, and on a branch of its own",
    "fail": "Not handed over",
    "incomplete": "It could not be proved here",
}
OPEN = "On a branch of its own, for a person to judge"
"""The headline of what its tests prove and others don't agree upon."""


class Attempt(BaseModel):
    """One stage, once. `reasons` is why it was not accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: str
    attempt: int
    status: str
    reasons: tuple[str, ...] = ()


class Account(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str
    run: str
    repository: str
    base: str
    handed: HandOverHandoff
    fails_before: dict[str, str]
    """New test → what it said on the code as it was."""
    summary: str
    """Why the change is right, in the words of who made it."""
    attempts: tuple[Attempt, ...]
    review: ChangeReview | None = None

    @property
    def size(self) -> str:
        """`4 lines added, 2 removed in 1 file; 12 added, 0 removed in 1 file of tests`"""
        product = [each for each in self.handed.files if not is_test_file(each.path)]
        tests = [each for each in self.handed.files if is_test_file(each.path)]
        told = []
        for kind, group in (("", product), (" of tests", tests)):
            if group:
                added, removed = sum(each.added for each in group), sum(each.removed for each in group)
                told.append(f"{number(added, 'line')} added, {removed} removed in {number(len(group), 'file')}{kind}")
        return "; ".join(told) or "nothing"


def page(account: Account, patch: str) -> str:
    """The page as HTML; all that models and repositories said is escaped."""
    template = _environment().get_template("report.html.jinja")
    handed = account.handed
    headline = OPEN if handed.branch and handed.reasons else HEADLINE[handed.verdict]
    return template.render(a=account, h=handed, headline=headline, patch=patch)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("omni.pipeline.change", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["css"] = files("omni.delivery").joinpath("report.css").read_text("utf-8")
    return environment
