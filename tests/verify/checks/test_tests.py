from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.verify.played import Played, context_of

from omni.verify import config
from omni.verify.analysis.junit import Case
from omni.verify.analysis.repetition import Repeated
from omni.verify.check import Gap, Item, Metric, Output, Unseen
from omni.verify.checks import tests
from omni.verify.config import ProjectConfig
from omni.verify.quarantine import Quarantined
from omni.verify.report import CheckResult, Finding, Status

Look = Callable[..., CheckResult]
Write = Callable[[Mapping[str, str | bytes]], Path]

CONFTEST = (
    "import pytest\n\ndef pytest_configure(config):\n"
    "    config.addinivalue_line('markers', 'criterion(id): evidence')\n\n"
    "@pytest.fixture(autouse=True)\ndef _criterion(request, record_property):\n"
    "    for mark in request.node.iter_markers('criterion'):\n        record_property('criterion', mark.args[0])\n"
)
CODE = {"src/app/__init__.py": "", "src/app/a.py": "def f(a):\n    if a:\n        return 1\n    return 2\n"}
ENVIRONMENT = Path(sys.prefix)
"""The one that runs these tests: it has pytest and pytest-cov."""


def case(body: str, *criteria: str, name: str = "test_a") -> str:
    marks = "".join(f"@pytest.mark.criterion('{each}')\n" for each in criteria)
    return f"\n{marks}def {name}():\n    {body}\n"


HEAD = "import pytest\nfrom app.a import f\n"


