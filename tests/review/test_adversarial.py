"""Claims of bugs, weaknesses and growth, each really tried in the sandbox."""

from __future__ import annotations

import json

import pytest
from tests.agents.speaking import speaker

from omni.agents.roles import asker, load_role
from omni.models.wire import Attribution
from omni.review.adversarial import Attack, Proof, assault, attempt, hollow, statement
from omni.review.citation import Material
from omni.review.ground import Ground

PATH = "src/shop/__init__.py"
OFF_BY_ONE = "    return items[-count + 1 :]"


def attack(line: int, quote: str, script: str, **more: object) -> Attack:
    claim = {
        "path": PATH,
        "line": line,
        "quote": quote,
        "rule": "correctness",
        "severity": "error",
        "message": "It is wrong.",
        "why": "The specification says so.",
        "fix": "Mend it.",
        "kind": "test",
        "script": script,
    }
    return Attack.model_validate_json(json.dumps(claim | more))


LAST = "from shop import last\n\n\ndef test_last():\n    assert last([1, 2, 3], 2) == [2, 3]\n"
IDOR = """from shop import order


def test_orders_of_others_are_hidden(caller):
    assert order(caller, 2)["owner"] == caller, "C2: nobody sees another's order"
"""
OFF = attack(8, "items[-count + 1 :]", LAST, replacement="items[-count:] if count else []")


@pytest.mark.host
def test_a_planted_off_by_one_is_proved_by_a_failing_test_and_its_mend(shown: Material, ground: Ground) -> None:
    proof = attempt(OFF, shown, ground)
    assert isinstance(proof, Proof)
    assert (proof.verdict, proof.isolation) == ("confirmed", "full")
    assert proof.said.startswith("AssertionError: ")
    assert "[3] == [2, 3]" in proof.said


@pytest.mark.host
def test_an_idor_is_shown_by_the_request_that_exploits_it(shown: Material, ground: Ground) -> None:
    """It uses a fixture of the project's own tests, and has no mend of one line."""
    proof = attempt(attack(13, "return ORDERS[number]", IDOR), shown, ground)
    assert isinstance(proof, Proof)
    assert proof.verdict == "shown"
    assert "C2: nobody sees another's order" in proof.said


KILLS = "import os\n\n\ndef test_x():\n    os.abort()\n    assert os\n"
GONE = "from shop import gone\n\n\ndef test_x():\n    assert gone() == 1\n"
NOBODY = "def test_x(nobody):\n    assert nobody == 1\n"
UNDEFINED = "def test_x():\n    assert undefined == 1\n"


@pytest.mark.host
@pytest.mark.parametrize(
    ("line", "quote", "script", "why"),
    [
        (8, "count + 1", LAST.replace("[2, 3]\n", "[3]\n"), "the test passes on the code as it is"),
        (8, "count + 1", UNDEFINED, "a mistake of its own"),
        (8, "count + 1", GONE, "the test itself is broken"),
        (8, "count + 1", NOBODY, "the test itself is broken"),
        (13, "ORDERS[number]", LAST, "never reaches src/shop/__init__.py:13"),
        (8, "count + 1", KILLS, "shows nothing"),
    ],
    ids=["passes", "mistake", "import", "fixture", "elsewhere", "abort"],
)
def test_what_shows_nothing_is_refused_with_why(
    line: int, quote: str, script: str, why: str, shown: Material, ground: Ground
) -> None:
    assert why in str(attempt(attack(line, quote, script), shown, ground))


@pytest.mark.host
def test_growth_is_timed_at_two_sizes(shown: Material, ground: Ground) -> None:
    script = "from shop import duplicates\n\n\ndef run(n):\n    duplicates(list(range(n)))\n"
    slow = attack(18, "item in items[:place]", script, kind="growth", sizes=[700, 5600])
    proof = attempt(slow, shown, ground)
    assert isinstance(proof, Proof)
    assert "700: " in proof.said
    assert "5,600: " in proof.said
    straight = script.replace("duplicates(list(range(n)))", "duplicates([1]); sum(range(n * 400))")
    even = attack(18, "item in items[:place]", straight, kind="growth", sizes=[2000, 20000])
    assert "time grows with the input, not faster" in str(attempt(even, shown, ground))


@pytest.mark.host
def test_an_assault_keeps_what_is_proved_and_counts_the_rest(shown: Material, ground: Ground) -> None:
    wrong_line = OFF.model_copy(update={"line": 3})
    chat = speaker({"attacks": [OFF.model_dump(), wrong_line.model_dump()], "unproved": ["a race"]}, model="hunter")
    role = load_role("P4.1")
    found = assault(asker(role, chat, Attribution()), shown, "The last items.", ground, authors=("local/writer",))
    assert (found.role, found.model, found.independent, found.unproved) == ("P4.1", "test/hunter", True, ("a race",))
    assert [proof.verdict for proof in found.proofs] == ["confirmed"]
    assert [each.why for each in found.dropped] == ["src/shop/__init__.py:3 says something else"]
    assert OFF_BY_ONE in chat.questions[0]


def test_who_attacks_its_own_code_is_not_independent(shown: Material, ground: Ground) -> None:
    chat = speaker({"attacks": []}, model="writer")
    found = assault(asker(load_role("P4.1"), chat, Attribution()), shown, "", ground, authors=("local/writer",))
    assert not found.independent


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("def test_x():\n    assert f() == 1\n", ""),
        ("async def test_x(app):\n    assert app.x\n", ""),
        ("def test_x():\n    assert False\n", "it asserts a constant"),
        ("def test_x():\n    assert 1 == 2, f()\n", "it asserts a constant"),
        ("import pytest\ndef test_x():\n    pytest.fail('bug')\n", "it fails by itself"),
        ("def test_x():\n    raise AssertionError\n", "it fails by itself"),
        ("def check():\n    assert f()\n", "there is no test in it"),
        ("def test_x(:\n", "the test is no Python"),
        ("x = '\0'", "the test is no Python"),
    ],
)
def test_hollow_tests_are_seen_before_they_run(script: str, why: str) -> None:
    found = hollow(script)
    assert why in found if why else found == ""


def test_a_statement_is_all_its_lines_but_not_its_body() -> None:
    text = "x = f(\n    1,\n    2,\n)\nif (\n    x\n):\n    y = 1\n    z = 2\n"
    assert [statement(text, line) for line in (2, 5, 8)] == [{1, 2, 3, 4}, {5, 6, 7}, {8}]
    assert statement("no python at all", 1) == set()
