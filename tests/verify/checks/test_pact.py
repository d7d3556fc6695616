"""What Pact's verifier leaves is judged; that it finds what is broken is in test_contract_tests.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import said

from omni.verify import registry
from omni.verify.deep.play import Server, Step
from omni.verify.report import CheckResult, Report, Status

Write = Callable[[Mapping[str, str]], Path]
Stage = Callable[..., list[Server | Step]]
AddTool = Callable[[str, str], None]
Verify = Callable[..., Report]
Asked = Callable[..., tuple[CheckResult, list[Server | Step]]]

CONFIG = '[verify.serve]\ncommand = ["python", "server.py"]\nport = 8123\n'
WEB, APP = "pacts/web.json", "api/pacts/app.json"


def pact(provider: str = "shop", **more: object) -> str:
    asks = [{"description": "an order"}, {"description": "all orders"}]
    return json.dumps({"provider": {"name": provider}, "interactions": asks} | more, indent=1)


def interaction(description: str, result: str = "ERROR", mismatch: object = "") -> dict[str, object]:
    return {"description": description, "result": result, "mismatch": mismatch, "interactionId": 1}


def results_of(*interactions: dict[str, object]) -> dict[str, object]:
    return {"interactionResults": interactions, "output": []}


@pytest.fixture
def verified(write: Write, stage: Stage, add_tool: AddTool, verify: Verify) -> Asked:
    """The project as it is, and what the verifier left: Pact file → its results; None: nothing."""

    def run(
        files: Mapping[str, str], results: Mapping[str, object] | str | None, config: str = CONFIG
    ) -> tuple[CheckResult, list[Server | Step]]:
        def does(_step: Step, work: Path) -> tuple[int, str]:
            if results is not None:
                (work / "omni-deep").mkdir()
                told = results if isinstance(results, str) else json.dumps(results)
                (work / "omni-deep/pact.json").write_text(told)
            return 0, "thread panicked\nno results\n"

        add_tool("python", "")
        write({"omni.toml": config, **files})
        asked = stage("checks.pact", does)
        (result,) = verify(registry.get("pact"), only=("pact",)).results
        return result, asked

    return run


def test_what_is_broken_stands_at_its_interaction(verified: Asked) -> None:
    red = "\x1b[31mexpected\x1b[0m 200"
    both = [{"path": "$.total", "mismatch": red}, {"mismatch": "no body"}]
    results = {
        WEB: results_of(interaction("all orders", mismatch={"mismatches": both}), interaction("an order", "OK")),
        APP: results_of(interaction("an order", mismatch={"mismatches": [], "message": "refused"})),
    }
    result, _ = verified({WEB: pact(), APP: pact()}, results)
    assert said(result) == [
        f"error expectation-broken {APP}:7 an order: refused",
        f"error expectation-broken {WEB}:10 all orders: $.total expected 200; no body",
    ]
    assert result.findings[1].snippet == '"description": "all orders"'
    assert (result.status, result.reason) == (Status.FAIL, "")


@pytest.mark.parametrize(
    ("mismatch", "why"),
    [
        ("connection refused", "connection refused"),
        ("", "it failed"),
        ({}, "it failed"),
        ({"message": "x" * 500}, "x" * 400),
    ],
)
def test_why_it_is_broken(verified: Asked, mismatch: object, why: str) -> None:
    result, _ = verified({WEB: pact()}, {WEB: results_of(interaction("an order", mismatch=mismatch))})
    assert [each.message for each in result.findings] == [f"an order: {why}"]


def test_what_was_not_verified_is_said(verified: Asked) -> None:
    files = {f"pacts/{name}.json": pact() for name in "abc"} | {"pacts/d.json": pact(messages=[{}])}
    files["pacts/e.json"] = pact(interactions=[{"type": "Asynchronous/Messages"}, {}])
    results = {
        "pacts/a.json": {"problem": "no such state"},
        "pacts/b.json": results_of(),
        "pacts/d.json": results_of(interaction("an order", "OK")),
        "pacts/e.json": results_of(interaction("an order", "OK")),
    }
    result, _ = verified(files, results)
    assert dict(result.coverage.failed) == {
        "pacts/a.json": "no such state",
        "pacts/b.json": "it has no interaction",
        "pacts/c.json": "it was not looked at",
        "pacts/d.json": "its messages are not verified, only its requests",
        "pacts/e.json": "its messages are not verified, only its requests",
    }
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())


@pytest.mark.parametrize("results", [None, "[]", "{"])
def test_without_results_nothing_is_known(verified: Asked, results: str | None) -> None:
    result, _ = verified({WEB: pact()}, results)
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        "Pact's verifier gave no results: thread panicked / no results",
    )


def test_what_is_verified_and_where(verified: Asked) -> None:
    """The files about this provider, against the server that is declared, with its headers and its way to a state."""
    config = f'{CONFIG}provider = "shop"\nstates = "/states"\nheaders = ["X-A:  b:c ", "X-D: e"]\n'
    files = {WEB: pact(), APP: pact(), "pacts/bank.json": pact("bank"), "pacts/odd.json": "[]"}
    _, (server, step) = verified(files, None, config)
    assert isinstance(server, Server)
    assert isinstance(step, Step)
    assert (server.start, server.port) == (("python", "server.py"), 8123)
    url, given = "http://127.0.0.1:8123", {"X-A": "b:c", "X-D": "e"}
    assert step.argv[4:7] == ("omni-deep/pact.json", url, f"{url}/states")
    assert (json.loads(step.argv[7]), sorted(step.argv[8:])) == (given, [APP, WEB])


def test_without_a_provider_of_its_own_every_file_is_about_it(verified: Asked) -> None:
    _, asked = verified({WEB: pact(), "pacts/bank.json": pact("bank"), "pacts/odd.json": '{"provider": {}}'}, None)
    step = asked[-1]
    assert isinstance(step, Step)
    assert (step.argv[6], sorted(step.argv[8:])) == ("", ["pacts/bank.json", WEB])
