"""Intent verification: another model than the author's reads the specification and the program's interface, never the
code or what its author says of it, and writes tests through the door. They run in the sandbox.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.typed import Asker, Document, quoted
from omni.review.adversarial import hollow
from omni.review.citation import Dropped, Line, Model
from omni.review.ground import Ground, TestResult, watched
from omni.review.independence import independent
from omni.sandbox.job import Isolation

NO_DOOR = declare(
    "R001",
    "A program can't be looked at from outside",
    Exit.INCOMPLETE,
    "It has to start in the sandbox; its log says why it did not.",
)

IMPORTS = frozenset({"json", "re", "datetime", "decimal", "uuid", "itertools", "math"})
BUILT_INS = frozenset({"open", "exec", "eval", "compile", "__import__", "globals", "vars", "getattr", "breakpoint"})
"""What a black-box test has no use for."""
WALL = 240.0
"""Seconds for starting the program and asking it everything."""
CONFTEST = """import json, os, pytest
from omni_inside import App

@pytest.fixture
def app(tmp_path):
    door = json.loads(os.environ["OMNI_DOOR"])
    return App(door["port"]) if door["serve"] else App(command=door["command"], home=str(tmp_path))
"""


class Door(Model):
    """How a program is reached: one that listens is served, any other is a command."""

    serve: tuple[str, ...] = ()
    port: int = 0
    health: str = "/health"
    description: tuple[str, ...] = ()
    """Paths that tell what it offers: its OpenAPI document, or its pages."""
    command: tuple[str, ...] = ()


class BlackBoxTest(Model):
    criterion: Line
    name: Annotated[str, Field(pattern=r"^test_[a-z0-9_]{1,80}$")]
    code: Annotated[str, Field(max_length=10_000)]
    """One function of that name that takes `app`, with the imports that it needs."""


class BlackBoxTests(Document):
    """Tests that were written without having seen the code."""

    tests: Annotated[tuple[BlackBoxTest, ...], Field(max_length=60)]
    untestable: dict[str, str] = Field(default_factory=dict)
    """Criterion → why its test can't be written from outside."""


class Tried(Model):
    criterion: str
    test: str
    outcome: Literal["kept", "broken"]
    """Whether the program keeps the criterion, as far as this test can tell."""
    said: str = ""
    code: str = ""
    """Of a failing test: what was tried."""


class Intent(Model):
    """What a stranger found when holding the program against its specification."""

    model: str
    authors: tuple[str, ...]
    independent: bool
    tried: tuple[Tried, ...]
    dropped: tuple[Dropped, ...] = ()
    untestable: dict[str, str] = Field(default_factory=dict)
    unasked: tuple[str, ...] = ()
    """Criteria for which no test ran."""
    isolation: Isolation | None = None

    @property
    def broken(self) -> tuple[Tried, ...]:
        return tuple(each for each in self.tried if each.outcome == "broken")


def behaviour(ground: Ground, door: Door) -> dict[str, str]:
    """What the program says of its own interface, by where it says it. Raises `R001` when it does not start."""
    with ground.copy({}) as place:
        argv = ("python", "omni_inside.py", "describe", door.model_dump_json())
        result, report = ground.run(place, argv, _port(door), WALL)
    try:
        said = TypeAdapter(dict[str, str]).validate_json(report)
    except ValidationError as problem:
        raise OmniError(NO_DOOR, f"{result.ended}: {result.stderr.strip()[-600:]}") from problem
    return {where: text[:60_000] for where, text in said.items()}


