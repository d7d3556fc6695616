"""What kubernetes-validate prints is understood; that it finds the faults is in test_languages_real.py."""

from __future__ import annotations

from collections.abc import Callable

from tests.verify.played import said

from omni.verify.report import CheckResult, Status

Replay = Callable[..., CheckResult]

MANIFEST = """\
# two of three
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: eighty
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: two
---
apiVersion: example.org/v1
kind: Thing
metadata:
  name: web-thing
"""
SAID = """\
INFO k.yaml validated for resource service/other against version 1.37
ERROR k.yaml did not validate for resource service/web against version 1.37: spec.ports.0.port: 'eighty' is no integer
WARNING k.yaml did not validate for resource deployment/web against version 1.37: spec.replicas: 'two': no integer
ERROR k.yaml did not validate for resource deployment/gone against version 1.37: spec.replicas: 'two' is no integer
WARN k.yaml Couldn't find schema for kind Thing with api version example.org/v1
"""


def test_each_at_the_value_in_its_resource(replay: Replay) -> None:
    for stream in (1, 2):
        result = replay("kubernetes", {"k.yaml": MANIFEST}, SAID, 1, stream)
        assert sorted(said(result)) == [
            "error invalid k.yaml:1 deployment gone: spec.replicas: 'two' is no integer",
            "error invalid k.yaml:15 deployment web: spec.replicas: 'two': no integer",
            "error invalid k.yaml:8 service web: spec.ports.0.port: 'eighty' is no integer",
            "note unknown-kind k.yaml:1 Couldn't find schema for kind Thing with api version example.org/v1",
        ]
        assert result.status is Status.FAIL


def test_what_is_long_is_cut(replay: Replay) -> None:
    lines = (
        f"ERROR k.yaml did not for resource service/web against version 1: spec: {'x' * 400}\nWARN k.yaml {'y' * 400}\n"
    )
    assert [len(each.message) for each in replay("kubernetes", {"k.yaml": MANIFEST}, lines, 1).findings] == [300, 300]


def test_each_manifest_is_asked_for_and_a_template_is_not(replay: Replay) -> None:
    files = {
        "a.yaml": "apiVersion: v1\nkind: A\n",
        "b.yaml": "apiVersion: v1\nkind: B\nname: {{ .Values.name }}\n",
        "c.yaml": "kind: of magic\n",
        "d.yaml": "apiVersion: v1\nkind: D\n",
    }
    result = replay("kubernetes", files, "WARN x odd\n")
    assert said(result) == ["note unknown-kind a.yaml:1 odd", "note unknown-kind d.yaml:1 odd"]
    assert (result.status, result.reason) == (Status.PASS, "")
    assert result.coverage.skipped == {"b.yaml": "a template: what it becomes is not known here"}


def test_without_a_manifest_it_does_not_apply(replay: Replay) -> None:
    for text in ("kind: a\n", "apiVersion: v1\n", "spec:\n  apiVersion: v1\n  kind: a\n"):
        result = replay("kubernetes", {"a.yaml": text}, "")
        assert (result.status, result.reason) == (Status.SKIPPED, "there is no Kubernetes manifest")
