from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.verify.played import said

from omni.verify.checks.passwords import entropy
from omni.verify.report import CheckResult

Look = Callable[..., CheckResult]

RANDOM = "k9" + "Xw2_" + "vQ7tLm4Zr8"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", f'password = "{RANDOM}"', "error written-out"),
        ("a.py", f'DB_PASSWORD: str = "{RANDOM}"', "error written-out"),
        ("a.yaml", f"api_key: {RANDOM}", "error written-out"),
        ("Dockerfile", f"ENV SECRET={RANDOM}", "error written-out"),
        ("a.ts", f"const clientSecret = '{RANDOM}'", "error written-out"),
        (".env", f"TOKEN={RANDOM}", "error written-out"),
        ("a.py", 'password = "hunter22"', "warning written-out"),
        ("a.py", f'key = "{"AK" + "IA" + "Y3FDHPQ7RTBVXM2K"}"', "error cloud-key"),
        ("a.py", f'key = "{"AK" + "IA" + "IOSFODNN7EXAMPLE"}"', ""),
        ("a.py", 'password = os.environ["PASSWORD"]', ""),
        ("a.py", 'password_field = "j8fh3kd92hd72hd"', ""),
        ("a.yaml", "password: ${DB_PASSWORD}", ""),
        ("a.yaml", "secret_key: changeme-in-production", ""),
        (".env.example", f"TOKEN={RANDOM}", ""),
        ("tests/test_a.py", f'password = "{RANDOM}"', ""),
        ("a.py", 'token_url = "https://example.com/token/abcdef123456"', ""),
    ],
)
def test_written_out(look: Look, path: str, text: str, expected: str) -> None:
    result = look("passwords", {path: text + "\n"})
    assert [f"{each.severity} {each.rule}" for each in result.findings] == ([expected] if expected else [])
    assert RANDOM not in result.model_dump_json()


def test_where_it_stands_and_by_which_name(look: Look) -> None:
    """Each on its line; without quotes only where a language has none; in an example only what no example holds."""
    key = "AK" + "IA" + "Y3FDHPQ7RTBVXM2K"
    files = {
        "a.py": f"x = 1\npassword = '{RANDOM}'; api_key = '{RANDOM}'\nsecret = {RANDOM}\n",
        "b.ini": f"[a]\nclient-secret = {RANDOM}\n",
        "docs/c.py": f"password = '{RANDOM}'\nkey = '{key}'\n",
        "d.yaml": f"- token: {RANDOM}\n",
    }
    result = look("passwords", files)
    real = "is given a value that looks like a real one"
    assert said(result) == [
        f"error written-out a.py:2 `api_key` {real}",
        f"error written-out a.py:2 `password` {real}",
        f"error written-out b.ini:2 `client-secret` {real}",
        f"error written-out d.yaml:1 `token` {real}",
        "error cloud-key docs/c.py:2 an access key of AWS stands in the file",
    ]
    assert {each.cwe for each in result.findings} == {"CWE-798"}


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("a1b2c3d4e5f6", "error"),  # 12 signs, all different
        ("a1b2c3d4e5f", "warning"),
        ("a1a1a1a1a1a1a1", "warning"),  # one bit a sign
        ("12121212", "warning"),
        ("1212121", ""),
    ],
)
def test_how_random_it_looks(look: Look, value: str, severity: str) -> None:
    findings = look("passwords", {"a.py": f"password = '{value}'\n"}).findings
    assert [str(each.severity) for each in findings] == ([severity] if severity else [])


def test_entropy() -> None:
    assert [entropy(each) for each in ("aaaa", "abab", "abcd", "aaab")] == [0, 1, 2, pytest.approx(0.8113, abs=1e-4)]
