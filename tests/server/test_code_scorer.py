"""The code scorer as its callers see it: real verification, a scripted judge, scores that stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.agents.speaking import Speaker

from omni.kernel.database import open_database
from omni.kernel.settings import Settings, load_settings
from omni.review.scorecard import dimensions
from omni.server import config
from omni.server.code_scorer import LARGEST, TOKEN, app
from omni.server.models import served

GOOD = {
    "shop.py": '"""A shop."""\n\n\ndef total(prices: list[int]) -> int:\n    """The sum."""\n    return sum(prices)\n'
}
BAD = {
    "shop.py": '"""A shop."""\n\nimport subprocess\n\n\ndef total(prices: str) -> int:\n    """The sum of them."""\n'
    "    subprocess.call(prices, shell=True)\n    return eval(prices)\n"
}
JUDGED = {
    "feedback": "What is sent is run as a command.",
    "scores": [
        {
            "dimension": "security",
            "score": 0,
            "because": "anybody runs anything",
            "cites": [{"path": "shop.py", "line": 8, "quote": "subprocess.call(prices, shell=True)"}],
        }
    ],
    "remarks": [
        {
            "path": "shop.py",
            "line": 9,
            "quote": "eval(prices)",
            "rule": "security",
            "severity": "error",
            "message": "Text is run as code.",
            "why": "It comes from outside.",
            "fix": "Parse it.",
            "replacement": "sum(json.loads(prices))",
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One home for all, with this machine's tools: what was verified once is known."""
    home = tmp_path_factory.mktemp("home")
    (home / "envs").mkdir()
    for folder in (load_settings().home / "envs").glob("tools-*"):
        (home / "envs" / folder.name).symlink_to(folder)
    return Settings(home=home, database_url=f"sqlite:///{home / 'omni.db'}", offline=True)


@contextmanager
def serving(settings: Settings, judge: Speaker | None = None) -> Iterator[httpx.Client]:
    engine = open_database(settings)
    with served(app(settings, engine, judge)) as address:
        headers = {"Authorization": f"Bearer {config.token(settings.home, TOKEN)}"}
        with httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
            yield client
    engine.dispose()


def judge_that(*said: object, model: str = "judge") -> Speaker:
    return Speaker(iter(json.dumps(each) for each in said), model)


@pytest.mark.slow
def test_bad_code_scores_lower_where_it_is_bad_and_both_are_kept(settings: Settings) -> None:
    with serving(settings) as client:
        sent = [{"files": files, "spec": "It adds prices.", "project": "shop"} for files in (GOOD, BAD)]
        good, bad = (client.post("/v1/score", json=each).raise_for_status().json() for each in sent)
        for found in (good, bad):
            assert [each["dimension"] for each in found["scorecard"]["scores"]] == list(dimensions())
            assert client.get(f"/v1/scores/{found['id']}").json() == found
        points = [{s["dimension"]: s["score"] for s in each["scorecard"]["scores"]} for each in (good, bad)]
        assert points[0]["security"] == 10.0
        assert points[1]["security"] < 5.0
        assert bad["overall"] < good["overall"]
        assert (good["review"], good["scorecard"]["judge"]) == ([], "evidence")
        listed = client.get("/v1/scores", params={"project": "shop"}).json()
        assert [each["id"] for each in listed] == [bad["id"], good["id"]]
        assert listed[1]["scores"] == points[0]
        assert client.get("/v1/scores", params={"project": "other"}).json() == []
    with serving(settings) as client:  # another process finds them
        assert client.get("/v1/scores", params={"project": "shop"}).json() == listed


@pytest.mark.slow
def test_a_model_judges_beside_the_evidence(settings: Settings) -> None:
    judge = judge_that(JUDGED)
    with serving(settings, judge) as client:
        found = client.post("/v1/score", json={"files": BAD, "spec": "It adds.", "authors": ["a/writer"]}).json()
    security = next(each for each in found["scorecard"]["scores"] if each["dimension"] == "security")
    assert (security["score"], security["judged"]["cites"]) == (0.0, ["shop.py:8"])
    assert (found["scorecard"]["models"], found["scorecard"]["independent"]) == (["test/judge"], True)
    assert found["review"][0]["feedback"] == "What is sent is run as a command."
    assert "-    return eval(prices)\n+    return sum(json.loads(prices))\n" in found["patch"]
    assert judge.asked[0][1].not_models == ("a/writer", "writer")


@pytest.mark.slow
def test_a_judge_that_fails_is_named_and_the_evidence_stands(settings: Settings) -> None:
    with serving(settings, judge_that({}, {})) as client:
        found = client.post("/v1/score", json={"files": GOOD}).raise_for_status().json()
    assert "test/judge, twice: feedback: Field required" in found["missing"]["judge"]
    assert found["scorecard"]["judge"] == "evidence"


@pytest.mark.slow
def test_code_does_not_choose_how_it_is_judged(settings: Settings) -> None:
    lax = {**BAD, "omni.toml": '[verify]\nskip = ["security-python"]\nexclude = ["shop.py"]\n'}
    with serving(settings) as client:
        found = client.post("/v1/score", json={"files": lax}).raise_for_status().json()
    security = next(each for each in found["scorecard"]["scores"] if each["dimension"] == "security")
    assert security["score"] < 5.0


def test_who_may_ask_and_for_what(settings: Settings) -> None:
    with serving(settings) as client:
        assert client.get("/health").json()["status"] == "ok"
        assert "omni_scores_waiting 0" in client.get("/metrics").text
        stranger = httpx.Client(base_url=client.base_url, trust_env=False)
        for answer in (stranger.post("/v1/score", json={}), stranger.get("/v1/scores"), stranger.get("/v1/scores/1")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "R010")
        stranger.close()
        assert client.get("/v1/scores/none").status_code == 404
        assert client.get("/v1/scores", params={"limit": 0}).status_code == 422


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "R011"),
        (b"[]", "R011"),
        (b'{"files": {}}', "R011"),
        (b'{"files": {"a": 1}}', "R011"),
        (b'{"files": {"a": ""}, "project": "../x"}', "R011"),
        (b'{"files": {"../a": ""}}', "R002"),
        (b'{"files": {"/etc/a": ""}}', "R002"),
        (b'{"files": {"a": "", "a/b": ""}}', "R002"),
        (b'{"files": {"": ""}}', "R002"),
        (b'{"files": {"a\\u0000": ""}}', "R002"),
        (b'{"files": {"a": "\\ud800"}}', "R011"),
    ],
)
def test_what_cannot_be_scored_is_refused(sent: bytes, code: str, refusing: httpx.Client) -> None:
    answer = refusing.post("/v1/score", content=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.fixture(scope="module")
def refusing(settings: Settings) -> Iterator[httpx.Client]:
    with serving(settings) as client:
        yield client


def test_more_than_fits_is_refused_before_it_is_read(refusing: httpx.Client) -> None:
    answer = refusing.post("/v1/score", content=b" " * (LARGEST + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "R011")
