"""The cost report: its sums are those of the ledger's records and of the disk."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, func, insert, select, update

from omni.cli.models import models
from omni.kernel import clock
from omni.kernel.artifacts import ArtifactStore
from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.kernel.tables import model_calls, stages
from omni.models import ledger
from omni.models.budget import Budget, budget_of
from omni.models.ledger import Asked, Cost
from omni.models.wire import Attribution, ChatReply, Message, Usage
from omni.pipeline.costs import NO_RUN, SHARED, Stored, cost_report, page
from omni.pipeline.run import RunOptions, create


def call(engine: Engine, run: str, stage: str, tokens: int, cost: Cost) -> str:
    begun = ledger.begin(engine, Attribution(run=run, stage=stage, role="author"), tokens, 10)
    assert isinstance(begun, Asked)
    message = Message(role="assistant")
    usage = Usage(prompt=tokens, completion=10)
    reply = ChatReply(message=message, finish="stop", usage=usage, provider="home", model="m")
    ledger.answered(engine, begun, reply, cost, keep=False)
    return begun.id


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two runs of one project and one of another, with calls, artifacts and packages; and a probe."""
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    engine, store = open_database(settings), ArtifactStore(settings.home / "artifacts")
    shop, again = (create(engine, "a shop", RunOptions(out=str(tmp_path / "shop"))).id for _ in range(2))
    change = create(engine, "mend it", RunOptions(repository=str(tmp_path / "repo"))).id
    for run in (shop, again, change):
        Budget.open(engine, run, 100_000)
    call(engine, shop, "implementation", 1_000, Cost(price=0.5, gpu_seconds=90.0))
    call(engine, again, "implementation", 2_000, Cost(price=0.25, gpu_seconds=30.0, wasted=40))
    call(engine, again, "review", 500, Cost(price=None))
    call(engine, change, "change", 300, Cost(price=0.0, gpu_seconds=6.0))
    call(engine, "", "probe", 70, Cost(price=0.0))
    old = call(engine, shop, "implementation", 9_000, Cost(price=9.0))
    begun = ledger.begin(engine, Attribution(run=change, stage="change"), 100, 10)
    assert isinstance(begun, Asked)
    ledger.failed(engine, begun, "HTTP 500", 100)
    named = store.put(b"x" * 1000)
    output = store.put(json.dumps({"report": named}).encode())
    store.put(b"nobody names this")
    with engine.begin() as connection:
        before = clock.now() - timedelta(days=8)
        connection.execute(update(model_calls).where(model_calls.c.id == old).values(asked_at=before))
        key = {"run_id": shop, "name": "implementation", "attempt": 0, "number": "2", "status": "passed"}
        connection.execute(insert(stages).values(**key, started_at=clock.now(), output=output))
    for path, size in (("shop/app.tar", 5000), (f"home/runs/{again}/audit.jsonl", 200), ("repo/its.own", 9)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"." * size)
    engine.dispose()
    return settings


def test_the_sums_are_those_of_the_raw_records(home: Settings, tmp_path: Path) -> None:
    engine = open_database(home)
    report = cost_report(home, engine, 7)
    shop, repository = str(tmp_path / "shop"), str(tmp_path / "repo")
    assert [(each.project, each.stage, each.took.tokens, each.took.price) for each in report.costs] == [
        (shop, "implementation", 3_060, 0.75),
        (shop, "review", 510, 0.0),
        (repository, "change", 410, 0.0),
        (NO_RUN, "probe", 80, 0.0),
    ]
    of_week = model_calls.c.asked_at >= report.since
    total = model_calls.c.prompt_tokens + model_calls.c.completion_tokens + model_calls.c.wasted_tokens
    columns = (func.count(), func.sum(total), func.sum(model_calls.c.gpu_seconds), func.sum(model_calls.c.price))
    with engine.connect() as connection:
        raw = connection.execute(select(*columns).where(of_week)).one()
    engine.dispose()
    assert tuple(raw) == (6, report.total.tokens, report.total.gpu_seconds, report.total.price)
    assert (report.total.calls, report.total.unpriced, report.total.gpu_seconds) == (6, 1, 126.0)


def test_the_table_of_a_run_sums_up_to_its_budget(home: Settings) -> None:
    """By agent and by stage, calls that failed included."""
    engine = open_database(home)
    with engine.connect() as connection:
        used = set(connection.execute(select(model_calls.c.run_id).where(model_calls.c.run_id != "")).scalars())
    for run in used:
        rows = ledger.usage(engine, ("stage", "role", "model"), run=run)
        state = budget_of(engine, run)
        assert state is not None
        assert sum(row.prompt + row.completion + row.wasted for row in rows) == state.used
    engine.dispose()


def test_storage_is_counted_once_and_adds_up(home: Settings, tmp_path: Path) -> None:
    engine = open_database(home)
    report = cost_report(home, engine, 7)
    engine.dispose()
    handoff = len(json.dumps({"report": f"sha256:{'0' * 64}"}))
    assert report.stored == (
        Stored(project=str(tmp_path / "shop"), size=5000 + 200 + 1000 + handoff),
        Stored(project=SHARED, size=len(b"nobody names this")),
    )
    on_disk = [path for name in ("home/artifacts", "home/runs", "shop") for path in (tmp_path / name).rglob("*")]
    assert report.stored_total == sum(path.stat().st_size for path in on_disk if path.is_file())


def test_it_is_shown_and_written(home: Settings, tmp_path: Path) -> None:
    def run(*argv: str) -> str:
        return CliRunner().invoke(models, ("report", *argv), catch_exceptions=False, standalone_mode=False).stdout

    shown = run().replace(str(tmp_path), "").splitlines()
    assert [" ".join(line.split()) for line in shown] == [
        "project stage calls tokens GPU min US$",
        "/shop implementation 2 3060 2.0 0.7500",
        "/shop review 1 510 0.0 0.0000",
        "/repo change 2 410 0.1 0.0000",
        "(no run) probe 1 80 0.0 0.0000",
        "all 6 4060 2.1 0.7500",
        "",
        "project GB",
        "/shop 0.000",
        "(of no run) 0.000",
        "all 0.000",
    ]
    run("--out", "week.json")
    assert json.loads(Path("week.json").read_text())["total"]["tokens"] == 4060
    run("--out", "week.html")
    assert "<td>4,060</td>" in Path("week.html").read_text().replace("\n", "")
    assert json.loads(run("--json"))["total"]["price"] == 0.75
    refused = CliRunner().invoke(models, ("report", "--out", "week.pdf"))
    assert (refused.exit_code, "ends with .html or .json" in refused.output) == (2, True)


def test_names_are_escaped(home: Settings) -> None:
    engine = open_database(home)
    run = create(engine, "x", RunOptions(out="/<script>")).id
    call(engine, run, "<b>", 10, Cost())
    shown = page(cost_report(home, engine, 7))
    engine.dispose()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
