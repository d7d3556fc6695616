"""Against PostgreSQL, Redis and a mail server that really run, in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.deep import services
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

ENVIRONMENT = Path(sys.prefix)
CONFIG = """\
[verify]
tiers = [3]

[[verify.services]]
kind = "postgresql"

[verify.integration]
before = [["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "schema.sql"]]
"""
SCHEMA = "CREATE TABLE orders (id int PRIMARY KEY, customer text, total numeric);\n"
TEST = """\
import subprocess


def test_totals():
    done = subprocess.run(["psql", "-Atc", QUERY], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
"""


def project(query: str, schema: str = SCHEMA) -> dict[str, str]:
    return {"omni.toml": CONFIG, "schema.sql": schema, "tests/test_orders.py": TEST.replace("QUERY", repr(query))}


@pytest.mark.host
@pytest.mark.slow
def test_a_query_that_only_postgresql_refuses(look: Look) -> None:
    """SQLite takes a bare column beside an aggregate."""
    query = "SELECT id, sum(total) FROM orders GROUP BY customer"
    result = look("integration-tests", project(query), environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.line) == ("failed", "tests/test_orders.py", 4)
    assert 'column "orders.id" must appear in the GROUP BY clause' in finding.message
    assert finding.why
    assert finding.fix


@pytest.mark.host
@pytest.mark.slow
def test_the_clean_twin(look: Look) -> None:
    query = "SELECT customer, sum(total) FROM orders GROUP BY customer"
    result = look("integration-tests", project(query), environment=ENVIRONMENT)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    assert result.metrics == {"integration.passed": 1, "integration.failed": 0, "integration.skipped": 0}


@pytest.mark.host
@pytest.mark.slow
def test_a_schema_that_postgresql_refuses(look: Look) -> None:
    files = project("SELECT 1", "CREATE TABLE orders (id int AUTOINCREMENT);\n")
    (finding,) = look("integration-tests", files, environment=ENVIRONMENT).findings
    assert (finding.rule, finding.path, finding.line) == ("not-prepared", "omni.toml", 8)
    assert "AUTOINCREMENT" in finding.message


MAIL_AND_CACHE = """\
import os
import pathlib
import smtplib
import socket


def test_mail():
    with smtplib.SMTP(os.environ["SMTP_HOST"], int(os.environ["SMTP_PORT"])) as server:
        server.sendmail("a@x.example", ["b@x.example"], "Subject: hi\\n\\n.dotted\\n")
    (mail,) = pathlib.Path(os.environ["MAILBOX"]).iterdir()
    assert mail.read_bytes() == b"Subject: hi\\r\\n\\r\\n.dotted\\r\\n"


def test_cache():
    host, port = os.environ["CACHE"].removeprefix("redis://").removesuffix("/0").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"PING\\r\\n")
        assert connection.recv(10) == b"+PONG\\r\\n"


def test_nothing_leaves():
    with socket.socket() as outside:
        outside.settimeout(2)
        assert outside.connect_ex(("192.0.2.1", 25)) != 0
"""


@pytest.mark.host
@pytest.mark.slow
def test_mail_and_cache(look: Look) -> None:
    config = '[[verify.services]]\nkind = "smtp"\n[[verify.services]]\nkind = "redis"\nvariable = "CACHE"\n'
    files = {"omni.toml": config, "tests/test_it.py": MAIL_AND_CACHE}
    result = look("integration-tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, [each.message for each in result.findings]) == (Status.PASS, "", [])


def test_nothing_declared(look: Look) -> None:
    result = look("integration-tests", {"tests/test_a.py": "def test_a():\n    assert f() == 1\n"})
    assert (result.status, result.reason) == (Status.SKIPPED, "omni.toml declares no services")


def test_a_server_that_is_not_installed(look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(services, "POSTGRESQL", tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: None)
    result = look("integration-tests", project("SELECT 1"))
    assert result.status is Status.INCOMPLETE
    assert result.reason == "PostgreSQL is not installed here. Type: apt install postgresql"


@pytest.mark.host
@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("import os\n\ndef test_a():\n    os._exit(0)\n", "left no reports/omni-integration.xml"),
        ("import pytest\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n", "every test was skipped"),
        ("import os, signal\n\ndef test_a():\n    os.kill(os.getppid(), signal.SIGKILL)\n", "was stopped before"),
    ],
)
def test_a_run_that_proves_nothing(look: Look, test: str, said: str) -> None:
    config = '[[verify.services]]\nkind = "redis"\n'
    result = look("integration-tests", {"omni.toml": config, "tests/test_a.py": test}, environment=ENVIRONMENT)
    assert result.status is Status.INCOMPLETE
    assert said in result.reason
