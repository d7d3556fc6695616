"""What goes wrong between threads and coroutines of Python: lost updates, both at once, locks that wait for each other.

Where a race detector that runs the program is not at hand, and beside it: it sees only the interleavings that happen.
"""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.program import read_program
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.concurrency import coroutines, order, races
from omni.verify.concurrency.summary import Summary
from omni.verify.report import Severity

WHY_RACE = "It goes right in every test, and wrong under load, where nobody can repeat it."
WITH_LOCK = "Do all of it within `with lock:`, the check and the act too, in each place that changes it."
RULES = {
    "unguarded": Rule("races", "unguarded", Severity.ERROR, WHY_RACE, WITH_LOCK, "CWE-362"),
    "lock-order": Rule(
        "races",
        "lock-order",
        Severity.ERROR,
        "The program stands still until somebody kills it.",
        "Take the two locks in the same order everywhere, or let go of the first before the second is taken.",
        "CWE-833",
    ),
    "taken-twice": Rule(
        "races",
        "taken-twice",
        Severity.ERROR,
        "The program stands still the first time that it comes here.",
        "Call a variant that expects the lock to be held, or make it a threading.RLock.",
        "CWE-833",
    ),
    "awaits-in-between": Rule(
        "races",
        "awaits-in-between",
        Severity.WARNING,
        WHY_RACE,
        "Hold an asyncio.Lock from the check to the act, or store what is awaited (a task) before the await.",
        "CWE-367",
    ),
    "loop-from-thread": Rule(
        "races",
        "loop-from-thread",
        Severity.ERROR,
        "Nothing in asyncio is safe to use from another thread; the loop may sleep on for ever.",
        "Use loop.call_soon_threadsafe(…), or asyncio.run_coroutine_threadsafe(…) for a coroutine.",
        "CWE-820",
    ),
}


def run(context: Context) -> Iterator[Item]:
    yield from (tree for _, tree in context.parsed_python() if isinstance(tree, Unseen))
    summary = Summary(read_program(context))
    sources = (
        races.inconsistent(summary),
        races.unguarded(summary),
        order.deadlocks(summary),
        coroutines.interleaved(summary),
        coroutines.from_threads(summary),
    )
    for race in dict.fromkeys(each for source in sources for each in source):
        rule = RULES[race.rule]
        found = rule.at(race.path, race.line, race.message, snippet=race.snippet)
        yield found if race.sure else found.model_copy(update={"severity": Severity.WARNING})


CHECK = Check(
    id="races",
    title="Threads and coroutines do not undo each other's work",
    tier=3,
    languages=("python",),
    run=run,
)
