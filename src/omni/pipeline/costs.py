"""What the last days took: tokens, GPU time and money by project and stage, and what each project keeps on disk.

A project is the repository that was changed, or the folder that a package was written to; a run without either is its
own. The sums are those of the ledger, call by call. What several projects share is counted for the oldest of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy import Engine, select

from omni.kernel import clock
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.settings import Settings
from omni.kernel.tables import agent_log, runs, stages
from omni.models.ledger import UsageRow, usage
from omni.models.wire import Model
from omni.pipeline.run import RunOptions

NO_RUN = "(no run)"
"""Whose calls belong to no run: probes, and programs that ask `omni serve models`."""
SHARED = "(of no run)"
"""Artifacts that no run refers to any more."""
MOST_READ = 4 << 20
"""Bytes of an artifact that is looked through for others that it names."""
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")


class Took(Model):
    """What calls took together."""

    calls: int = 0
    tokens: int = 0
    """Of questions, replies, and questions asked in vain."""
    gpu_seconds: float = 0.0
    price: float = 0.0
    """US dollars, where the price is known."""
    unpriced: int = 0
    """Calls of models without a known price."""

    def plus(self, other: Took) -> Took:
        return Took(
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            gpu_seconds=self.gpu_seconds + other.gpu_seconds,
            price=self.price + other.price,
            unpriced=self.unpriced + other.unpriced,
        )


class Costs(Model):
    project: str
    stage: str
    took: Took


class Stored(Model):
    project: str
    size: int
    """Bytes."""


class CostReport(Model):
    since: datetime
    until: datetime
    costs: tuple[Costs, ...]
    """Most tokens first."""
    total: Took
    stored: tuple[Stored, ...]
    """As it is now; largest first."""
    stored_total: int


def cost_report(settings: Settings, engine: Engine, days: int) -> CostReport:
    """The report of the last `days`."""
    until = clock.now()
    since = until - timedelta(days=days)
    projects = _projects(engine)
    sums: defaultdict[tuple[str, str], Took] = defaultdict(Took)
    for row in usage(engine, ("run", "project", "stage"), since=since):
        run, named, stage = row.key
        key = (named or projects.get(run) or NO_RUN, stage or "-")
        sums[key] = sums[key].plus(_took(row))
    costs = (Costs(project=project, stage=stage, took=took) for (project, stage), took in sums.items())
    stored = _stored(settings, engine, projects)
    total = Took()
    for took in sums.values():
        total = total.plus(took)
    return CostReport(
        since=since,
        until=until,
        costs=tuple(sorted(costs, key=lambda each: (-each.took.tokens, each.project, each.stage))),
        total=total,
        stored=tuple(sorted(stored, key=lambda each: (-each.size, each.project))),
        stored_total=sum(each.size for each in stored),
    )


def page(report: CostReport) -> str:
    """The report as one HTML page."""
    environment = Environment(
        loader=PackageLoader("omni.pipeline", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("costs.html.jinja").render(report=report)


def _took(row: UsageRow) -> Took:
    return Took(
        calls=row.calls,
        tokens=row.prompt + row.completion + row.wasted,
        gpu_seconds=row.gpu_seconds,
        price=row.price,
        unpriced=row.unpriced,
    )


def _projects(engine: Engine) -> dict[str, str]:
    """Run → project, oldest run first."""
    with engine.connect() as connection:
        rows = connection.execute(select(runs.c.id, runs.c.options).order_by(runs.c.created_at, runs.c.id)).all()
    options = {row.id: RunOptions.model_validate(row.options) for row in rows}
    return {run: chosen.repository or chosen.out or f"run {run}" for run, chosen in options.items()}


def _stored(settings: Settings, engine: Engine, projects: dict[str, str]) -> list[Stored]:
    store, taken = ArtifactStore(settings.home / "artifacts"), set[str]()
    sizes: defaultdict[str, int] = defaultdict(int)
    roots = _roots(engine)
    packages = {Path(name) for name in projects.values()} & {Path(out) for out in _outs(engine)}
    for run, project in projects.items():
        sizes[project] += _size(settings.home / "runs" / run) + _reached(store, roots[run], taken)
    for package in packages:
        sizes[str(package)] += _size(package)
    if rest := _size(store.root) - sum(store.path(digest).stat().st_size for digest in taken):
        sizes[SHARED] += rest
    return [Stored(project=project, size=size) for project, size in sizes.items() if size]


def _outs(engine: Engine) -> set[str]:
    """The folders of packages; a repository that was changed is its owner's, and not counted."""
    with engine.connect() as connection:
        chosen = [RunOptions.model_validate(row) for row in connection.execute(select(runs.c.options)).scalars()]
    return {each.out for each in chosen if each.out and not each.repository}


def _roots(engine: Engine) -> defaultdict[str, set[str]]:
    """Run → the artifacts that its stages and sessions name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    snapshot = agent_log.c.data["snapshot"].as_string()
    with engine.connect() as connection:
        for run, output in connection.execute(select(stages.c.run_id, stages.c.output)):
            found[run].add(str(output))
        for session, name in connection.execute(select(agent_log.c.session, snapshot)):
            found[session.partition("/")[0]].add(str(name))
    return found


def _reached(store: ArtifactStore, roots: set[str], taken: set[str]) -> int:
    """Bytes of the artifacts that these name, and those again, as far as nobody has them before."""
    size, todo = 0, list(roots)
    while todo:
        digest = todo.pop()
        if digest in taken or not _DIGEST.fullmatch(digest.encode()) or not (path := store.path(digest)).is_file():
            continue
        taken.add(digest)
        size += (own := path.stat().st_size)
        if own <= MOST_READ:
            todo += {name.decode() for name in _DIGEST.findall(path.read_bytes())}
    return size


def _size(folder: Path) -> int:
    """Bytes of the files in a folder; links are not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
