from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot

from omni.cli.budget import budget
from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import load_settings
from omni.models import ledger
from omni.models.budget import Budget
from omni.models.ledger import Asked, Cost
from omni.models.wire import Attribution, ChatReply, Message, Usage
from omni.pipeline.run import RunOptions, create


@pytest.fixture
def run_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that has used 950 of its 1,000 tokens."""
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    engine = open_database(load_settings())
    made = create(engine, "a todo app", RunOptions(out=str(tmp_path / "out"))).id
    Budget.open(engine, made, 1_000)
    for role, prompt in (("author", 700), ("reviewer", 150)):
        attribution = Attribution(run=made, stage="implementation", role=role)
        asked = ledger.begin(engine, attribution, prompt, 50)
        assert isinstance(asked, Asked)
        reply = ChatReply(
            message=Message(role="assistant"),
            finish="stop",
            usage=Usage(prompt=prompt, completion=50),
            provider="home",
            model="m",
        )
        ledger.answered(engine, asked, reply, Cost(price=0.25), keep=False)
    engine.dispose()
    return made


def called(*argv: str) -> Result:
    return CliRunner().invoke(budget, argv, catch_exceptions=False, standalone_mode=False)


def test_a_budget_is_shown_by_who_used_it_and_raised(run_id: str) -> None:
    assert called(run_id).stdout == snapshot("""\
950 used of 1,000 tokens (100 %), 50 kept for packaging; paused until it is raised (--raise-to)
         750 tokens     1 calls    0.2500 $  implementation  author  m
         200 tokens     1 calls    0.2500 $  implementation  reviewer  m
""")
    raised = json.loads(called(run_id, "--raise-to", "medium", "--json").stdout)
    assert {key: raised[key] for key in ("tokens", "used", "paused", "percent")} == {
        "tokens": 200_000,
        "used": 950,
        "paused": False,
        "percent": 0,
    }
    assert [row["key"] for row in raised["by"]] == [
        ["implementation", "author", "m"],
        ["implementation", "reviewer", "m"],
    ]


def test_what_is_no_raise_is_refused(run_id: str) -> None:
    with pytest.raises(OmniError, match="900 tokens are not more than the 950 used"):
        called(run_id, "--raise-to", "900")
    with pytest.raises(click.BadParameter, match="say a number of tokens, or one of simple, medium"):
        called(run_id, "--raise-to", "plenty")
