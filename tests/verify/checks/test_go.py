"""Go: each module is asked in its own folder, and what is not here is not the code's fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Context, Failed, Item, Output
from omni.verify.checks import go
from omni.verify.report import Status

Write = Callable[[Mapping[str, str | bytes]], Path]
Runner = Callable[[Context], list[Item]]

MODULES = {"go.mod": "module a\n", "a.go": "package a\n", "sub/go.mod": "module b\n", "sub/b.go": "package b\n"}
RUNNERS = {
    "go-vet": go.run_vet,
    "staticcheck": go.run_staticcheck,
    "gosec": go.run_gosec,
    "govulncheck": go.run_govulncheck,
}
NOTHING = Output(0, json.dumps({"Golang errors": {}, "Issues": [], "runs": []}), "")


def test_vet_says_paths_from_the_folder_of_the_module(write: Write) -> None:
    broken = Output(1, "", "# b\nvet: ./b.go:4:2: undefined: c\n")
    played = Played([Output(0, "", ""), broken])
    context = context_of(write(MODULES), "go-vet", played)
    assert told(go.run_vet(context)) == ["error compile sub/b.go:4 undefined: c"]
    assert played.asked == [("go", "vet", "-json", "./..."), ("sub$ go", "vet", "-json", "./...")]


@pytest.mark.parametrize("check", ["staticcheck", "gosec", "govulncheck"])
def test_each_module_is_asked(write: Write, check: str) -> None:
    clean = Output(0, "", "") if check == "staticcheck" else NOTHING
    played = Played([clean, clean])
    assert told(RUNNERS[check](context_of(write(MODULES), check, played))) == []
    assert [asked[0] for asked in played.asked] == [check, f"sub$ {check}"]


@pytest.mark.parametrize("check", ["staticcheck", "gosec", "govulncheck"])
def test_without_a_module_nothing_is_known(write: Write, check: str) -> None:
    context = context_of(write({"a.go": "package a\n"}), check)
    assert told(RUNNERS[check](context)) == ["incomplete: there is no go.mod that says how to compile it"]


@pytest.mark.parametrize("check", RUNNERS)
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("a.go:5:2: module lookup disabled by GOPROXY=off\n", "the modules are not here, so it can't be compiled."),
        ("a.go:5:2: mkdir /home/a/go/pkg/mod/cache: read-only file system\n", "the modules are not here, so"),
        ("go: go.mod requires go >= 1.29 (running go 1.27.3)\n", "the go.mod asks for Go 1.29; here is an older one"),
    ],
)
def test_what_is_not_here_is_not_the_code_s_fault(write: Write, check: str, words: str, why: str) -> None:
    context = context_of(write(MODULES), check, Played([Output(1, "", words)]))
    with pytest.raises(Failed) as failed:
        list(RUNNERS[check](context))
    assert failed.value.why.startswith(why)
    assert failed.value.status is Status.INCOMPLETE


def test_gosec_tells_a_module_that_is_not_here_from_code_that_does_not_compile(write: Write) -> None:
    root = write(MODULES)
    errors = {
        f"{root}/a.go": [
            {"line": 5, "column": 2, "error": 'could not import example.com/c (invalid package name: "")'}
        ],
        f"{root}/sub/b.go": [{"line": 2, "column": 1, "error": "undefined: d"}],
        "": [{"line": 0, "column": 0, "error": "no package"}],
    }
    issue = {"rule_id": "G404", "details": "weak", "file": f"{root}/a.go", "line": "3-5", "column": "1"}
    report = {
        "Golang errors": errors,
        "Issues": [{**issue, "severity": "HIGH"}, {**issue, "severity": "LOW", "cwe": None}],
    }
    context = context_of(root, "gosec")
    assert told(go.parse_gosec(context, Output(1, json.dumps(report), ""))) == [
        (
            "unseen a.go: it could not be compiled: its modules are not here (could not import example.com/c"
            ' (invalid package name: "")). Type: go mod download'
        ),
        "unseen sub/b.go: it could not be compiled: undefined: d",
        "incomplete: it could not be compiled: no package",
        "error G404 a.go:3 weak",
        "note G404 a.go:3 weak",
    ]


@pytest.mark.parametrize("check", ["staticcheck", "gosec", "govulncheck"])
def test_one_that_fails_is_no_pass(write: Write, check: str) -> None:
    context = context_of(write(MODULES), check, Played([Output(3, "", "it\n broke")]))
    with pytest.raises(Failed, match="it broke"):
        list(RUNNERS[check](context))


def test_staticcheck_that_fails_and_names_nothing(write: Write) -> None:
    context = context_of(write(MODULES), "staticcheck", Played([Output(1, "", "")]))
    with pytest.raises(Failed, match="staticcheck found nothing and failed: in silence"):
        list(go.run_staticcheck(context))


def test_what_govulncheck_knows_is_told_at_the_module(write: Write) -> None:
    rule = {"id": "GO-1", "shortDescription": {"text": "[GO-1] It loops"}}
    said = [
        {"ruleId": "GO-1", "message": {"text": "Your code depends on 2 vulnerable modules (b.org/x, c.org/y)."}},
        {"ruleId": "GO-2", "message": {"text": "Your code is weak (it is)"}},
    ]
    report = {"runs": [{"tool": {"driver": {"rules": [rule]}}, "results": said}, {"tool": {"driver": {}}}]}
    files = {**MODULES, "sub/go.mod": "module b\n\nrequire b.org/x v1\n"}
    context = context_of(write(files), "govulncheck")
    assert told(go.parse_govulncheck(context, Output(0, json.dumps(report), ""), "sub")) == [
        "error GO-1 sub/go.mod:3 b.org/x: It loops",
        "error GO-2 sub/go.mod:1 Your code is weak (it is)",
    ]
