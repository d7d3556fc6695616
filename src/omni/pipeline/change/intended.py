"""Whether a change does what was asked, by tests of another model: written from the request and the code as it was.

Whoever writes them sees neither the change nor what its author says of it. Each runs on the code before and after.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field

from omni.models.typed import Asker, Document, quoted
from omni.review.adversarial import hollow
from omni.review.citation import Dropped, Material, Model
from omni.review.ground import Ground
from omni.review.independence import independent

TASK = """\
Your task: somebody else changes this code as the request says. You see the code as it was, not the change. Write tests
in Python for pytest that the code passes if it does what the request asks, and fails if it does not. Call only what the
request or the code names; assert only what the request promises, in no particular wording. If the request can't be
tested from here, hand over no test. Hand over IntentTests."""


NOTHING = "-"
"""No file of that name is watched: which lines a test reaches is of no interest here."""


class IntentTest(Model):
    name: Annotated[str, Field(pattern=r"^test_[a-z0-9_]{1,80}$")]
    code: Annotated[str, Field(max_length=10_000)]
    """A file of pytest, with its imports."""


class IntentTests(Document):
    """Tests that were written without having seen the change."""

    tests: Annotated[tuple[IntentTest, ...], Field(max_length=6)] = ()


class Outcome(Model):
    name: str
    code: str
    outcome: Literal["shown", "kept", "broken"]
    """shown: failed on the code as it was, passes now. kept: passes on both. broken: fails now."""
    said: str = ""


class Intended(Model):
    model: str
    independent: bool
    tried: tuple[Outcome, ...] = ()
    dropped: tuple[Dropped, ...] = ()

    def named(self, outcome: str) -> tuple[Outcome, ...]:
        return tuple(each for each in self.tried if each.outcome == outcome)


def test_intent(
    who: Asker, request: str, shown: Material, then: Ground, now: Ground, authors: Collection[str]
) -> Intended:
    """Ask for tests, and run them on the project as it was and as it is. `shown`: files as they were.

    Raises like `Asker.ask`.
    """
    answer = who.ask(IntentTests, "\n\n".join((quoted("request", request), shown.shown(), TASK)), name="intent")
    tried, dropped = list[Outcome](), list[Dropped]()
    for test in answer.document.tests:
        end = hollow(test.code) or _try(test, then, now)
        if isinstance(end, Outcome):
            tried.append(end)
        else:
            dropped.append(Dropped(claim=test.name, why=end))
    return Intended(
        model=answer.model,
        independent=independent(answer.model, authors),
        tried=tuple(tried),
        dropped=tuple(dropped),
    )


def _try(test: IntentTest, then: Ground, now: Ground) -> Outcome | str:
    """A test that fails by its assertion says something of the code; any other failure is its own."""
    place = "tests/test_omni_intent.py" if (now.project / "tests").is_dir() else "test_omni_intent.py"
    _, seen = now.test(place, test.code, NOTHING, {})
    failed = [each for each in seen.results if each.error]
    if not seen.results:
        return "it did not run"
    if not failed:
        _, earlier = then.test(place, test.code, NOTHING, {})
        if not earlier.results:
            return "it did not run on the code as it was"
        shown = any(each.error for each in earlier.results)
        return Outcome(name=test.name, code=test.code, outcome="shown" if shown else "kept")
    if failed[0].when == "call" and failed[0].error in {"AssertionError", "Failed"}:
        return Outcome(name=test.name, code=test.code, outcome="broken", said=failed[0].said[:600])
    return f"it broke by itself: {failed[0].error}: {failed[0].said[:300]}"
