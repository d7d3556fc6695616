from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

APP = """from flask import Flask, request
import os

app = Flask(__name__)


@app.route("/ping")
def ping():
    host = request.args["host"]
    command = f"ping {host}"
    os.system(command)
    return {}
"""


def test_a_finding_shows_the_way_the_data_takes(look: Look) -> None:
    (finding,) = look("dataflow", {"app.py": APP}).findings
    assert (finding.rule, finding.severity, finding.path, finding.line, finding.cwe) == (
        "command",
        "error",
        "app.py",
        11,
        "CWE-78",
    )
    assert finding.message == (
        "OS command injection: request.args (app.py:9) → command (app.py:10) → os.system(…) (app.py:11)"
    )
    assert "shlex.quote" in finding.fix
    assert finding.why


def test_the_way_leads_through_other_files(look: Look) -> None:
    files = {
        "app.py": APP.replace("os.system(command)", "run(command)").replace("import os", "from tools import run"),
        "tools.py": "import os\n\n\ndef run(command):\n    os.system(command)\n",
    }
    (finding,) = look("dataflow", files).findings
    assert finding.message == (
        "OS command injection: request.args (app.py:9) → command (app.py:10) → run(…) (app.py:11) → "
        "os.system(…) (tools.py:5)"
    )


def test_ways_to_one_place_are_one_finding(look: Look) -> None:
    more = APP.replace("    return {}", '    run(request.form["a"])\n    run(request.form["b"])\n    return {}')
    code = more.replace("os.system(command)", "run(command)") + "\n\ndef run(command):\n    os.system(command)\n"
    (finding,) = look("dataflow", {"app.py": code}).findings
    assert finding.message.endswith("; 2 more ways lead there")


def test_what_a_test_is_given_comes_from_the_test(found: Found) -> None:
    assert found("dataflow", {"tests/test_app.py": APP}) == []


def test_who_runs_a_program_may_do_much_with_it(found: Found) -> None:
    code = "import os\nimport sys\n\nos.system(sys.argv[1])\nopen(sys.argv[2])\n"
    assert found("dataflow", {"tool.py": code}) == ["note command tool.py:4"]


def test_newer_syntax_is_read(found: Found) -> None:
    code = APP.replace('f"ping {host}"', 'f"ping {"-c 1 "}{host}"')
    assert found("dataflow", {"app.py": code}) == ["error command app.py:11"]


def test_what_is_no_python_is_named(look: Look) -> None:
    result = look("dataflow", {"app.py": APP, "broken.py": "def (\n"})
    assert result.status is Status.FAIL
    assert list(result.coverage.failed) == ["broken.py"]


def test_what_takes_too_long_is_named(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.verify.dataflow.machine.MOST_STEPS", 5)
    result = look("dataflow", {"app.py": APP})
    assert result.status is Status.INCOMPLETE
    assert result.coverage.failed == {"app.py": "following its data takes too long"}
