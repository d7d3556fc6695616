"""The stages of a change, each from a known commit to a known commit, with what it saw as artifacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from omni.code.analysis import Analysis, analyse
from omni.code.document import render
from omni.pipeline.change import checkout, preserved, prompts, proof
from omni.pipeline.change.asked import (
    edited,
    environment_of,
    kind_of,
    message,
    newest,
    overview_of,
    source_of,
    start,
    tester_of,
    texts_of,
)
from omni.pipeline.change.handoffs import (
    BaselineHandoff,
    ComprehensionHandoff,
    EditHandoff,
    JudgedHandoff,
    ProofHandoff,
    RedHandoff,
)
from omni.pipeline.change.kinds import title_of
from omni.pipeline.change.suite import FEW, Suite, run_safely, settled
from omni.pipeline.change.worker import Assignment, Worker
from omni.pipeline.stage import Work
from omni.verify import repository
from omni.verify.engine import CheckEvent, verify
from omni.verify.outputs.summary import number
from omni.verify.plan import Options
from omni.verify.registry import checks
from omni.verify.report import Report


def comprehend(work: Work) -> ComprehensionHandoff:
    """Understand before anything is touched: the eight steps, each told and kept."""
    source = source_of(work)
    base = repository.commit(source, "HEAD")
    checkout.clone(source, base, work.workspace)
    analysis = analyse(work.workspace.path)
    for place, (step, said) in enumerate(_steps(analysis), 1):
        work.emit("comprehension", step=place, what=step, said=said)
    document = work.store.put(render(analysis, source.name).encode())
    return ComprehensionHandoff(base=base, analysis=work.put(analysis), document=document)


def _steps(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    files = number(len(analysis.files), "file")
    code = sum(each.language not in {"", "configuration"} for each in analysis.files)
    imports = sum(map(len, analysis.imports.values()))
    tests, trace = sum(each.tests for each in analysis.tests), analysis.trace
    counts = Counter(each.kind for each in analysis.problems)
    return (
        ("files", f"{files}, {code} of them code or documents, {number(analysis.lines, 'line')}"),
        ("dependencies", f"{number(imports, 'import')} between files, {number(len(analysis.cycles), 'cycle')}"),
        ("entry points", f"{len(analysis.entry_points)}: " + ", ".join(e.what for e in analysis.entry_points[:5])),
        ("one request traced", f"{trace.entry.what}: {number(len(trace.calls), 'call')}" if trace else "none"),
        ("patterns", ", ".join(each.name for each in analysis.patterns[:6]) or "none that is known"),
        ("problems", ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none"),
        ("tests", f"{number(tests, 'test')} in {number(len(analysis.tests), 'file')}"),
        ("documentation", f"{number(analysis.claims, 'claim')} compared, {len(analysis.stale)} wrong"),
    )


def baseline(work: Work) -> BaselineHandoff:
    """How it is before: the whole suite, and verification."""
    base = work.handoff(ComprehensionHandoff, "comprehension").base
    work.workspace.restore(base)
    suite = run_safely(tester_of(work))
    work.emit("progress", text=f"tests before: {suite.told}")
    if suite.problem:
        reasons = (f"The tests could not be run: {suite.problem}",)
        return BaselineHandoff(passed=False, reasons=reasons, suite=work.put(suite))
    suite, flaky = _settled(work, suite, suite.named("failed"))
    return BaselineHandoff(suite=work.put(suite), report=work.put(examine(work)), flaky=flaky)


def test_first(work: Work, worker: Worker) -> RedHandoff:
    """A test that fails on the present code for the right reason, proved by running it."""
    kind, base = kind_of(work), work.handoff(ComprehensionHandoff, "comprehension").base
    tried = newest(work, RedHandoff, "test-first")
    work.workspace.restore(tried.commit if tried else base)
    assignment = Assignment(
        role="tester",
        instructions=prompts.test_first(
            kind, work.run.request, tester_of(work).by_hand, tried.reasons if tried else ()
        ),
        context=(overview_of(work),),
        goes_on=tried.unfinished if tried else "",
    )
    done = worker(work, assignment)
    trailers = work.trailers("tester") | {"Omni-Model": done.model, "Omni-Prompt": done.prompt}
    commit = _commit(work, base, message("test", work.run.request, done.summary), trailers)
    touched = [each.path for each in checkout.changed(work.workspace, base, commit)]
    before = work.read(Suite, work.handoff(BaselineHandoff, "baseline").suite)
    now = run_safely(tester_of(work)) if touched else Suite(problem="nothing was written")
    now, _ = _settled(work, now, now.named("failed") - before.named("failed"))
    red, reasons = proof.judge_tests_first(before, now, touched, kind)
    for name in red:
        work.emit("note", text=f"fails as it should: {name}: {now.tests[name].message}")
    return RedHandoff(
        passed=bool(red) and not reasons,
        reasons=reasons,
        commit=commit,
        suite=work.put(now),
        red=red,
        why={name: now.tests[name].message for name in red},
        files=tuple(touched),
        ended=done.ended,
        summary=done.summary,
        model=done.model,
        unfinished=done.unfinished,
    )


def edit(work: Work, worker: Worker) -> EditHandoff:
    """The change itself; again with what the proof or the review said when it was not accepted."""
    kind, first = kind_of(work), newest(work, RedHandoff, "test-first")
    tried, proof = edited(work), newest(work, ProofHandoff, "proof")
    judged = newest(work, JudgedHandoff, "change-review")
    against = (*(proof.reasons if proof else ()), *(judged.reasons if judged else ()))
    begin = start(work)
    work.workspace.restore(tried.commit if tried else begin)
    red = [f"{name}: {why}" for name, why in first.why.items()] if first else []
    assignment = Assignment(
        role="developer",
        instructions=prompts.edit(kind, work.run.request, red, tester_of(work).by_hand, against),
        context=(overview_of(work),),
        protected=first.files if first else (),
        goes_on=tried.unfinished if tried else "",
    )
    done = worker(work, assignment)
    trailers = work.trailers("developer") | {"Omni-Model": done.model, "Omni-Prompt": done.prompt}
    commit = _commit(work, begin, message(title_of(kind), work.run.request, done.summary), trailers)
    changed = bool(checkout.changed(work.workspace, tried.commit if tried else begin, commit))
    reasons = () if changed else (f"Nothing was changed; the session ended: {done.ended}. {done.summary}".strip(),)
    return EditHandoff(
        passed=changed,
        reasons=reasons,
        commit=commit,
        changed=changed,
        ended=done.ended,
        summary=done.summary,
        model=done.model,
        unfinished=done.unfinished,
    )


def _commit(work: Work, start: str, text: str, trailers: Mapping[str, str]) -> str:
    """Everything since `start` as one commit, however many attempts it took."""
    work.workspace.git("reset", "-q", "--soft", start)
    return work.workspace.commit(text, trailers)


def prove(work: Work) -> ProofHandoff:
    """How it is afterwards: the new tests pass, nothing that passed is broken, no new finding at error."""
    before = work.handoff(BaselineHandoff, "baseline")
    first = newest(work, RedHandoff, "test-first")
    made = edited(work)
    commit = made.commit if made else start(work)
    work.workspace.restore(commit)
    tester = tester_of(work)
    earlier, now = work.read(Suite, before.suite), run_safely(tester)
    work.emit("progress", text=f"tests after: {now.told}")
    suspects = earlier.named("passed") & now.named("failed")
    flaky: tuple[str, ...] = ()
    if len(suspects) <= FEW and not tester.project.tests.command:
        now, flaky = _settled(work, now, suspects)
    red = first.red if first else ()
    reasons = [now.problem] if now.problem else []
    reasons += [*proof.not_green(red, now), *proof.broken(earlier, now)]
    reasons += _touched_tests(work, first)
    reasons += _not_kept(work, commit)
    report, earlier_report = None, work.read(Report, before.report)
    if not reasons:  # what fails its tests is sent back at once
        report = examine(work)
        if again := proof.lost(earlier_report, report):  # they may have been in each other's way
            second = {result.check: result for result in examine(work, tuple(again)).results}
            results = tuple(second.get(each.check, each) for each in report.results)
            report = report.model_copy(update={"results": results})
        found = proof.new_errors(earlier_report, report)
        reasons += [f"new finding: {e.check}/{e.rule} at {e.path}:{e.line or ''} {e.message}" for e in found]
    return ProofHandoff(
        passed=not reasons,
        reasons=tuple(reasons),
        commit=commit,
        suite=work.put(now),
        report=work.put(report) if report else "",
        not_compared=proof.not_compared(earlier_report, report) if report else (),
        lost=tuple(f"{name}: {why}" for name, why in proof.lost(earlier_report, report).items()) if report else (),
        green=tuple(name for name in red if name in now.named("passed")),
        flaky=flaky,
    )


def _settled(work: Work, suite: Suite, suspects: Collection[str]) -> tuple[Suite, tuple[str, ...]]:
    """Like `settled`; each that fails only now and then is told by name: it proves nothing, for or against."""
    suite, flaky = settled(tester_of(work), suite, suspects)
    for name in flaky:
        work.emit("note", text=f"fails only now and then: {name}")
    return suite, flaky


def _touched_tests(work: Work, first: RedHandoff | None) -> list[str]:
    """The new tests are as the tester left them. The tools protect them; this looks at what came of it."""
    if first is None:
        return []
    made = edited(work)
    tip = made.commit if made else start(work)
    since = {each.path for each in checkout.changed(work.workspace, first.commit, tip)}
    return [f"{path} was changed after it was proved" for path in sorted(since & set(first.files))]


def _not_kept(work: Work, tip: str) -> list[str]:
    """What callers, and visitors, had before and have not any more; of a refactoring, that it made nothing simpler."""
    understood, kind, request = work.handoff(ComprehensionHandoff, "comprehension"), kind_of(work), work.run.request
    then, now = texts_of(work, understood.base, tip)
    if kind == "migration":
        return preserved.lost_routes(work.read(Analysis, understood.analysis), analyse(work.workspace.path))
    kept = preserved.broken_promises(kind, request, then, now)
    if kind == "refactor":
        before, after = preserved.size(then), preserved.size(now)
        work.emit("progress", text=f"size before: {before}; after: {after}")
        kept += [*preserved.no_simpler(request, before, after), *preserved.weakened(then, now)]
    return kept


def examine(work: Work, only: tuple[str, ...] = ()) -> Report:
    """Tiers 1 and 2 over the workspace, without the tests, which run on their own; or some checks of them."""
    wanted = tuple(check.id for check in checks() if check.tier in (1, 2) and check.id != "tests" and not check.profile)
    options = Options(only=only or wanted, environment=environment_of(work))

    def told(event: CheckEvent) -> None:
        if event.kind != "setup":
            work.emit("check", check=event.check, status=event.result.status.value if event.result else "started")

    return verify(work.workspace.path, options, work.settings, told)
