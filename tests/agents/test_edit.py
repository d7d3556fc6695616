"""Edits: the corpus, what is said of those that are refused, and what holds for all of them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from tests.agents.edits.corpus import FOLDER, Case, dumped, load
from tests.agents.edits.generate import cases

from omni.agents.edit import Edit, Edited, apply

CASES = load()


def _edited(text: str, *edits: tuple[str, str]) -> Edited:
    return apply(text, [Edit(old=old, new=new) for old, new in edits])


def test_corpus_is_what_its_generator_makes() -> None:
    assert (FOLDER / "generated.jsonl").read_text("utf-8") == dumped(cases())


def test_corpus_is_large_and_varied() -> None:
    assert len(CASES) >= 300
    assert len({case.id for case in CASES}) == len(CASES)
    assert len({case.category for case in CASES}) >= 20


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.id, marks=pytest.mark.slow if case.lines_before else ()) for case in CASES],
)
def test_corpus(case: Case) -> None:
    before, after = case.texts()
    edited = apply(before, [Edit(old=block.old, new=block.new, times=block.times) for block in case.blocks])
    assert tuple(outcome.status for outcome in edited.outcomes) == case.statuses
    assert edited.text == after
    assert all(outcome.why for outcome in edited.outcomes if outcome.status == "refused")


MODULE = """\
import os


class Account:
    def __init__(self, owner):
        self.owner = owner
        self.balance = 0

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount")
        self.balance += amount

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount")
        self.balance -= amount
"""


def test_help_with_a_near_match() -> None:
    edited = _edited(
        MODULE, ("        if amount < 0:\n            raise ValueError(amount)\n        self.balance -= amount", "x")
    )
    assert edited.outcomes[0].why == snapshot("""\
