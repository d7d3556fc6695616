from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

APP = """const { exec } = require("child_process");
const app = require("express")();

app.get("/ping", (req, res) => {
  const { host } = req.query;
  const command = `ping ${host}`;
  exec(command);
});
"""


def test_a_finding_shows_the_way_the_data_takes(look: Look) -> None:
    (finding,) = look("dataflow-javascript", {"app.js": APP}).findings
    assert (finding.rule, finding.severity, finding.path, finding.line, finding.column, finding.cwe) == (
        "command",
        "error",
        "app.js",
        7,
        3,
        "CWE-78",
    )
    assert finding.message == ("OS command injection: req.query (app.js:5) → command (app.js:6) → exec(…) (app.js:7)")
    assert "execFile" in finding.fix
    assert finding.why


def test_the_way_leads_through_other_files_and_their_other_names(look: Look) -> None:
    files = {
        "src/app.ts": APP.replace("exec(command)", "run(command)").replace(
            'const { exec } = require("child_process")', 'import { run } from "@/tools"'
        ),
        "src/lib/tools.ts": (
            'import { exec } from "child_process";\nexport function run(line: string) {\n  exec(line);\n}\n'
        ),
        "tsconfig.json": '{"compilerOptions": {"paths": {"@/*": ["./src/lib/*"]}}}',
    }
    (finding,) = look("dataflow-javascript", files).findings
    assert finding.message == (
        "OS command injection: req.query (src/app.ts:5) → command (src/app.ts:6) → run(…) (src/app.ts:7) → "
        "exec(…) (src/lib/tools.ts:3)"
    )


def test_ways_to_one_place_are_one_finding(look: Look) -> None:
    code = APP.replace("exec(command);", "run(command);\n  run(req.body.a);\n  run(req.body.b);")
    code += "function run(line) {\n  exec(line);\n}\n"
    (finding,) = look("dataflow-javascript", {"app.js": code}).findings
    assert finding.message.endswith("; 2 more ways lead there")


@pytest.mark.parametrize("path", ["tests/app.js", "src/app.test.js", "src/__tests__/app.js", "types/app.d.ts"])
def test_what_a_test_is_given_comes_from_the_test(found: Found, path: str) -> None:
    assert found("dataflow-javascript", {path: APP}) == []


def test_who_runs_a_program_may_do_much_with_it(found: Found) -> None:
    code = 'require("child_process").exec(process.argv[2]);\nrequire("fs").readFileSync(process.argv[3]);\n'
    assert found("dataflow-javascript", {"tool.js": code}) == ["note command tool.js:1"]


def test_what_a_program_made_is_left_out_and_said(look: Look) -> None:
    files = {"a.min.js": "eval(location.hash);", "b.js": f"eval(location.hash);{'a();' * 2000}\n", "app.js": APP}
    result = look("dataflow-javascript", files)
    assert [finding.path for finding in result.findings] == ["app.js"]
    assert dict(result.coverage.skipped) == dict.fromkeys(
        ("a.min.js", "b.js"), "minified: made from another source, which is to be looked at"
    )


def test_what_is_no_script_is_named(look: Look) -> None:
    result = look("dataflow-javascript", {"app.js": APP, "broken.js": "function (\n= {{{ ((("})
    assert result.status is Status.FAIL
    assert result.coverage.failed == {"broken.js": "not all of it can be parsed (from line 1)"}


def test_what_takes_too_long_is_named(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.verify.dataflow_javascript.machine.MOST_STEPS", 5)
    result = look("dataflow-javascript", {"app.js": APP})
    assert result.status is Status.INCOMPLETE
    assert result.coverage.failed == {"app.js": "following its data takes too long"}


def test_without_scripts_it_is_skipped(look: Look) -> None:
    assert look("dataflow-javascript", {"app.min.js": "a()"}).status is Status.SKIPPED
