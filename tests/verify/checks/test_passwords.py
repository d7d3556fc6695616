from __future__ import annotations

from collections.abc import Callable

import pytest

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
