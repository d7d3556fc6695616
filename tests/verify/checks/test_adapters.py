"""Tools that not every machine has: what they print is understood. Where it comes from: recorded/README.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from omni.verify import registry
from omni.verify.check import Context, Item, Output
from omni.verify.checks.scanners_code import parse_infer
from omni.verify.report import CheckResult, Severity, Status
from omni.verify.tools import MACHINE

Write = Callable[[Mapping[str, str | bytes]], Path]
Replay = Callable[..., CheckResult]

RECORDED = Path(__file__).with_name("recorded")
DEPLOY = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"
REQUIREMENTS = {"requirements.txt": "requests==2.30.0\n"}
GO = {"go.mod": "module demo\n\ngo 1.20\n", "main.go": "package main" + "\n" * 30}
JAVA = {"A.java": "class A {\n\n\n\n}\n"}
C = {"a.c": '#include <stdlib.h>\n#include <string.h>\n#include "missing.h"\n\n', "b.c": "\n\nint f(void) {}\n"}


@dataclass(frozen=True)
class Case:
    check: str
    recorded: str
    files: Mapping[str, str]
    found: tuple[str, ...]
    """`severity rule path:line`, in order."""
    exit_code: int = 0
    stream: int = 1
    status: Status = Status.FAIL
    reason: str = ""


CASES = (
    Case(
        "rust-clippy",
        "clippy-1.95.jsonl",
        {"Cargo.toml": "[package]\n", "src/main.rs": "fn main() {\n\n\n\n}\n"},
        ("warning clippy::len_zero src/main.rs:3", "warning unused_variables src/main.rs:4"),
        status=Status.PASS,
    ),
    Case(
        "rust-format",
        "rustfmt-1.9.txt",
        {"src/main.rs": "fn main( ) {}\n"},
        ("note unformatted src/main.rs:1",),
        exit_code=1,
        status=Status.PASS,
    ),
    Case(
        "rust-format",
        "rustfmt-1.9-broken.txt",
        {"src/bad.rs": "fn main( {\n"},
        ("warning syntax src/bad.rs:1",),
        exit_code=1,
        stream=2,
        status=Status.PASS,
    ),
    Case(
        "cargo-audit",
        "cargo-audit-0.22.json",
        {"Cargo.lock": '[[package]]\nname = "ansi_term"\n\n[[package]]\nname = "time"\n'},
        ("note RUSTSEC-2021-0139 Cargo.lock:2", "error RUSTSEC-2020-0071 Cargo.lock:5"),
        1,
    ),
    Case("go-vet", "go-vet-1.27.json", GO, ("error printf main.go:6",)),
    Case("go-vet", "go-vet-1.27-broken.txt", GO, ("error compile main.go:4",), exit_code=1, stream=2),
    Case(
        "staticcheck",
        "staticcheck-2026.1.jsonl",
        GO,
        (
            "error SA4006 main.go:11",
            "note ST1005 main.go:14",
            "note ST1005 main.go:14",
            "warning U1000 main.go:19",
            "error SA5009 main.go:22",
        ),
        exit_code=1,
    ),
    Case(
        "staticcheck",
        "staticcheck-2026.1-broken.jsonl",
        {**GO, "gone.go": "package main\n\n\n"},
        (),
        exit_code=1,
        status=Status.INCOMPLETE,
        reason="what does not compile was not looked at: gone.go:3: no required module provides package"
        " example.com/gone/pkg; to add it: go get example.com/gone/pkg",
    ),
    Case(
        "gosec",
        "gosec-2.22.json",
        {**GO, "b.go": "package main\n"},
        ("warning G501 main.go:4", "warning G304 main.go:11", "warning G401 main.go:22"),
        exit_code=1,
        status=Status.INCOMPLETE,
        reason="1 of 3 files not analysed: b.go (it could not be compiled: undefined: undefined)",
    ),
    Case(
        "govulncheck",
        "govulncheck-1.6.sarif",
        {**GO, "go.mod": "module demo\n\ngo 1.20\n\nrequire golang.org/x/text v0.3.0\n"},
        ("error GO-2020-0015 go.mod:5", "error GO-2021-0113 go.mod:5"),
    ),
    Case(
        "javac",
        "javac-17.txt",
        JAVA,
        ("warning rawtypes A.java:4", "warning rawtypes A.java:4"),
        exit_code=1,
        stream=2,
        status=Status.INCOMPLETE,
        reason="its packages are not here, so their use was not checked: package org.missing does not exist",
    ),
    Case(
        "javac",
        "javac-17-complete.txt",
        {"B.java": "class B {\n\n\n}\n"},
        ("warning rawtypes B.java:3", "warning rawtypes B.java:3", "error compile B.java:4"),
        exit_code=1,
        stream=2,
    ),
    Case(
        "checkstyle",
        "checkstyle-8.36.xml",
        {"checkstyle.xml": "<module/>\n", **JAVA},
        ("error NeedBraces A.java:3", "warning MagicNumber A.java:4"),
        1,
    ),
    Case(
        "gcc-analyzer",
        "gcc-12.2.json",
        {"b.c": C["b.c"]},
        (
            "warning -Wanalyzer-possible-null-argument b.c:3",
            "warning -Wstringop-overflow= b.c:3",
            "error -Wanalyzer-use-after-free b.c:3",
            "warning -Wuse-after-free b.c:3",
        ),
        stream=2,
    ),
    Case(
        "clang-tidy",
        "clang-tidy-14.txt",
        C,
        ("warning clang-analyzer-security.insecureAPI.strcpy b.c:3", "warning clang-analyzer-unix.Malloc b.c:3"),
        status=Status.INCOMPLETE,
        reason="1 of 2 files not analysed: a.c (it includes what is not here: 'missing.h' file not found)",
    ),
    Case(
        "terraform-validate",
        "terraform-1.11.json",
        {"main.tf": 'variable "x" {}\n\n\n\n\n'},
        ("error reference-to-undeclared-input-variable main.tf:5",),
        exit_code=1,
    ),
    Case(
        "tflint",
        "tflint.sarif",
        {"main.tf": "\n"},
        ("warning terraform_unused_declarations main.tf:1",),
        2,
        status=Status.PASS,
    ),
    Case(
        "sqlfluff",
        "sqlfluff-4.5.json",
        {"a.sql": "SELECT a,b FROM t\n", ".sqlfluff": "[sqlfluff]\ndialect = postgres\n"},
        ("error LT09 a.sql:1", "error LT01 a.sql:1", "error LT14 a.sql:1"),
        exit_code=1,
    ),
    Case("psalm", "psalm.sarif", {"a.php": "<?php\n\n"}, ("error 246 a.php:2",), 2),
    Case(
        "trivy",
        "trivy.sarif",
        {**REQUIREMENTS, "Dockerfile": "FROM x\n"},
        ("error DS002 Dockerfile:1", "warning CVE-2023-32681 requirements.txt:1"),
    ),
    Case(
        "trivy",
        "trivy-0.59.sarif",
        {"Dockerfile": "FROM x\nRUN y\n"},
        ("error DS002 Dockerfile:1", "note DS026 Dockerfile:1", "error DS017 Dockerfile:2"),
    ),
    Case(
        "grype",
        "grype.sarif",
        REQUIREMENTS,
        ("warning GHSA-j8r2-6x86-q33q-requests requirements.txt:1",),
        status=Status.PASS,
    ),
    Case(
        "osv-scanner",
        "osv-scanner.sarif",
        REQUIREMENTS,
        ("warning CVE-2023-32681 requirements.txt:None",),
        exit_code=1,
        status=Status.PASS,
    ),
    Case(
        "gitleaks",
        "gitleaks-8.30.sarif",
        {"settings.py": "\n\nKEY = 'x'\nTOKEN = 'x'\n"},
        ("error aws-access-token settings.py:3", "error github-pat settings.py:4"),
    ),
    Case("trufflehog", "trufflehog.jsonl", {"settings.py": "KEY = 'x'\n"}, ("error aws settings.py:1",)),
    Case(
        "bandit",
        "bandit.json",
        {"a.py": "print(1)\n", "b.py": "eval(input())\n", "c.py": "def (\n"},
        ("warning B307 b.py:1",),
        status=Status.INCOMPLETE,
        reason="bandit could not read c.py: syntax error while parsing AST from file",
    ),
    Case("semgrep", "semgrep.sarif", {"a.py": "print(1)\n", ".semgrep.yml": "rules: []\n"}, ("error no-print a.py:1",)),
    Case("codeql", "codeql.sarif", {"a.py": "x = 1\n"}, ("error py/sql-injection a.py:1",)),
    Case(
        "checkov",
        "checkov-3.3.json",
        {"main.tf": "\n\n\n\n", "deploy.yaml": DEPLOY, "Dockerfile": "FROM x\nRUN y\n"},
        ("warning CKV_DOCKER_5 Dockerfile:2", "warning CKV_K8S_23 deploy.yaml:1", "warning CKV_AWS_18 main.tf:1"),
        status=Status.INCOMPLETE,
        reason="checkov could not parse 1 of the files of terraform",
    ),
    Case(
        "kube-linter",
        "kube-linter.sarif",
        {"deploy.yaml": DEPLOY},
        ("warning run-as-non-root deploy.yaml:1",),
        1,
        status=Status.PASS,
    ),
    Case(
        "kubeconform",
        "kubeconform-0.7.json",
        {"deploy.yaml": DEPLOY, "custom.yaml": "apiVersion: example.com/v1\nkind: Thing\n"},
        ("error invalid deploy.yaml:1", "error invalid deploy.yaml:1"),
        exit_code=1,
        status=Status.FAIL,
        reason="1 of 2 files not analysed: custom.yaml (could not find schema for Thing)",
    ),
    Case(
        "actionlint",
        "actionlint-1.7.json",
        {".github/workflows/ci.yml": "on: push" + "\n" * 12},
        (
            "error expression .github/workflows/ci.yml:6",
            "error action .github/workflows/ci.yml:9",
            "error syntax-check .github/workflows/ci.yml:11",
        ),
        exit_code=1,
    ),
    Case(
        "npm-audit",
        "npm-audit.json",
        {"package-lock.json": "{}\n"},
        ("error GHSA-xvch-5gv4-984h package-lock.json:None",),
        1,
    ),
    Case(
        "npm-audit",
        "npm-audit-11-refused.json",
        {"package-lock.json": "{}\n"},
        (),
        1,
        status=Status.INCOMPLETE,
        reason="npm audit failed: 405 Method Not Allowed - POST /-/npm/v1/security/advisories/bulk",
    ),
    Case(
        "licensee",
        "licensee-9.15.json",
        {"LICENSE": "Do as I say.\n"},
        ("warning unknown-licence LICENSE:1",),
        status=Status.PASS,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.recorded}")
def test_what_it_prints_is_understood(replay: Replay, case: Case) -> None:
    result = replay(case.check, case.files, (RECORDED / case.recorded).read_text(), case.exit_code, case.stream)
    found = tuple(f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings)
    assert (found, result.status, result.reason) == (case.found, case.status, case.reason)


def test_each_finding_says_why(replay: Replay) -> None:
    for case in CASES:
        result = replay(case.check, case.files, (RECORDED / case.recorded).read_text(), case.exit_code, case.stream)
        assert all(each.why for each in result.findings), case.check


FROM_OUTSIDE = sorted({case.check for case in CASES})


@pytest.mark.parametrize("check", FROM_OUTSIDE)
@pytest.mark.parametrize("said", ["", "garbage \x00 {", "[]", "{}", '{"runs": 3}', "null", '[{"a": 1}]'])
def test_garbage_never_passes(replay: Replay, check: str, said: str) -> None:
    """A tool that breaks is said to have broken: exit code 3 is none that stands for findings."""
    files = next(case.files for case in CASES if case.check == check)
    assert replay(check, files, said, 3).status in {Status.ERROR, Status.INCOMPLETE}


def test_every_recorded_output_is_used_and_its_source_named() -> None:
    there = {path.name for path in RECORDED.iterdir()} - {"README.md"}
    assert there == {case.recorded for case in CASES} | {"infer.json"}
    readme = (RECORDED / "README.md").read_text()
    assert [name for name in there if name not in readme] == []


def test_every_tool_of_the_machine_has_a_case_or_a_real_run() -> None:
    real = {"go-format", "terraform-format"}  # in test_languages_real.py
    of_machine = {check.id for check in registry.checks() if check.toolset == MACHINE and check.tool}
    assert of_machine <= {case.check for case in CASES} | real | {"infer"}


def test_infers_report(replay: Replay) -> None:
    """Infer watches a compiler in the sandbox and leaves a file; what is in the file is what counts here."""

    def run(context: Context) -> Iterator[Item]:
        return parse_infer(context, Output(0, (RECORDED / "infer.json").read_text(), ""))

    (finding,) = replay("infer", JAVA, "", run=run).findings
    assert (finding.rule, finding.path, finding.line, finding.column) == ("NULLPTR_DEREFERENCE", "A.java", 3, 12)
    assert (finding.severity, finding.message) == (Severity.ERROR, "`s` could be null and is dereferenced.")
