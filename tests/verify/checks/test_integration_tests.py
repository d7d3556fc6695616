"""Against PostgreSQL, Redis and a mail server that really run, in the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.redis_image import redis_image

from omni.sandbox.engine import Engine
from omni.verify.deep import services
from omni.verify.deep.play import Server, Step
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


CONTAINERS = """\
[[verify.services]]
kind = "redis"
image = "IMAGE"

[[verify.services]]
kind = "container"
image = "IMAGE"
port = 7000
command = ["--port", "7000"]
variable = "QUEUE"
url = "redis://127.0.0.1:{port}/3"
"""
IN_CONTAINERS = """\
import os
import socket


def asked(url):
    host, port = url.split("//")[1].split("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"INFO server\\r\\n")
        return connection.recv(3000)


def test_both():
    assert b"tcp_port:6379" in asked(os.environ["REDIS_URL"])
    assert b"tcp_port:7000" in asked(os.environ["QUEUE"])


def test_nothing_leaves():
    with socket.socket() as outside:
        outside.settimeout(2)
        assert outside.connect_ex(("192.0.2.1", 25)) != 0
"""


@pytest.mark.host
@pytest.mark.slow
def test_containers(look: Look, container_engine: Engine) -> None:
    config = CONTAINERS.replace("IMAGE", redis_image(container_engine))
    files = {"omni.toml": config, "tests/test_it.py": IN_CONTAINERS}
    result = look("integration-tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, [each.message for each in result.findings]) == (Status.PASS, "", [])
    assert result.metrics["integration.containers"] == 2


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


Stage = Callable[..., list[Server | Step]]
MAIL = """\
[[verify.services]]
kind = "smtp"

[verify.integration]
before = [
  ["python", "migrate.py"], # before all
  ["python", "fixtures.py"], # before the tests
]
"""
PASSED = '<testcase name="test_a"/>'
FAILED = """\
<testcase name="test_orders" file="tests/test_orders.py" line="4"><failure message="no such column\nmore"/></testcase>
<testcase name="test_gone" file="tests/gone.py" line="7"><error message="no fixture"/></testcase>
<testcase name="test_b"><skipped/></testcase>
"""


def left(stage: Stage, cases: str | None, *, exit_code: int = 0, failing: str = "") -> list[Server | Step]:
    """As if the tests had ended so and left a report of these cases, after all that prepares them but `failing`."""

    def does(step: Step, work: Path) -> tuple[int, str]:
        if step.name != "tests":
            return (2, "no table\n") if failing in step.argv else (0, "")
        report = work / "reports/omni-integration.xml"
        report.parent.mkdir()
        if cases is not None:
            report.write_text(f"<testsuite>{cases}</testsuite>")
        return exit_code, "the end\n"

    return stage("checks.integration_tests", does)


def test_each_test_that_failed_is_told(look: Look, stage: Stage) -> None:
    """At its line; without a path where the report names a file that is not there."""
    asked = left(stage, PASSED + FAILED, exit_code=1)
    result = look("integration-tests", {"omni.toml": MAIL, "tests/test_orders.py": TEST})
    assert [
        (str(each.severity), each.rule, each.path, each.line, each.message, each.snippet) for each in result.findings
    ] == [
        ("error", "failed", "", 8, "`test_gone`: no fixture", "test_gone"),
        (
            "error",
            "failed",
            "tests/test_orders.py",
            5,
            "`test_orders`: no such column more",
            TEST.splitlines()[4].strip(),
        ),
    ]
    assert (result.status, result.reason) == (Status.FAIL, "")
    assert result.metrics == {"integration.passed": 1, "integration.failed": 2, "integration.skipped": 1}
    assert [each.name for each in asked] == ["smtp", "before 0", "before 1", "tests"]
    assert isinstance(asked[-1], Step)
    argv = " ".join(asked[-1].argv)
    assert argv.startswith("python -m pytest -q ")
    assert " --junitxml=reports/omni-integration.xml -o junit_family=xunit1" in argv


def test_what_prepares_the_server_fails(look: Look, stage: Stage) -> None:
    asked = left(stage, PASSED, failing="fixtures.py")
    result = look("integration-tests", {"omni.toml": MAIL})
    assert [
        (str(each.severity), each.rule, each.path, each.line, each.message, each.snippet) for each in result.findings
    ] == [
        (
            "error",
            "not-prepared",
            "omni.toml",
            7,
            "`python fixtures.py` failed with exit code 2: no table",
            "python fixtures.py",
        )
    ]
    assert (result.status, result.reason, result.metrics) == (Status.FAIL, "", {})
    assert [each.name for each in asked] == ["smtp", "before 0", "before 1"]


@pytest.mark.parametrize(
    ("cases", "exit_code", "reason"),
    [
        (None, 0, "the tests left no reports/omni-integration.xml: the end"),
        ("<testcase", 0, "the report of the tests can't be believed: it is not XML: "),
        (PASSED, 1, "the tests ended with exit code 1, though the report names no failure"),
        (
            "<testcase name='a'><skipped/></testcase>",
            0,
            "every test was skipped, so nothing was tried on a real server",
        ),
        ("<testcase name='a'><skipped/></testcase>" + PASSED, 0, ""),
    ],
)
def test_only_a_test_that_ran_proves_anything(
    look: Look, stage: Stage, cases: str | None, exit_code: int, reason: str
) -> None:
    left(stage, cases, exit_code=exit_code)
    result = look("integration-tests", {"omni.toml": MAIL})
    assert (result.status, result.findings) == (Status.INCOMPLETE if reason else Status.PASS, ())
    assert result.reason.startswith(reason)
    assert bool(result.reason) == bool(reason)


NO_ENGINE = """\
<testcase name="test_a" file="tests/test_a.py" line="9"><error message="failed on setup with &quot;docker.errors.\
DockerException: Error while fetching server API version: ('Connection aborted.', FileNotFoundError(2, 'No such file \
or directory'))&quot;"/></testcase>
"""


def test_tests_that_start_containers_themselves_are_not_judged(look: Look, stage: Stage) -> None:
    left(stage, PASSED + NO_ENGINE, exit_code=1)
    files = {"omni.toml": MAIL, "tests/test_a.py": "from testcontainers.redis import RedisContainer\n"}
    result = look("integration-tests", files)
    assert (result.status, result.findings) == (Status.INCOMPLETE, ())
    assert result.reason == (
        "test_a: started by Testcontainers (tests/test_a.py), and no engine is within reach of the sandbox. Declare "
        "what they need with [[verify.services]] and an image, and let them take its URL from the environment"
    )
    assert result.metrics == {"integration.passed": 1, "integration.failed": 0, "integration.skipped": 0}


def test_without_testcontainers_a_missing_engine_is_a_failure(look: Look, stage: Stage) -> None:
    left(stage, NO_ENGINE, exit_code=1)
    result = look("integration-tests", {"omni.toml": MAIL, "tests/test_a.py": "import docker\n"})
    assert [finding.rule for finding in result.findings] == ["failed"]


def test_its_own_command_and_report(look: Look, stage: Stage) -> None:
    config = MAIL.partition("before")[0] + 'command = ["make", "check"]\nreport = "out/it.xml"\n'
    asked = left(stage, PASSED)
    result = look("integration-tests", {"omni.toml": config})
    assert [each.argv for each in asked if isinstance(each, Step)] == [("make", "check")]
    assert result.reason == "the tests left no out/it.xml: the end"