def verify_intent(
    who: Asker,
    specification: str,
    criteria: Mapping[str, str],
    interface: Mapping[str, str],
    ground: Ground,
    door: Door,
    authors: Collection[str] = (),
) -> Intent:
    """Have black-box tests written from the specification, and run them. `criteria`: id → sentence.

    The one who is asked is shown nothing of the author: no code, no comments, no explanations. Raises like `Asker.ask`.
    """
    blocks = [quoted("specification", specification)]
    blocks += [quoted(f"interface: {where}", text) for where, text in interface.items()]
    listed = "\n".join(f"{name}: {text}" for name, text in criteria.items())
    ask = "\n\n".join((*blocks, f"Your task: test these criteria.\n{listed}"))
    answer = who.ask(BlackBoxTests, ask, lambda said: _unknown(said, criteria))
    said = answer.document
    good, dropped = _sorted(said.tests)
    tried, more, isolation = _run(good, ground, door)
    asked = {each.criterion for each in tried} | said.untestable.keys()
    return Intent(
        model=answer.model,
        authors=tuple(authors),
        independent=independent(answer.model, authors),
        tried=tried,
        dropped=(*dropped, *more),
        untestable=said.untestable,
        unasked=tuple(name for name in criteria if name not in asked),
        isolation=isolation,
    )


def peeks(code: str, name: str) -> str:
    """Why a test is no black-box test; empty when it is one."""
    if why := hollow(code):
        return why
    tree = ast.parse(code)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if [node.name for node in functions if node.name.startswith("test")] != [name]:
        return f"it does not define {name} alone"
    for node in ast.walk(tree):
        names = (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "." * node.level]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if foreign := [each for each in names if each.partition(".")[0] not in IMPORTS]:
            return f"it imports {foreign[0]}"
        if isinstance(node, ast.Name) and node.id in BUILT_INS:
            return f"it uses {node.id}"
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            return f"it reaches for {node.attr}"
    return ""


def _sorted(tests: Sequence[BlackBoxTest]) -> tuple[list[BlackBoxTest], list[Dropped]]:
    good, dropped = dict[str, BlackBoxTest](), []
    for test in tests:
        why = "another test has its name" if test.name in good else peeks(test.code, test.name)
        if why:
            dropped.append(Dropped(claim=f"{test.criterion} {test.name}", why=why))
        else:
            good[test.name] = test
    return list(good.values()), dropped


def _run(
    tests: Sequence[BlackBoxTest], ground: Ground, door: Door
) -> tuple[tuple[Tried, ...], list[Dropped], Isolation | None]:
    if not tests:
        return (), [], None
    files = {f"omni_intent/test_{number:02}.py": test.code for number, test in enumerate(tests)}
    with ground.copy({**files, "omni_intent/conftest.py": CONFTEST}) as place:
        argv = ("python", "omni_inside.py", "knock", door.model_dump_json())
        result, report = ground.run(place, argv, {"OMNI_DOOR": door.model_dump_json(), **_port(door)}, WALL)
    seen = watched(report)
    if not seen.results:
        raise OmniError(NO_DOOR, f"{result.ended}: {(result.stderr or result.stdout).strip()[-600:]}")
    by_name = {each.test.rpartition("::")[2]: each for each in seen.results}
    tried, dropped = [], []
    for test in tests:
        outcome = _outcome(test, by_name.get(test.name))
        if isinstance(outcome, Tried):
            tried.append(outcome)
        else:
            dropped.append(Dropped(claim=f"{test.criterion} {test.name}", why=outcome))
    return tuple(tried), dropped, result.isolation


def _outcome(test: BlackBoxTest, result: TestResult | None) -> Tried | str:
    """A test that fails by its assertion says something of the program; any other failure is its own."""
    if result is None:
        return "it did not run"
    if not result.error:
        return Tried(criterion=test.criterion, test=test.name, outcome="kept")
    if result.when == "call" and result.error == "AssertionError":
        said = result.said[:1200]
        return Tried(criterion=test.criterion, test=test.name, outcome="broken", said=said, code=test.code)
    return f"it broke by itself: {result.error}: {result.said[:300]}"


def _unknown(said: BlackBoxTests, criteria: Mapping[str, str]) -> str:
    unknown = sorted({test.criterion for test in said.tests} - criteria.keys())
    return f"there is no criterion {', '.join(unknown)}" if unknown else ""


def _port(door: Door) -> dict[str, str]:
    return {"PORT": str(door.port)} if door.port else {}
