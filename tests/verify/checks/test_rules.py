from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.verify.checks.rules import CHECKS
from omni.verify.report import CheckResult, Report, Severity, Status
from omni.verify.rules.entry import HERE

Look = Callable[..., CheckResult]
Found = Callable[..., list[str]]
Write = Callable[[Mapping[str, str | bytes]], Path]
Verify = Callable[..., Report]
AddTool = Callable[[str, str], None]

CONST = """\
id: names-foo
language: Python
severity: error
message: something is named foo
rule: { kind: identifier, regex: ^foo$ }
metadata:
  why: Nobody knows what it is.
  fix: Name it after what it holds.
  where: anywhere
  valid: [bar = 1]
  invalid: [foo = 1]
"""


def test_findings_say_all(look: Look) -> None:
    result = look("rules", {"a.ts": "const a = 1;\nconst f = new Function(input);\n"})
    assert result.status is Status.FAIL
    assert [each.model_dump(exclude={"fingerprint"}, exclude_defaults=True) for each in result.findings] == snapshot(
        [
            {
                "check": "rules",
                "rule": "security-js-code-from-text",
                "severity": Severity.ERROR,
                "path": "a.ts",
                "line": 2,
                "column": 11,
                "message": "text is run as code",
                "why": "Whoever can influence the text runs programs in the page, or on the server.",
                "fix": "JSON.parse for data; a table of functions for choices.",
                "snippet": "const f = new Function(input);",
                "cwe": "CWE-95",
            }
        ]
    )


def test_other_files_are_left_alone(found: Found) -> None:
    files = {
        "lib.min.js": "const f = new Function(input);\n",
        "api.d.ts": "const f = new Function(input);\n",
        "tests/a.test.ts": "const f = new Function(input);\n",
        "docs/a.py": 'jwt.decode(t, options={"verify_signature": False})\n',
    }
    assert found("rules", files) == []


def test_a_comment_for_ast_grep_hides_nothing(found: Found) -> None:
    text = "// ast-grep-ignore\nconst f = new Function(input);\nconst g = new Function(output); // ast-grep-ignore\n"
    assert found("rules", {"a.ts": text}) == [
        "error security-js-code-from-text a.ts:2",
        "error security-js-code-from-text a.ts:3",
    ]


def test_scripts_without_an_ending_and_other_codings_are_read(look: Look, found: Found) -> None:
    bad = 'jwt.decode(t, options={"verify_signature": False})\n'
    files: dict[str, str | bytes] = {
        "tool": "#!/usr/bin/env python3\n" + bad,
        "latin.py": "# coding: latin-1\nname = 'é'\n".encode("latin-1") + bad.encode(),
        "-dash.py": bad,
    }
    assert found("rules", files) == [
        "error security-token-not-verified -dash.py:1",
        "error security-token-not-verified latin.py:3",
        "error security-token-not-verified tool:2",
    ]


def test_a_file_too_large_for_ast_grep_is_not_called_seen(look: Look) -> None:
    result = look("rules", {"a.py": "a = 1\n" * 600_000})
    assert result.status is Status.INCOMPLETE
    assert result.coverage.failed == {"a.py": "larger than 3 MB, which ast-grep passes over"}


def test_one_fault_is_one_finding(found: Found) -> None:
    text = 'jwt.decode(t, options={"verify_signature": False}, algorithms=["none"])\n'
    assert found("rules", {"a.py": text}) == ["error security-token-any-algorithm a.py:1"]


def test_a_project_has_rules_of_its_own(look: Look, found: Found) -> None:
    files = {".omni/rules/names.yml": CONST, "a.py": "foo = 1\n"}
    assert found("project-rules", files) == ["error names-foo a.py:1"]


def test_a_project_without_rules(look: Look) -> None:
    result = look("project-rules", {"a.py": "foo = 1\n"})
    assert (result.status, result.reason) == (Status.SKIPPED, "there are no rules in .omni/rules")


def test_rules_that_are_none_are_never_green(look: Look) -> None:
    for text, why in (
        ("[" * 5000, "nested deeper than 40 levels"),
        ("a: &a [1]\nb: *a\n", "it uses an alias (*), which rules may not"),
        (CONST.replace("rule:", "fix: rm\nrule:"), "names-foo.fix: Extra inputs are not permitted"),
        ("a: [", "not YAML: "),
    ):
        result = look("project-rules", {".omni/rules/bad.yml": text, "a.py": "foo = 1\n"})
        assert result.status is Status.INCOMPLETE
        assert why in result.reason


def test_a_rule_that_ast_grep_refuses_is_an_error(look: Look) -> None:
    text = CONST.replace("kind: identifier", "kind: no_such_kind")
    result = look("project-rules", {".omni/rules/bad.yml": text, "a.py": "foo = 1\n"})
    assert result.status is Status.ERROR
    assert "no_such_kind" in result.reason


def test_an_id_is_used_once(look: Look) -> None:
    files = {".omni/rules/a.yml": CONST, ".omni/rules/b.yml": CONST, "a.py": "foo = 1\n"}
    result = look("project-rules", files)
    assert (result.status, result.reason) == (Status.INCOMPLETE, "two rules in .omni/rules have the same id")


@pytest.mark.parametrize(
    ("script", "status", "why"),
    [
        ("exit 8", Status.ERROR, "exit code 8"),
        ("kill -9 $$", Status.ERROR, "killed by a signal"),
        ("echo '{\"ruleId\": 1}'", Status.ERROR, "did not print what it should"),
        ("echo nonsense", Status.ERROR, "did not print what it should"),
        ("echo 'ERROR: a.py: Permission denied' >&2", Status.INCOMPLETE, "could not read all files"),
    ],
)
def test_a_tool_that_fails_is_never_green(
    write: Write, verify: Verify, add_tool: AddTool, script: str, status: Status, why: str
) -> None:
    add_tool("ast-grep", script)
    write({"a.py": "a = 1\n"})
    (result,) = verify(CHECKS[0]).results
    assert result.status is status
    assert why in result.reason


def test_without_the_tool_it_is_incomplete(write: Write, verify: Verify, add_tool: AddTool) -> None:
    add_tool("another", "exit 0")
    write({"a.py": "a = 1\n"})
    (result,) = verify(CHECKS[0]).results
    assert (result.status, "ast-grep is not" in result.reason) == (Status.INCOMPLETE, True)


def test_python_alone_is_judged_by_all_rules_for_python(found: Found) -> None:
    files = {"a.py": 'import jwt\njwt.decode(t, "k", options={"verify_signature": False})\n'}
    alone = found("rules", files)
    assert alone
    assert found("rules", {**files, "b.js": "const a = 1;\n"}) == alone
    assert {file.parent.name for file in HERE.glob("*/*.yml") if "language: Python" in file.read_text()} == {"python"}


def test_manifests_of_several_documents_and_templates(found: Found) -> None:
    """Each document by itself; a template is read as far as it is YAML."""
    several = """kind: ConfigMap
data:
  image: nothing
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: shop
          image: shop
          ports: [{containerPort: 80}]
---
kind: Service
spec:
  ports: [{port: 80}]
"""
    template = """{{- if .Values.enabled }}
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image }}"
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
{{- end }}
"""
    assert found("rules", {"k8s/app.yaml": several, "chart/templates/app.yaml": template}) == [
        "warning container-kubernetes-may-be-root k8s/app.yaml:9",
        "warning container-kubernetes-no-limits k8s/app.yaml:11",
        "warning container-kubernetes-no-probe k8s/app.yaml:11",
        "warning container-kubernetes-no-version k8s/app.yaml:11",
    ]