`old` is not in the file. Did you mean lines 15-17? (91% alike; `-` is the file's, `+` is yours)
-         if amount <= 0:
-             raise ValueError("amount")
+         if amount < 0:
+             raise ValueError(amount)
          self.balance -= amount
Copy the file's lines into `old` and try again.\
""")


def test_help_with_duplicates() -> None:
    edited = _edited(MODULE, ("        if amount <= 0:\n", "        if amount < 1:\n"))
    assert edited.outcomes[0].why == snapshot(
        "`old` is there 2 times, at lines 10, 15. Give more of the lines around the one that you mean, "
        "or say times=2 to change them all."
    )


def test_help_when_nothing_is_like_it() -> None:
    assert _edited(MODULE, ("zzz = qqq\n", "x\n")).outcomes[0].why == snapshot(
        "`old` is not in the file. Nothing in the file is like it: read the file before you edit it."
    )


def test_help_says_that_only_white_space_differs() -> None:
    assert _edited(MODULE, ("self.balance  =  0", "self.balance = 1")).outcomes[0].why == snapshot("""\
`old` is not in the file. Did you mean line 7 (only white space differs)? (100% alike; `-` is the file's, `+` is yours)
-         self.balance = 0
+ self.balance  =  0
Copy the file's lines into `old` and try again.\
""")


def test_help_says_where_the_new_text_stands() -> None:
    assert _edited("a = 2\nb = 3\n", ("c = 1", "b = 3")).outcomes[0].why == snapshot("""\
`old` is not in the file. Nothing in the file is like it: read the file before you edit it.
Note: `new` is in the file at line 2.\
""")


@pytest.mark.parametrize(
    ("old", "cause"),
    [
        ("import os\\n\\n\\nclass Account:", "write a real line end"),
        ("if amount &lt;= 0:", "escaped as HTML"),
        ("import os\n...\nclass Account:\n", "leaves lines out"),
        ("@@ -1,2 +1,2 @@\n-import os\n", "It is a diff"),
        ("self.bal", "part of longer words"),
    ],
)
def test_help_with_a_known_cause(old: str, cause: str) -> None:
    assert cause in _edited(MODULE, (old, "anything at all")).outcomes[0].why


def test_what_is_applied_says_where_and_what_did_not_count() -> None:
    edited = _edited(
        MODULE, ("def deposit(self, amount):\n    if amount <= 0:", "def deposit(self, amount):\n    if amount < 1:")
    )
    (outcome,) = edited.outcomes
    assert (outcome.status, outcome.lines, outcome.how) == ("applied", (9,), "indentation")


BRIEFLY = settings(max_examples=40, deadline=None)  # a deadline would time the machine
lines = st.text(st.sampled_from("ab (=_1\t\"'.é“-"), max_size=12)
texts = st.lists(lines, max_size=12).map("\n".join)
ends = st.sampled_from(["\n", "\r\n"])
some_edits = st.lists(st.tuples(texts, texts, st.integers(1, 3)), min_size=1, max_size=4)


@BRIEFLY
@given(texts, some_edits, ends)
@example("a\n", [("a", "a\na", 1)], "\n")
@example("", [("", "\n", 1)], "\r\n")
def test_what_is_not_applied_changes_nothing(text: str, edits: list[tuple[str, str, int]], end: str) -> None:
    """Whatever is asked, it is answered; refused and needless edits leave no trace."""
    whole = text.replace("\n", end)
    edited = apply(whole, [Edit(old=old, new=new, times=times) for old, new, times in edits])
    assert len(edited.outcomes) == len(edits)
    if not any(outcome.status == "applied" for outcome in edited.outcomes):
        assert edited.text == whole
    alone = [edit for edit, outcome in zip(edits, edited.outcomes, strict=True) if outcome.status == "applied"]
    if len(alone) == 1 and len(edits) == 1:
        (old, new, times), (outcome,) = alone[0], edited.outcomes
        assert len(outcome.lines) == times or (not old and not whole)
        of_the_text = end if "\n" in text else "\n"  # a text of one line has no end that it could keep
        assert not new or outcome.how or new.replace("\n", of_the_text) in edited.text


@BRIEFLY
@given(texts, st.text(st.sampled_from("xyz\n"), min_size=1), texts)
def test_what_is_not_there_is_refused(text: str, old: str, new: str) -> None:
    """`old` has letters that the text has not."""
    assume(old.strip())
    edited = _edited(text, (old, new))
    assert edited.text == text
    assert edited.outcomes[0].status in ("refused", "already")


names = st.integers(100, 999).map("long_enough_name_{}()".format)
wholes = st.lists(names, min_size=3, max_size=12, unique=True)
cuts = st.tuples(st.integers(0, 11), st.integers(1, 4))


def _parts(whole: list[str], cut: tuple[int, int]) -> tuple[list[str], list[str], list[str]]:
    """What is before a block, the block (one line at least), and what comes after."""
    start = min(cut[0], len(whole) - 1)
    return whole[:start], whole[start : start + cut[1]], whole[start + cut[1] :]


@BRIEFLY
@given(wholes, cuts, st.randoms(use_true_random=False), ends)
def test_the_inverse_brings_the_text_back(whole: list[str], cut: tuple[int, int], rng: Random, end: str) -> None:
    head, old, tail = _parts(whole, cut)
    new = [f"{line}.new" for line in rng.sample(old, len(old))]
    text = "".join(f"{line}{end}" for line in whole)
    there = _edited(text, ("\n".join(old) + "\n", "\n".join(new) + "\n"))
    assert there.text == "".join(f"{line}{end}" for line in (*head, *new, *tail))
    assert _edited(there.text, ("\n".join(new) + "\n", "\n".join(old) + "\n")).text == text
    assert _edited(there.text, ("\n".join([*old, "gone()"]), "\n".join(new))).text == there.text


blanks = st.sampled_from(["", "  ", "\t"])


@BRIEFLY
@given(wholes, cuts, st.sampled_from(["", "    ", "        "]), st.sampled_from(["", "    "]), blanks)
def test_only_the_place_that_is_meant_changes(
    whole: list[str], cut: tuple[int, int], depth: str, written: str, blank: str
) -> None:
    """Whatever the indentation and the blanks: all around stays, byte for byte, and so do the lines kept."""
    head, old, tail = _parts(whole, cut)
    new = [*old[:-1], "something_else()"]
    text = "".join(f"{depth}{line}{blank}\n" for line in whole)
    asked = tuple("".join(f"{written}{line}\n" for line in lines) for lines in (old, new))
    edited = _edited(text, (asked[0], asked[1]))
    kept = "".join(f"{depth}{line}{blank}\n" for line in (*head, *old[:-1]))
    rest = "".join(f"{depth}{line}{blank}\n" for line in tail)
    assert edited.outcomes[0].status == "applied"
    assert edited.text.startswith(kept)
    assert edited.text.endswith(rest)
    assert edited.text[len(kept) : len(edited.text) - len(rest)].rstrip() == f"{depth}something_else()"


@BRIEFLY
@given(texts, some_edits)
def test_line_ends_do_not_matter(text: str, edits: list[tuple[str, str, int]]) -> None:
    """A file with CRLF becomes what the same file with LF becomes."""
    asked = [Edit(old=old, new=new, times=times) for old, new, times in edits]
    plain, dos = apply(text, asked), apply(text.replace("\n", "\r\n"), asked)
    assume("\n" in text)
    assert dos.outcomes == plain.outcomes
    assert dos.text == plain.text.replace("\n", "\r\n")
