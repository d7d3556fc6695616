"""One verification: what its checks share, and how they are run together."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from omni.kernel.clock import now
from omni.kernel.settings import Settings
from omni.verify import toollock
from omni.verify.cache import Cache
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.config import ProjectConfig
from omni.verify.environment import find_environment
from omni.verify.examine import analyse, conclude
from omni.verify.execution import Execution, Resources
from omni.verify.files import Inventory, Look, take_inventory
from omni.verify.files import examine as look_at
from omni.verify.gate import concessions
from omni.verify.plan import AtHand, Options, Planned, changed_files, looked_at, plan, without
from omni.verify.profile import get
from omni.verify.report import CheckResult, Report, Status
from omni.verify.schedule import Done, Schedule, Task, can_share
from omni.verify.tools import BASE

if TYPE_CHECKING:
    from omni.sandbox.job import Driver
    from omni.verify.tools import Tools

SOURCE = frozenset({"python", "javascript", "typescript"})
"""Languages that the first tier works hard on."""


@dataclass(frozen=True)
class CheckEvent:
    """For live progress. `setup` has a message, `finished` a result."""

    kind: Literal["setup", "started", "finished"]
    check: str = ""
    tier: int = 0
    message: str = ""
    result: CheckResult | None = None
    last: str = ""
    """Of what runs, the only check that has not ended yet."""


Tell = Callable[[CheckEvent], None]


def _nothing(_check: Check) -> str:
    return ""


@dataclass
class Session:
    options: Options
    settings: Settings
    project: ProjectConfig
    cache: Cache
    scratch: Path
    """An empty folder, deleted afterwards."""
    tell: Tell
    look: Look = look_at
    """How a file is looked at."""
    holds_until: float = math.inf
    """Unix time until which all that was said holds if nothing changes."""

    @cached_property
    def resources(self) -> Resources:
        resources = Resources(self._tools, self._driver, self.scratch, self.options.trusted)
        resources.say = self._say
        return resources

    def _tools(self, toolset: str) -> Tools:
        from omni.verify.tools import open_tools

        return open_tools(self.settings.home, self.settings.offline, self._say, toolset)

    def _missing(self, check: Check) -> str:
        from omni.verify.tools import missing

        return missing(check, self.settings.home)

    def _differs(self, root: Path) -> Callable[[Check], str]:
        locked = toollock.read(root)
        return lambda check: toollock.difference(locked, check)

    def _driver(self) -> Driver:
        from omni.sandbox import choose  # loaded only when something runs in it

        return choose(self.settings)

    def _say(self, text: str) -> None:
        self.tell(CheckEvent("setup", message=text))

    def contexts(self, checks: Iterable[Check], root: Path) -> list[Context]:
        """Each check with all its inputs, as nothing had been looked at yet."""
        inventory = self.inventory(root)
        changed = changed_files(self.options, inventory)
        at_hand = AtHand(self._missing, self._differs(root))
        plans = (plan(check, self.context(check, inventory), changed, self.cache, at_hand) for check in checks)
        return [planned.context for planned in plans if isinstance(planned, Planned)]

    def examine(
        self, checks: Sequence[Check], root: Path, changed_only: bool = True, inventory: Inventory | None = None
    ) -> tuple[Inventory, tuple[CheckResult, ...]]:
        """Run the checks on the folder; results by tier and id, whatever the order in which they ended."""
        inventory = inventory or self.inventory(root)
        changed = changed_files(self.options, inventory) if changed_only else None
        at_hand = AtHand(self._missing, self._differs(root) if changed_only else _nothing)
        elsewhere = self.options.elsewhere
        planned = [
            without(check, Status.SKIPPED, elsewhere[check.id])
            if check.id in elsewhere
            else plan(check, self.context(check, inventory), changed, self.cache, at_hand)
            for check in checks
        ]
        results = [each for each in planned if isinstance(each, CheckResult)]
        waiting = []
        for each in planned:
            if isinstance(each, Planned):
                self.holds_until = min(self.holds_until, each.remembered.until)
            if isinstance(each, Planned) and each.remembered.complete:
                results.append(self._result(each, (), 0.0, cached=True))
            elif isinstance(each, Planned):
                waiting.append(each)
        results += self._run(waiting)
        return inventory, tuple(sorted(results, key=lambda result: (result.tier, result.check)))

    def inventory(self, root: Path) -> Inventory:
        """Every file of the project that is not excluded."""
        return take_inventory(root, {each.path: each.because for each in self.project.exclude}, self.look)

    def context(self, check: Check, inventory: Inventory) -> Context:
        """What a check may look at, its inputs not chosen yet."""
        environment = find_environment(inventory.root, self.options.environment, self.project)
        return Context(
            check=check,
            root=inventory.root,
            files=(),
            inventory=inventory,
            project=self.project,
            execution=Execution(self.resources),
            environment=environment,
            offline=self.settings.offline,
            cache=self.settings.home / "cache" / "checks" / check.id,
            facts=self.cache.facts,
            base=self.options.base,
        )

    def _run(self, waiting: Sequence[Planned]) -> list[CheckResult]:
        checks = [each.context.check for each in waiting]
        # A check that has a function of its own may find that it does not apply, and so need nothing.
        needed = {check.toolset for check in checks if check.tool and (check.toolset == BASE or not check.run)}
        self.resources.prepare_tools(sorted(needed))  # before the clock of a tier starts
        by_task = {self._task(each): each for each in waiting}
        cpus, deadlines = self.options.jobs or len(os.sched_getaffinity(0)), self.settings.tier_deadlines
        files = waiting[0].context.inventory.files if waiting else ()
        source = sum(file.size for file in files if file.language in SOURCE)
        schedule = Schedule(
            cpus,
            deadlines,
            lambda check: self.tell(CheckEvent("started", check.id, check.tier)),
            can_share(list(by_task), source, cpus, deadlines),
        )
        results = []
        for done in schedule.run(list(by_task)):
            planned = by_task.pop(done.task)
            last = next(iter(by_task)).check.id if len(by_task) == 1 else ""
            results.append(self._conclude(planned, done, last))
        return results

    def _task(self, planned: Planned) -> Task:
        context = replace(planned.context, files=planned.remembered.missing)

        def work(deadline: float) -> list[Item]:
            context.cache.mkdir(parents=True, exist_ok=True)
            return analyse(replace(context, execution=Execution(self.resources, deadline)))

        return Task(context.check, self.cache.expected_seconds(context), work)

    def _conclude(self, planned: Planned, done: Done, last: str) -> CheckResult:
        kept = done.on_time and self.cache.remember(planned.context, planned.remembered.missing, done.items)
        if not kept:
            self.holds_until = 0.0
        not_needed = any(isinstance(item, Gap) and item.status is Status.SKIPPED for item in done.items)
        if done.on_time and not not_needed:
            self.cache.took(planned.context, done.seconds)
        return self._result(planned, done.items, done.seconds, cached=False, last=last)

    def _result(
        self, planned: Planned, items: Iterable[Item], seconds: float, *, cached: bool, last: str = ""
    ) -> CheckResult:
        said = tuple(dict.fromkeys((*planned.remembered.items, *items)))  # each file may say the same of the whole
        result = conclude(planned.context, said, planned.coverage, now().date())
        result = result.model_copy(update={"seconds": seconds, "cached": cached})
        check = planned.context.check
        self.tell(CheckEvent("finished", check.id, check.tier, result=result, last=last))
        return result

    def report(
        self,
        target: Path,
        checks: Sequence[Check],
        inventory: Inventory,
        results: tuple[CheckResult, ...],
        commit: str,
        seconds: float,
    ) -> Report:
        ran = {result.check for result in results if result.status is not Status.SKIPPED}
        inputs = (inventory.matching(check.languages, check.globs) for check in checks if check.id in ran)
        seen = {file.path for files in inputs for file in files if not file.problem}
        return Report(
            target=str(target),
            tiers=tuple(sorted({check.tier for check in checks})),
            results=results,
            seconds=seconds,
            isolation=self.resources.isolation,
            baseline=commit,
            changed=(self.options.base or "HEAD") if self.options.changed else "",
            policy=(
                *(f"profile {name}: {get(name).title}" for name in self.project.profiles),
                *concessions(self.project),
            ),
            files=looked_at(inventory, results, seen),
            holds_until=self.holds_until,
        )
