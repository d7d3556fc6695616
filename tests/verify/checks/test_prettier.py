"""What Prettier prints is judged; that it is run, and the project's own one, is in test_javascript_tools.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.verify.played import said

from omni.verify.report import CheckResult, Status
from omni.verify.tools import versions

Replay = Callable[..., CheckResult]
Answer = Callable[..., list[tuple[str, ...]]]
Judged = Callable[..., CheckResult]

FILES = {".prettierrc": "{}\n", "a.ts": "let a\n", "b.css": "a{}\n", "README.md": "* a\n"}
OWN = "node_modules/prettier/bin/prettier.cjs"


@pytest.fixture
def judged(replay: Replay, answer: Answer) -> Judged:
    """What is made of these words; `asked` gets what was run."""

    def run(
        said: str, errors: str = "", exit_code: int = 0, *, asked: list[tuple[str, ...]] | None = None, **more: str
    ) -> CheckResult:
        ran = answer({}, said, exit_code, errors)
        result = replay("prettier", FILES | more, "")
        if asked is not None:
            asked += ran
        return result

    return run


def test_by_the_pinned_one_it_is_a_note(judged: Judged) -> None:
    asked: list[tuple[str, ...]] = []
    lock = {"package-lock.json": "{}\n"}
    result = judged("a.ts\nb.css\nREADME.md\nmade/x.ts\n", "", 1, asked=asked, **lock)
    assert said(result) == [
        f"note unformatted {path}:1 not laid out as Prettier would" for path in ("README.md", "a.ts", "b.css")
    ]
    (argv,) = asked
    assert argv[:5] == ("prettier", "--list-different", "--ignore-unknown", "--no-color", "--")
    assert sorted(argv[5:]) == ["README.md", "a.ts", "b.css"]


def test_by_the_project_s_own_one_the_layout_of_code_counts(judged: Judged) -> None:
    asked: list[tuple[str, ...]] = []
    own = {OWN: "", ".gitignore": "node_modules\n", "package.json": '{"dependencies": {"prettier": "1"}}'}
    result = judged("a.ts\nb.css\nREADME.md\n", "", 1, asked=asked, **own)
    assert [each.partition(":")[0] for each in said(result)] == [
        "note unformatted README.md",
        "error unformatted a.ts",
        "error unformatted b.css",
    ]
    assert asked[0][:3] == ("node", OWN, "--list-different")


def test_what_it_can_not_parse_is_not_judged(judged: Judged) -> None:
    errors = f"[error] a.ts: SyntaxError: {'x' * 300}\n[error]   1 | let\n[error] > 2 | a\n"
    result = judged("b.css\n", errors, 2)
    assert [each.path for each in result.findings] == ["b.css"]
    assert dict(result.coverage.skipped) == {"a.ts": f"Prettier can't parse it: SyntaxError: {'x' * 187}"}


@pytest.mark.parametrize(
    ("said", "errors", "exit_code", "reason"),
    [
        ("", "[error] Invalid option: x\n", 2, "Prettier ended with 2: Invalid option: x"),
        ("a.ts\n", "[error] Invalid option: x\n", 2, "Prettier ended with 2: Invalid option: x"),
        ("", "no\n memory\n", 1, "Prettier ended with 1: no memory"),
        ("", "", 1, "Prettier ended with 1: exited"),
        ("a.ts\n", "", 3, "Prettier ended with 3: exited"),
    ],
)
def test_when_it_fails_its_words_are_the_reason(
    judged: Judged, said: str, errors: str, exit_code: int, reason: str
) -> None:
    result = judged(said, errors, exit_code)
    assert (result.status, result.reason, result.findings) == (Status.ERROR, reason, ())


@pytest.mark.parametrize("name", ["prettier-plugin-x", "@scope/config"])
def test_what_its_configuration_needs_is_named(judged: Judged, name: str) -> None:
    result = judged("", f"[error] Cannot find package '{name}' imported from /work/a\n", 2)
    assert (result.status, result.reason) == (
        Status.INCOMPLETE,
        f"the configuration of Prettier needs {name}, which is not installed. Type: npm install",
    )


MAJOR = versions("prettier")["prettier"].partition(".")[0]


@pytest.mark.parametrize(
    ("wanted", "is_run"),
    [(f"^{MAJOR}.0.0", True), (MAJOR, True), (f"1{MAJOR}.0.0", False), (f"2.{MAJOR}.0", False), ("^1.0.0", False)],
)
@pytest.mark.parametrize("group", ["dependencies", "devDependencies"])
def test_another_version_than_the_project_asks_for_is_not_asked(
    judged: Judged, group: str, wanted: str, is_run: bool
) -> None:
    asked: list[tuple[str, ...]] = []
    manifest = f'{{"{group}": {{"prettier": "{wanted}"}}}}'
    result = judged("", asked=asked, **{"package.json": manifest})
    why = "" if is_run else f"the project asks for Prettier {wanted}, which is not installed. Type: npm install"
    assert (len(asked), result.reason) == (int(is_run), why)
    assert result.status is (Status.PASS if is_run else Status.INCOMPLETE)


@pytest.mark.parametrize("path", [".prettierrc", ".prettierrc.yaml", "prettier.config.mjs", "prettier.config.ts"])
def test_where_it_is_configured(replay: Replay, answer: Answer, path: str) -> None:
    asked = answer({})
    assert replay("prettier", {path: "", "a.ts": ""}, "").status is Status.PASS
    assert len(asked) == 1


def test_where_it_is_not(replay: Replay) -> None:
    result = replay("prettier", {"web/.prettierrc": "", "a.prettierrc": "", ".prettierignore": "", "a.ts": ""}, "")
    assert (result.status, result.reason) == (
        Status.SKIPPED,
        "the project has no configuration of Prettier at its root",
    )
