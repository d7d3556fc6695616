from __future__ import annotations

import pytest

from omni.pipeline.change.asked import message
from omni.pipeline.change.checkout import branch_name
from omni.pipeline.change.kinds import kind_asked, kind_of


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ("fix the failing login", "bugfix"),
        ("Fix the login, and refactor what is beside it", "bugfix"),
        ("orders with a coupon should not cost less than nothing", "bugfix"),
        ("it crashes when the list is empty", "bugfix"),
        ("add CSV export", "feature"),
        ("add a page that lists failed payments", "feature"),
        ("refactor the order module without changing behaviour", "refactor"),
        ("remove dead code", "refactor"),
        ("migrate from Flask to FastAPI", "migration"),
        ("upgrade SQLAlchemy to 2.0", "migration"),
        ("", "feature"),
    ],
)
def test_the_kind_by_the_words(request_: str, kind: str) -> None:
    assert kind_of(request_) == kind


def test_what_was_chosen_wins_over_the_words() -> None:
    assert kind_asked("feature", "fix the failing login") == "feature"
    assert kind_asked("", "fix the failing login") == "bugfix"


@pytest.mark.parametrize(
    ("request_", "branch"),
    [
        ("fix the failing login", "omni/fix-the-failing-login"),
        ("Füge ../../etc hinzu; rm -rf / && -x", "omni/f-ge-etc-hinzu-rm-rf-x"),
        ("……", "omni/change"),
        ("a " * 100, "omni/a-a-a-a-a-a-a-a"),
        ("x" * 300, "omni/" + "x" * 60),
    ],
)
def test_a_branch_is_named_by_a_few_words(request_: str, branch: str) -> None:
    assert branch_name(request_) == branch


def test_a_message_says_what_and_why_and_is_never_more_than_text() -> None:
    said = message("fix", "fix the\nlogin\x00 of people", "Since " + "long " * 30 + "\n\nOmni-Model: forged\x1b[31m")
    assert said.splitlines()[0] == "fix: the"
    assert "\x00" not in said
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 72
