"""What these scanners print is in test_adapters.py; here: when they are run, and each kind of thing they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of, told

from omni.verify.check import Failed, Output
from omni.verify.checks.scanners_infrastructure import (
    parse_actionlint,
    parse_checkov,
    parse_kubeconform,
    run_kube_linter,
    run_kubeconform,
)
from omni.verify.report import Finding

Write = Callable[[Mapping[str, str | bytes]], Path]
DEPLOY = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"
NO_SARIF = '{"version": "2.1.0", "runs": []}'


def test_without_a_manifest_there_is_nothing_to_ask(write: Write) -> None:
    root = write({"a.yaml": "b: 1\n"})
    for check, run in (("kube-linter", run_kube_linter), ("kubeconform", run_kubeconform)):
        assert told(run(context_of(root, check))) == ["skipped: there is no Kubernetes manifest"]


def test_manifests_alone_are_asked_about(write: Write) -> None:
    root = write({"a.yaml": "b: 1\n", "deploy.yaml": DEPLOY})
    linter, conform = Played([Output(0, NO_SARIF, "")]), Played([Output(0, '{"resources": []}', "")])
    assert told(run_kube_linter(context_of(root, "kube-linter", linter))) == []
    assert told(run_kubeconform(context_of(root, "kubeconform", conform))) == []
    assert linter.asked == [("kube-linter", "lint", "--format", "sarif", "deploy.yaml")]
    assert [(argv[0], argv[-2:]) for argv in conform.asked] == [("kubeconform", ("{cache}", "deploy.yaml"))]


@pytest.mark.parametrize("answer", [Output(2, NO_SARIF, " no \n config"), Output(1, " \n", "no config")])
def test_kube_linter_that_fails(write: Write, answer: Output) -> None:
    with pytest.raises(Failed, match=r"^kube-linter failed: no config$"):
        list(run_kube_linter(context_of(write({"deploy.yaml": DEPLOY}), "kube-linter", Played([answer]))))


def test_each_status_of_kubeconform(write: Write) -> None:
    resource = {"kind": "Deployment", "name": "x", "filename": "deploy.yaml", "msg": "bad"}
    names = ("statusValid", "statusInvalid", "statusError", "statusSkipped")
    wrong = {"validationErrors": [{"path": "/spec", "msg": "worse"}, {"path": "/kind", "msg": "worst"}]}
    resources = [{**resource, "status": name} for name in names]
    report = {"resources": [*resources, {**resources[1], **wrong}]}
    context = context_of(write({}), "kubeconform")
    assert told(parse_kubeconform(context, Output(1, json.dumps(report), ""))) == [
        "error invalid deploy.yaml:1 Deployment x: bad",
        "unseen deploy.yaml: bad",
        "error invalid deploy.yaml:1 Deployment x: /spec: worse",
        "error invalid deploy.yaml:1 Deployment x: /kind: worst",
    ]


def test_checkov_says_one_object_or_one_for_each_kind_of_file(write: Write) -> None:
    failed = {"check_id": "C1", "check_name": "bad", "file_path": "/main.tf", "file_line_range": [3, 9]}
    first = {
        "check_type": "terraform",
        "summary": {"parsing_errors": 2},
        "results": {"failed_checks": [{**failed, "guideline": "Do it."}]},
    }
    second = {"results": {"failed_checks": [failed]}}
    context = context_of(write({"main.tf": "\n"}), "checkov")
    expected = ["incomplete: checkov could not parse 2 of the files of terraform", "warning C1 main.tf:3 bad"]
    assert told(parse_checkov(context, Output(0, json.dumps(first), ""))) == expected
    both = list(parse_checkov(context, Output(0, json.dumps([first, {"passed": 0}, [], second]), "")))
    assert told(both) == [*expected, "warning C1 main.tf:3 bad"]
    assert [each.fix for each in both if isinstance(each, Finding)] == ["Do it.", ""]


def test_actionlint_names_the_place(write: Write) -> None:
    said = [{"kind": "expression", "message": "bad", "filepath": ".github/workflows/a.yml", "line": 5, "column": 7}]
    (found,) = parse_actionlint(context_of(write({}), "actionlint"), Output(1, json.dumps(said), ""))
    assert isinstance(found, Finding)
    assert told([found]) == ["error expression .github/workflows/a.yml:5 bad"]
    assert found.column == 7


@pytest.mark.parametrize(("check", "parse"), [("kubeconform", parse_kubeconform), ("actionlint", parse_actionlint)])
def test_a_report_of_another_shape_is_an_error(write: Write, check: str, parse: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="did not print"):
        told(parse(context_of(write({}), check), Output(0, '"x"', "")))  # type: ignore[arg-type]