@pytest.mark.host
def test_passed(look: Look) -> None:
    tests = HEAD + case("assert f(1) == 1", "AC1", "AC2") + case("assert f(0) == 2", "AC2", name="test_b")
    result = look("tests", {**CODE, "tests/conftest.py": CONFTEST, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())
    assert result.metrics == {
        "tests.passed": 2,
        "tests.failed": 0,
        "tests.skipped": 0,
        "criterion.AC1": 1,
        "criterion.AC2": 1,
        "coverage.line": 100,
        "coverage.branch": 100,
    }


@pytest.mark.host
def test_failed(look: Look) -> None:
    tests = HEAD + case("assert f(1) == 3", "AC1") + case("assert f(1) == 1", "AC1", "AC2", name="test_b")
    result = look("tests", {**CODE, "tests/conftest.py": CONFTEST, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    (finding,) = result.findings
    assert (finding.rule, finding.path, finding.message) == ("failed", "tests/test_a.py", "`test_a`: assert 1 == 3")
    assert {name: value for name, value in result.metrics.items() if name.startswith("criterion")} == {
        "criterion.AC1": 0,
        "criterion.AC2": 1,
    }
    assert result.metrics["coverage.branch"] == 50


@pytest.mark.host
@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("import os\n\ndef test_a():\n    os._exit(0)\n", "left no report"),
        ("import nothing_of_that_name\n\ndef test_a():\n    assert f() == 1\n", "fail"),
        ("def check():\n    assert 1\n", "not-collected"),
        ("import pytest\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n", "every test was skipped"),
    ],
)
def test_a_run_that_proves_nothing(look: Look, tests: str, said: str) -> None:
    result = look("tests", {**CODE, "tests/test_a.py": tests}, environment=ENVIRONMENT)
    assert result.status is not Status.PASS
    assert said in " ".join([result.reason, result.status, *(each.rule for each in result.findings)])


def test_no_environment(look: Look) -> None:
    result = look("tests", {**CODE, "tests/test_a.py": HEAD + case("assert f(1) == 1")})
    assert result.status is Status.INCOMPLETE
    assert "Type: python3 -m venv .venv" in result.reason


def test_no_tests(look: Look) -> None:
    result = look("tests", CODE)
    (finding,) = result.findings
    assert result.metrics == {"coverage.branch": 0}
    assert (finding.rule, finding.path, finding.severity) == ("missing-tests", "src/app/a.py", "error")


def test_nothing_to_test(look: Look) -> None:
    assert look("tests", {"a.py": "X = 1\n"}).status is Status.SKIPPED
    assert look("tests", {"a.md": "text\n"}).status is Status.SKIPPED


@pytest.mark.host
def test_a_project_does_not_choose_what_is_measured(look: Look) -> None:
    """Its wish ends no run where warnings are errors, and half of the code stays half."""
    files = {
        **CODE,
        "src/app/unseen.py": "def g(a):\n    if a:\n        return 1\n    return 2\n",
        ".coveragerc": "[run]\ninclude = */a.py\n",
        "pytest.ini": "[pytest]\nfilterwarnings =\n    error\n",
        "tests/test_a.py": HEAD + case("assert f(1) == 1 and f(0) == 2"),
    }
    result = look("tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.metrics["coverage.branch"]) == (Status.PASS, "", 50)


@pytest.mark.host
def test_coverage_is_measured_so_that_tests_are_told_apart(look: Look) -> None:
    """`sys.monitoring`, which is no tracer, would tell of each line for the first test alone."""
    told = "from coverage import Coverage\n" + case(
        "assert 'CTracer' in repr(Coverage.current()._core) and f(1)", name="test_core"
    )
    files = {**CODE, ".coveragerc": "[run]\ncore = pytrace\n", "tests/test_a.py": HEAD + told}
    result = look("tests", files, environment=ENVIRONMENT)
    assert (result.status, result.reason, result.findings) == (Status.PASS, "", ())


ONE = {"tests/test_a.py": "\ndef test_b():\n    assert draw()\n"}
FAILED_ONE = Case("test_b", "tests/test_a.py", 2, "failed", "assert 0", 0.1, (), "tests.test_a")
PASSED_ONE = replace(FAILED_ONE, outcome="passed", message="")
TODAY = date(2026, 3, 2)
SNIPPET = "def test_b():"


def kept_until(day: date) -> Quarantined:
    return Quarantined(test="tests/test_a.py::test_b", rate=0.5, since=date(2026, 2, 1), until=day)


@pytest.mark.parametrize(
    ("case_", "again", "known", "expected"),
    [
        (FAILED_ONE, None, None, ["error failed `test_b`: assert 0"]),
        (FAILED_ONE, Repeated(4, 4), None, ["error failed `test_b`: assert 0"]),
        (FAILED_ONE, Repeated(4, 4), kept_until(TODAY), ["error failed `test_b`: assert 0"]),
        (FAILED_ONE, Repeated(4, 0), None, ["0.2", "warning flaky {} failed 1 of 5 times on the same code: assert 0"]),
        (FAILED_ONE, Repeated(2, 1), None, ["0.67", "warning flaky {} failed 2 of 3 times on the same code: assert 0"]),
        (
            FAILED_ONE,
            Repeated(4, 1),
            kept_until(TODAY),
            [
                "0.4",
                "warning flaky {} failed 2 of 5 times on the same code: assert 0 (in quarantine until 2026-03-02)",
            ],
        ),
        (
            FAILED_ONE,
            Repeated(4, 1),
            kept_until(TODAY - timedelta(days=1)),
            [
                "0.4",
                "error failed {} failed 2 of 5 times on the same code: assert 0 (its quarantine ended on 2026-03-01)",
            ],
        ),
        (
            PASSED_ONE,
            Repeated(4, 1),
            kept_until(TODAY),
            ["0.2", "warning flaky {} failed 1 of 5 times on the same code (in quarantine until 2026-03-02)"],
        ),
        (PASSED_ONE, Repeated(4, 0), kept_until(TODAY), ["note stable-again {} passed each of 5 times"]),
        (PASSED_ONE, None, kept_until(TODAY), []),
    ],
)
def test_what_a_failed_or_quarantined_test_means(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    case_: Case,
    again: Repeated | None,
    known: Quarantined | None,
    expected: list[str],
) -> None:
    """A test that fails always has failed; one that fails at times is flaky, and blocks once its quarantine is over."""
    monkeypatch.setattr(tests, "now", lambda: datetime(2026, 3, 2, 23, tzinfo=UTC))
    items = list(tests._judge(context_of(write(ONE), "tests"), case_, again, known))
    assert [told(each) for each in items] == [text.format("`tests/test_a.py::test_b`") for text in expected]
    for each in items:
        if isinstance(each, Finding):
            assert (each.path, each.line, each.snippet) == ("tests/test_a.py", 2, SNIPPET)
        else:
            assert isinstance(each, Metric)
            assert (each.name, each.volatile) == ("tests.flaky.tests/test_a.py::test_b", True)


def told(item: Item) -> str:
    if isinstance(item, Finding):
        return f"{item.severity} {item.rule} {item.message}"
    if isinstance(item, Metric):
        return str(item.value)
    return f"{item.status} {item.why}" if isinstance(item, Gap) else f"{item.path} {item.why} {item.harmless}"


def test_a_test_whose_file_is_not_there_is_told_by_its_name(write: Write) -> None:
    (finding,) = tests._judge(context_of(write({}), "tests"), FAILED_ONE, None, None)
    assert isinstance(finding, Finding)
    assert (finding.path, finding.line, finding.snippet) == ("", 2, "test_b")


JUNIT = """\
<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_b" file="tests/test_a.py" line="1" time="0.1">
  <properties><property name="criterion" value="AC1"/><property name="criterion" value="AC2"/></properties></testcase>
<testcase classname="tests.test_a" name="test_c" file="tests/test_a.py" line="4">
  <properties><property name="criterion" value="AC2"/></properties>{}</testcase>
</testsuite></testsuites>
"""
SKIPPED_ALL = '<testsuite><testcase name="test_b" file="tests/test_a.py"><skipped/></testcase></testsuite>'
COVERED = '{"totals": {"covered_lines": 2, "num_statements": 3, "covered_branches": 1, "num_branches": 4}}'
OWN = ProjectConfig(tests=config.Tests(command=("make", "check")))


@pytest.mark.parametrize(
    ("answer", "leaves", "expected"),
    [
        (
            Output(0, "", ""),
            {tests.JUNIT: JUNIT.format(""), tests.COVERAGE: COVERED},
            [
                ("tests.passed", 2),
                ("tests.failed", 0),
                ("tests.skipped", 0),
                ("criterion.AC1", 1),
                ("criterion.AC2", 1),
                ("coverage.line", 66.67),
                ("coverage.branch", 25),
            ],
        ),
        (
            Output(1, "", ""),
            {tests.JUNIT: JUNIT.format('<failure message="no"/>'), tests.COVERAGE: "[]"},
            [
                "error failed `test_c`: no",
                ("tests.passed", 1),
                ("tests.failed", 1),
                ("tests.skipped", 0),
                ("criterion.AC1", 1),
                ("criterion.AC2", 0),
                "incomplete the coverage report can't be believed: …",
            ],
        ),
        (
            Output(3, "", ""),
            {tests.JUNIT: JUNIT.format("<skipped/>")},
            [
                ("tests.passed", 1),
                ("tests.failed", 0),
                ("tests.skipped", 1),
                ("criterion.AC1", 1),
                ("criterion.AC2", 0),
                "incomplete the run of the tests ended with exit code 3, though its report names no failure",
            ],
        ),
        (
            Output(0, "", ""),
            {tests.JUNIT: SKIPPED_ALL},
            [
                ("tests.passed", 0),
                ("tests.failed", 0),
                ("tests.skipped", 1),
                "incomplete every test was skipped",
            ],
        ),
        (Output(5, "", ""), {}, ["error not-collected no test was found in 1 file of tests"]),
        (
            Output(2, "one\ntwo\n", " three \n\nfour\n"),
            {},
            ["incomplete the tests left no report: two / three / four"],
        ),
        (Output(2, "", " \n"), {}, ["incomplete the tests left no report: they said nothing"]),
        (
            Output(0, "", ""),
            {tests.JUNIT: "no XML"},
            ["incomplete the report of the tests can't be believed: …"],
        ),
    ],
)
def test_what_a_run_left(
    write: Write, tmp_path: Path, answer: Output, leaves: dict[str, str], expected: list[object]
) -> None:
    played = Played([answer], leaves)
    context = context_of(write(ONE), "tests", played, project=OWN, environment=tmp_path)
    items = [
        (each.name, each.value) if isinstance(each, Metric) else re.sub(r"(believed: ).*", r"\1…", told(each))
        for each in tests.run(context)
    ]
    assert items == expected
    assert played.asked == [("make", "check")]


def test_a_quarantine_that_can_not_be_read_is_told(write: Write, tmp_path: Path) -> None:
    played = Played([Output(0, "", "")], {tests.JUNIT: JUNIT.format("")})
    root = write({**ONE, ".omni/quarantine.toml": "test = 3\n"})
    (gap,) = tests.run(context_of(root, "tests", played, project=OWN, environment=tmp_path))
    assert isinstance(gap, Gap)
    assert gap.why.startswith("the report of the tests can't be believed: ")


def test_after_a_change_only_what_it_can_affect_runs_and_nothing_is_said_of_the_whole(
    write: Write, environment: Path
) -> None:
    root = write(
        {
            "src/app/a.py": "X = 1\n",
            "src/app/b.py": "Y = 1\n",
            "tests/test_a.py": "from app import a\n\ndef test_b():\n    assert a.X\n",
            "tests/test_b.py": "from app import b\n\ndef test_b():\n    assert b.Y\n",
        }
    )
    played = Played([Output(0, "", "")], {tests.JUNIT: JUNIT.format(""), tests.COVERAGE: COVERED})
    given = {"environment": environment, "changed": frozenset({"src/app/a.py"})}
    items = list(tests.run(context_of(root, "tests", played, **given)))
    assert items == [
        Unseen("tests/test_b.py", "nothing that it imports has changed", harmless=True),
        Metric("tests.files_left_out", 1),
        Metric("tests.passed", 2),
        Metric("tests.failed", 0),
        Metric("tests.skipped", 0),
    ]
    assert played.asked[0][3:5] == ("without", "-q")
    assert json.loads(played.told[0]) == {"files": ["tests/test_b.py"], "tests": []}
    untouched = context_of(root, "tests", environment=environment, changed=frozenset({"README.md"}))
    assert [told(each) for each in tests.run(untouched)] == [
        "skipped nothing that changed can affect a test (2 files of tests)"
    ]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment that has pytest and pytest-cov."""
    for name in ("pytest", "pytest_cov"):
        folder = tmp_path / f"venv/lib/python3.11/site-packages/{name}-9.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 9.0\n")
    return tmp_path / "venv"


def test_what_is_missing_is_said_with_what_to_type(write: Write, environment: Path) -> None:
    root = write(ONE)
    assert tests._missing(context_of(root, "tests", environment=environment)) == ""
    shutil.rmtree(environment / "lib/python3.11/site-packages/pytest_cov-9.0.dist-info")
    assert tests._missing(context_of(root, "tests", environment=environment)) == (
        "the tests were not run: pytest-cov missing in the project's environment. "
        f"Type: {environment}/bin/python -m pip install pytest-cov"
    )
    assert tests._missing(context_of(root, "tests", environment=environment, project=OWN)) == ""
    assert "no virtual environment" in tests._missing(context_of(root, "tests", project=OWN))


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"setup.py": "", "requirements.txt": ""}, "-e ."),
        ({"pyproject.toml": "[project]\nname = 'a'\n", "requirements.txt": ""}, "-e ."),
        ({"pyproject.toml": "[tool.ruff]\n", "requirements.txt": ""}, "-r requirements.txt"),
        ({"requirements.txt": "", "requirements-dev.txt": ""}, "-r requirements.txt -r requirements-dev.txt"),
        ({"backend/setup.py": "", "backend/docs/requirements.txt": "", "package.json": "{}"}, "-e ./backend"),
        ({"pyproject.toml": "[tool.ruff]\n", "api/requirements.txt": ""}, "-r api/requirements.txt"),
        ({}, "-e ."),
    ],
)
def test_what_to_type_is_what_can_be_installed(write: Write, files: dict[str, str], what: str) -> None:
    missing = tests._missing(context_of(write({**ONE, **files}), "tests"))
    assert missing.endswith(f"Type: python3 -m venv .venv && .venv/bin/pip install {what} pytest pytest-cov")


WITH = {
    **ONE,
    "pyproject.toml": '[dependency-groups]\ndev = ["pytest", "pytest-cov", "hypothesis", "types-a"]\n'
    '[build-system]\nrequires = ["hatchling"]\n',
}
LACKS = "<error message='collection failure'>E   ModuleNotFoundError: No module named '{}'</error>"


def test_a_test_that_did_not_start_for_want_of_what_is_declared_has_not_failed(write: Write, environment: Path) -> None:
    """It is only not installed; what nobody declares, and an error within a test, is a fault."""
    root = write(WITH)
    type_it = f"Type: {environment}/bin/python -m pip install"
    for module, expected in (
        (
            "hypothesis.strategies",
            f"incomplete 1 test could not be run. Declared and not installed: hypothesis. {type_it} hypothesis",
        ),
        ("nobody", "error failed `test_c`: collection failure"),
    ):
        played = Played([Output(1, "", "")], {tests.JUNIT: JUNIT.format(LACKS.format(module))})
        own = config.ProjectConfig(tests=config.Tests(command=("make", "check")))
        first = next(iter(tests.run(context_of(root, "tests", played, environment=environment, project=own))))
        assert told(first) == expected
    within = replace(FAILED_ONE, broke="failure", details=LACKS.format("hypothesis"))
    context = context_of(root, "tests", environment=environment)
    assert tests._lacks(context, within) == []
    assert tests._lacks(context, replace(within, broke="error")) == ["hypothesis"]


def test_a_run_without_a_report_names_what_is_not_installed(write: Write, environment: Path) -> None:
    own = config.ProjectConfig(tests=config.Tests(command=("make", "check"), setup="make dev"))
    played = Played([Output(1, "", "No module named xdist")])
    (gap,) = tests.run(context_of(write(WITH), "tests", played, environment=environment, project=own))
    assert told(gap) == (
        "incomplete the tests left no report: No module named xdist. "
        "Declared and not installed: hypothesis, types-a. Type: make dev"
    )


@pytest.mark.parametrize(
    ("files", "roots", "measured", "path"),
    [
        (["src/app/__init__.py", "app/__init__.py"], (), ["src"], "/work/src"),
        (["app/__init__.py", "b/__init__.py", "b/c/__init__.py"], (), ["app", "b"], "/work/."),
        (["tests/__init__.py", "test/__init__.py", "docs/__init__.py", "a.py"], (), ["."], "/work/."),
        (["lib/a.py", "src/b.py"], ("lib", "more"), ["lib", "more"], "/work/lib:/work/more"),
    ],
)
def test_what_is_measured_and_where_imports_start(
    write: Write, files: list[str], roots: tuple[str, ...], measured: list[str], path: str
) -> None:
    root = write(dict.fromkeys(files, "x = 1\n"))
    context = context_of(root, "tests", project=ProjectConfig(source_roots=roots))
    assert tests._measured(context) == measured
    assert tests._variables(context) == {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = tests._command(context, whole=True)
    assert [each for each in command if each.startswith("--cov=")] == [f"--cov={each}" for each in measured]
    assert (command[:2], command[3:6]) == (("python", "-c"), ("record", "reports/omni-record.json", "-q"))
    assert not [each for each in tests._command(context, whole=False) if each.startswith("--cov")]


@pytest.mark.parametrize(
    ("path", "text", "missing"),
    [
        ("a.py", "async def f():\n    ...\n", True),
        ("a.py", "class A:\n    def f(self):\n        ...\n", True),
        ("a.py", "x = 'def f'\n", False),
        ("docs/conf.py", "def f():\n    ...\n", False),
        ("examples/a.py", "def f():\n    ...\n", False),
        ("setup.py", "def f():\n    ...\n", False),
        ("conftest.py", "def f():\n    ...\n", False),
    ],
)
def test_only_a_program_needs_tests(write: Write, path: str, text: str, missing: bool) -> None:
    items = list(tests.run(context_of(write({path: text, "big.py": f"# {'x' * 100}\n"}), "tests")))
    if missing:
        assert [told(each) for each in items] == [
            "error missing-tests there is no test at all; this is the largest file without one",
            "0",
        ]
        assert isinstance(items[0], Finding)
        assert (items[0].path, items[0].line) == ("big.py", 1)
    else:
        assert [told(each) for each in items] == ["skipped there is no Python that could be tested"]
