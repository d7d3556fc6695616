from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.verify.config import ProjectConfig, load_config

Write = Callable[[Mapping[str, str | bytes]], Path]


def test_without_a_file_there_are_defaults(root: Path) -> None:
    assert load_config(root) == ProjectConfig()


def test_everything_that_can_be_said(write: Write) -> None:
    text = """
[settings]
offline = true

[verify]
tiers = [1]
source_roots = ["lib"]
disabled = [{ check = "typos", because = "the text is in Latin" }]
exclude = [{ path = "gen/**", because = "generated" }]

[[verify.waivers]]
rule = "ruff-lint/S101"
path = "tests/**"
who = "Ada"
because = "tests assert"
until = 2027-01-31

[verify.tests]
command = ["python", "-m", "unittest"]
environment = "env"
"""
    assert load_config(write({"omni.toml": text})).model_dump(mode="json", exclude_unset=True) == {
        "tiers": [1],
        "source_roots": ["lib"],
        "disabled": [{"check": "typos", "because": "the text is in Latin"}],
        "exclude": [{"path": "gen/**", "because": "generated"}],
        "waivers": [
            {
                "rule": "ruff-lint/S101",
                "path": "tests/**",
                "who": "Ada",
                "because": "tests assert",
                "until": str(date(2027, 1, 31)),
            }
        ],
        "tests": {"command": ["python", "-m", "unittest"], "environment": "env"},
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[verify]\ntier = [1]", "verify.tier: there is no such key; known here: tiers, source_roots"),
        ("[verify.tests]\nrun = 'x'", "verify.tests.run: there is no such key"),
        ("[verify]\ntiers = [5]", "verify.tiers.0: Input should be 1, 2, 3 or 4"),
        (
            "[[verify.waivers]]\nrule = 'x'\nwho = 'A'\nbecause = 'long enough'",
            "verify.waivers.0.until: Field required",
        ),
        (
            "[[verify.disabled]]\ncheck = 'x'\nbecause = 'no'",
            "verify.disabled.0.because: String should have at least 8",
        ),
        ("[verify", "Expected ']' at the end of a table declaration"),
        ("verify = 3", "verify: Input should be"),
        (b"\xff", "'utf-8' codec can't decode"),
    ],
)
def test_a_mistake_is_one_clear_error(write: Write, text: str | bytes, why: str) -> None:
    with pytest.raises(OmniError) as caught:
        load_config(write({"omni.toml": text}))
    assert caught.value.why.startswith(why)
    assert caught.value.where.endswith("omni.toml")
