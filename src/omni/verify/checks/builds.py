"""The project builds from its own files alone, and twice the same.

Both run when `omni.toml` declares `[verify.build]`. Clean: a fresh copy of what git knows, no caches, no network;
packages only from the declared lock. Reproducible: built again at another place, with other times of files, umask,
locale, time zone, user and order of folders, and compared byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from omni.verify.analysis.rule import Rule, line_of, line_with
from omni.verify.check import Check, Context, Gap, Item
from omni.verify.deep.archives import difference
from omni.verify.deep.building import CLEAN, OTHER, build_in, made
from omni.verify.deep.play import last_words, scratch
from omni.verify.report import Severity, Status

FAILS = Rule(
    "clean-build",
    "fails",
    Severity.ERROR,
    why="It builds only where somebody has built before: with files, caches or packages that are in no commit.",
    fix="Clone the repository into an empty folder, build there, and commit or lock what is missing.",
)
NO_OUTPUT = Rule(
    "clean-build",
    "no-output",
    Severity.ERROR,
    why="The build says that it worked, and there is nothing to deliver.",
    fix="Correct `outputs` in [verify.build], or the command.",
)
DIFFERS = Rule(
    "reproducible-build",
    "differs",
    Severity.ERROR,
    why="Nobody can tell whether what is delivered was made from this source: each build is another.",
    fix="Take times from SOURCE_DATE_EPOCH, sort what is listed, and keep paths, users and umask out of what is built.",
)
NOTHING = "omni.toml declares no [verify.build]"


def run_clean(context: Context) -> Iterator[Item]:
    build = context.project.build
    if build is None:
        yield Gap(NOTHING, Status.SKIPPED)
        return
    with scratch() as folder:
        done = build_in(context, build, (CLEAN,), Path(folder)).steps[-1]
        outputs = made(Path(folder), CLEAN)
    if done.exit:
        yield _at(
            context, FAILS, f"`{' '.join(build.command)}` failed with exit code {done.exit}: {last_words(done.said)}"
        )
    elif not outputs:
        yield _at(context, NO_OUTPUT, f"nothing that it made is under {', '.join(build.outputs)}")


def run_reproducible(context: Context) -> Iterator[Item]:
    build = context.project.build
    if build is None or not build.reproducible:
        yield Gap(NOTHING if build is None else "omni.toml says reproducible = false", Status.SKIPPED)
        return
    with scratch() as folder:
        outcome = build_in(context, build, (CLEAN, OTHER), Path(folder))
        first, second = made(Path(folder), CLEAN), made(Path(folder), OTHER)
        last = outcome.steps[-1]
        if last.exit:
            yield Gap(f"the {last.name} build failed, so there is nothing to compare: {last_words(last.said)}")
            return
        if not first:
            yield Gap("the build made nothing that could be compared")
        for name in sorted(first.keys() ^ second.keys()):
            yield _at(context, DIFFERS, f"{name} was made by one of two builds only")
        for name in sorted(first.keys() & second.keys()):
            if what := difference(first[name], second[name]):
                yield _at(context, DIFFERS, f"two builds of {name} differ in {what}")


def _at(context: Context, rule: Rule, message: str) -> Item:
    file = context.inventory.by_path.get("omni.toml")
    text = context.text(file) if file else ""
    line = line_with(text, "[verify.build]")
    return rule.at("omni.toml" if file else "", line, message, snippet=f"{line_of(text, line)} {message[:80]}")


CHECKS = (
    Check(
        id="clean-build",
        title="The project builds from its own files alone",
        tier=3,
        globs=("**",),
        run=run_clean,
        network=True,
        works_offline=True,
        timeout=540,
    ),
    Check(
        id="reproducible-build",
        title="Two builds make the same bytes",
        tier=3,
        globs=("**",),
        run=run_reproducible,
        network=True,
        works_offline=True,
        timeout=540,
    ),
)
