"""A refactoring by one model: what callers use stays, something gets simpler, and tests that were there run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Rule, Script, serve
from omni.verify import repository

CART = '''"""What a cart costs."""

from __future__ import annotations


def net(prices: list[int], discount: int = 0) -> int:
    """Without tax, in cents."""
    total = 0
    for price in prices:
        total = total + price
    return total - discount


def gross(prices: list[int], discount: int = 0) -> int:
    """With tax, in cents."""
    total = 0
    for price in prices:
        total = total + price
    return (total - discount) * 119 // 100
'''
SIMPLER = '''"""What a cart costs."""

from __future__ import annotations


def net(prices: list[int], discount: int = 0) -> int:
    """Without tax, in cents."""
    return sum(prices) - discount


def gross(prices: list[int], discount: int = 0) -> int:
    """With tax, in cents."""
    return net(prices, discount) * 119 // 100
'''
TESTS = """from shop.cart import gross, net


def test_net() -> None:
    assert net([100, 50], 10) == 140


def test_gross() -> None:
    assert gross([100]) == 119
"""


def rule(turn: int, reply: dict[str, object], told: str = "") -> Rule:
    match = {"system": "(developer)", "turn": turn} | ({"anywhere": told} if told else {})
    return Rule.model_validate({"match": match, "reply": {"tool_calls": [reply]}, "times": 0})


def written(text: str) -> dict[str, object]:
    return {"name": "write", "arguments": {"path": "src/shop/cart.py", "content": text}}


def finished(summary: str) -> dict[str, object]:
    return {"name": "finish", "arguments": {"summary": summary}}


@pytest.mark.slow
@pytest.mark.host
def test_what_callers_use_stays_and_the_tests_that_were_there_speak_for_it(tmp_path: Path) -> None:
    root, home = tmp_path / "shop", tmp_path / "home"
    for name, text in {
        "src/shop/__init__.py": '"""A shop."""\n',
        "src/shop/cart.py": CART,
        "tests/test_cart.py": TESTS,
        "pyproject.toml": '[project]\nname = "shop"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for argv in (("init", "-q", "-b", "work"), ("add", "-A"), ("commit", "-q", "-m", "a shop")):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *argv], cwd=root, check=True)
    home.mkdir()
    (home / "envs").symlink_to(load_settings().home / "envs")
    narrower = SIMPLER.replace(
        "def net(prices: list[int], discount: int = 0)", "def net(prices: list[int], discount: int)"
    )
    script = (
        rule(1, written(SIMPLER), "has no default for `discount` any more"),
        rule(2, finished("Both sums were the same; the default is back."), "has no default for `discount` any more"),
        rule(1, written(narrower)),
        rule(2, finished("Both sums were the same.")),
    )
    with serve(Script(rules=script)) as url:
        add(load_settings({"home": str(home)}), Wish(name="local", base_url=url))
        argv = ("build", "--repo", str(root), "--environment", sys.prefix, "--json")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
        done = subprocess.run(
            [sys.executable, "-m", "omni", *argv, "simplify the sums of the cart"],
            env=environment | {"OMNI_HOME": str(home), "OMNI_TIER_DEADLINES": "1=300,2=600"},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.stdout, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    ended = [(each["stage"], each["passed"]) for each in said if each.get("kind") == "stage.ended"]
    assert ended == [
        ("comprehension", True),
        ("baseline", True),
        ("change", True),
        ("proof", False),
        ("change", True),
        ("proof", True),
        ("change-review", True),
        ("hand-over", True),
    ]
    assert (done.returncode, said[-1]["verdict"], said[-1]["reasons"]) == (0, "pass", [])
    change = said[-1]["change"]
    tip = repository.commit(root, change["branch"])
    assert repository.text_at(root, tip, "src/shop/cart.py") == SIMPLER
    sizes = [each["text"] for each in said if str(each.get("text", "")).startswith("size before")]
    assert sizes[-1] == (
        "size before: 14 lines, 4 branches, at most 2 in one function; "
        "after: 8 lines, 2 branches, at most 1 in one function"
    )
    report = json.loads((Path(change["folder"]) / "report.json").read_text())
    speaks = "the tests that were there, unchanged, run each function that changed (2), and end as before"
    assert report["review"]["speaks"] == [speaks]
