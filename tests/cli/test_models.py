from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inline_snapshot import snapshot

from omni.cli.models import models
from omni.kernel.database import open_database
from omni.kernel.errors import Exit, OmniError
from omni.kernel.settings import load_settings
from omni.models.ledger import Asked, Cost, answered, begin
from omni.models.script import Rule, Script, serve
from omni.models.wire import Attribution, ChatReply, Message, Usage

RULES = (
    Rule.model_validate(
        {"match": {"tool": "add"}, "reply": {"tool_calls": [{"name": "add", "arguments": {"a": 1}}]}, "times": 0}
    ),
    Rule.model_validate({"match": {}, "reply": "ready, one two three", "times": 0}),
)


def run(*argv: str, check: bool = False) -> Result:
    return CliRunner().invoke(models, argv, catch_exceptions=False, standalone_mode=False)


def lines(*argv: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*argv, "--json").stdout.splitlines()]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A scripted server, and an Omni home of one's own."""
    monkeypatch.setenv("OMNI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with serve(Script(rules=RULES, models=("qwen3-coder:30b", "tiny"))) as served:
        yield served


def test_the_catalog(url: str) -> None:
    found = lines("list")
    assert (found[-1]["providers"] >= 50, found[-1]["models"] >= 50) == (True, True)
    assert {line["type"] for line in found} == {"provider", "model", "result"}
    text = run("list").stdout
    assert "qwen3-coder-30b" in text
    assert "https://api.groq.com/openai/v1" in text
    assert lines("list", "--enabled") == [{"type": "result", "endpoints": 0, "models": 0}]


def test_add_list_route_remove(url: str) -> None:
    assert run("add", "local", "--base-url", url).stdout.splitlines() == [
        f"local: openai-compatible (local) at {url}",
        "qwen3-coder-30b  qwen3-coder:30b  fast  262,144",
        "tiny             tiny             fast  ?",
    ]
    assert run("list", "--enabled").stdout.replace(url, "URL") == snapshot("""\
endpoint  model            for   context  abilities  VRAM   address
local     qwen3-coder-30b  fast  262,144  tools      19 GB  URL
local     tiny             fast  ?        -          ?      URL
""")
    endpoint, _ = lines("list", "--enabled")
    assert [model["wire_name"] for model in endpoint["models"]] == ["qwen3-coder:30b", "tiny"]
    assert lines("add", "second", "--base-url", url, "--model", "tiny")[0]["models"][0]["id"] == "tiny"
    order = [(line["endpoint"], line["place"]) for line in lines("route", "tiny")[:-1]]
    assert order == [("local/tiny", 1), ("second/tiny", 2), ("local/qwen3-coder-30b", 3)]
    skipped = run("route", "--vision", "--tokens", "300000", "--not", "tiny")
    assert (skipped.return_value, skipped.stdout) == snapshot(
        (
            Exit.INCOMPLETE,
            """\
 -  local/qwen3-coder-30b             it sees no pictures
 -  local/tiny                        it must not answer this
 -  second/tiny                       it must not answer this
""",
        )
    )
    assert run("remove", "local").stdout == "local is not asked any more\n"
    assert lines("remove", "second") == [{"type": "result", "removed": "second"}]
    assert lines("route") == [{"type": "result", "asked": 0, "skipped": 0}]


def test_probe(url: str) -> None:
    run("add", "local", "--base-url", url, "--model", "tiny")
    probed = run("probe", "local", "--context", "1000")
    assert probed.return_value == 0
    assert [line[:30].split() for line in probed.stdout.splitlines()][:5] == snapshot(
        [
            ["local/tiny"],
            ["ok", "answers", "“ready,", "one", "t"],
            ["ok", "streams", "4", "pieces,", "the"],
            ["FAIL", "tools", "arguments", "tha"],
            ["FAIL", "schema", "not", "kept", "(cus"],
        ]
    )
    report, result = lines("probe", "--context", "1000")
    assert (report["type"], report["endpoint"], report["model"]) == ("probe", "local", "tiny")
    assert "it doesn't find what stands in a short text." in report["fit"]
    assert result == {"type": "result", "models": 1, "answered": 1}


def test_what_is_not_enabled_is_not_asked(url: str) -> None:
    for argv in (("probe",), ("probe", "groq"), ("route", "kimi-k2.5"), ("remove", "groq")):
        with pytest.raises(OmniError) as caught:
            run(*argv)
        assert caught.value.kind.code == "M005"


def test_usage_shows_what_servers_had_at_hand_for_each_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_HOME", str(tmp_path))
    engine = open_database(load_settings({}))
    for number in range(2):
        attribution = Attribution(run="r", stage="implementation", role="developer", call=str(number))
        asked = begin(engine, attribution, 400, 100)
        assert isinstance(asked, Asked)
        usage = Usage(prompt=400, cached=300 * number, completion=10)
        reply = ChatReply(
            message=Message(role="assistant", content="."), finish="stop", usage=usage, provider="local", model="m"
        )
        answered(engine, asked, reply, Cost(), keep=True)
    engine.dispose()
    (row, _) = lines("usage", "--by", "role")
    assert (row["key"], row["prompt"], row["cached"], row["at_hand"]) == (["developer"], 800, 300, 0.375)
    shown = CliRunner().invoke(models, ("usage", "--by", "role")).output
    assert shown.splitlines()[-1].split()[:4] == ["developer", "2", "800", "38%"]


def test_usage_by_what_is_asked(url: str) -> None:
    assert lines("usage", "--by", "run,model", "--days", "7")[-1]["calls"] == 0
    refused = CliRunner().invoke(models, ("usage", "--by", "mood"))
    assert (refused.exit_code, "mood: not one of run, project" in refused.output) == (2, True)


def test_gpus(url: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home/models.toml").write_text('[[gpu]]\nname = "card"\nvram_gb = 24\n')
    card, *rows, result = lines("gpus")
    assert (card["name"], card["free_gb"]) == ("card", 24.0)
    assert {row["id"]: row["fits"] for row in rows}["qwen3-coder-30b"] == "card"
    assert result["models_that_fit"] == sum(bool(row["fits"]) for row in rows)
    assert run("gpus").stdout.startswith("card: 24.0 GB free\n")
