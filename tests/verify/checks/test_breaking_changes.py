from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult, Finding, Severity, Status

Look = Callable[..., CheckResult]
Git = Callable[..., str]

API = """\
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
paths:
  /orders:
    get:
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  id: {type: integer}
                  total: {type: number}
"""
BROKEN = API.replace("                  total: {type: number}\n", "")


@pytest.fixture
def committed(root: Path, git: Git) -> Callable[..., None]:
    def commit(files: dict[str, str]) -> None:
        for path, text in files.items():
            (root / path).write_text(text)
        git("add", "-A")
        git("commit", "-q", "-m", "change")

    return commit


def test_a_field_less(look: Look, committed: Callable[..., None], git: Git) -> None:
    committed({"openapi.yaml": API})
    (finding,) = look("breaking-changes", {"openapi.yaml": BROKEN}).findings
    expected = Finding(
        check="breaking-changes",
        rule="response-field-removed",
        severity=Severity.ERROR,
        path="openapi.yaml",
        line=11,
        message="GET /orders: the response 200.total is gone (compared with " + git("rev-parse", "HEAD")[:12] + ")",
        why="Clients that were written for the earlier document stop working when this is deployed.",
        fix="Send the field still, until the next major version.",
        snippet="schema:",
        fingerprint=finding.fingerprint,
    )
    assert finding == expected


def test_committed(look: Look, committed: Callable[..., None]) -> None:
    """The last commit is the change, where nothing of it is left to commit."""
    committed({"openapi.yaml": API})
    committed({"openapi.yaml": BROKEN})
    assert [each.rule for each in look("breaking-changes", {"other.txt": "x"}).findings] == ["response-field-removed"]


def test_since_a_named_commit(look: Look, committed: Callable[..., None], git: Git) -> None:
    committed({"openapi.yaml": API})
    first = git("rev-parse", "HEAD")
    committed({"openapi.yaml": BROKEN})
    committed({"other.txt": "y"})
    assert look("breaking-changes", {}).status is Status.PASS
    assert [each.rule for each in look("breaking-changes", {}, base=first).findings] == ["response-field-removed"]


def test_a_new_version(look: Look, committed: Callable[..., None]) -> None:
    committed({"openapi.yaml": API})
    result = look("breaking-changes", {"openapi.yaml": BROKEN.replace("1.0.0", "2.0.0")})
    assert (result.status, [each.severity for each in result.findings]) == (Status.PASS, [Severity.NOTE])


def test_moved_and_gone(look: Look, root: Path, committed: Callable[..., None]) -> None:
    committed({"openapi.yaml": API, "omni.toml": ""})
    (root / "openapi.yaml").unlink()
    assert [each.rule for each in look("breaking-changes", {}).findings] == ["document-removed"]
    found = look("breaking-changes", {"docs/shop-openapi.yaml": BROKEN}).findings
    assert [(each.rule, each.path) for each in found] == [("response-field-removed", "docs/shop-openapi.yaml")]


def test_what_is_left_out_of_the_verification(look: Look, committed: Callable[..., None]) -> None:
    committed({"openapi.yaml": API, "omni.toml": ""})
    committed({"other.txt": "y"})
    config = '[verify]\nexclude = [{ path = "*.yaml", because = "It belongs to somebody else." }]\n'
    assert look("breaking-changes", {"omni.toml": config, "openapi.yaml": BROKEN}).findings == ()


def test_without_history(look: Look, root: Path, git: Git, tmp_path: Path) -> None:
    assert look("breaking-changes", {"openapi.yaml": API}).status is Status.SKIPPED
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    result = look("breaking-changes", {})
    assert (result.status, result.reason) == (Status.SKIPPED, "there is no earlier commit to compare with")


def test_a_shallow_clone(look: Look, root: Path, committed: Callable[..., None], git: Git) -> None:
    committed({"openapi.yaml": API})
    committed({"openapi.yaml": BROKEN})
    (root / ".git" / "shallow").write_text(git("rev-parse", "HEAD") + "\n")
    result = look("breaking-changes", {})
    assert result.status is Status.INCOMPLETE
    assert "git fetch --deepen 1" in result.reason
