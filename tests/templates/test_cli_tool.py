"""The command-line tool: what it delivers, what it says it doesn't, and that what comes out is green."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.templates.generated import check_generated, generate
from tests.templates.tool_specs import front_desk, text_kit, todos

from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request
from omni.templates.catalog import get
from omni.templates.render import render

SENTENCES = (
    "a command line tool to manage expenses with amount, category and date",
    "a command line tool that counts words",
    "a CLI to convert CSV to JSON",
)


@pytest.mark.parametrize("make", [todos, front_desk, text_kit])
def test_every_criterion_has_a_test_or_a_reason(make: type[Specification]) -> None:
    spec = make()
    project = render(spec, get("cli-tool"))
    named = {item.ref for item in project.undelivered}
    assert {criterion.id for criterion in spec.criteria} == set(project.trace) | (named & {c.id for c in spec.criteria})


def test_a_step_that_no_command_can_do_is_named() -> None:
    project = render(text_kit(), get("cli-tool"))
    first = project.undelivered[0]
    assert (first.ref, first.why) == (
        "operation:run.scan",
        "The cli-tool template has no step read:queue.",
    )
    assert not any(b"def scan_command" in file.data for file in project.files.values())


def test_only_what_applies_is_rendered() -> None:
    paths = set(render(text_kit(), get("cli-tool")).files)
    assert "src/text_kit/steps.py" in paths
    assert not {"src/text_kit/store.py", "src/text_kit/schema.py", "src/text_kit/records.py"} & paths
    paths = set(render(todos(), get("cli-tool")).files)
    assert "src/todos/store.py" in paths
    assert not {"src/todos/steps.py", "src/todos/rules.py", "src/todos/computed.py", "compose.yaml"} & paths


def test_rendering_is_the_same_to_the_byte() -> None:
    assert render(front_desk(), get("cli-tool")) == render(front_desk(), get("cli-tool"))


@pytest.mark.slow
@pytest.mark.parametrize("make", [todos, front_desk, text_kit])
def test_what_comes_out_is_green(make: type[Specification], tmp_path: Path) -> None:
    check_generated(generate(make(), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_becomes_a_tool(sentence: str, tmp_path: Path) -> None:
    spec = compile_request(parse_request(sentence))
    assert spec.template == "cli-tool"
    written = generate(spec, tmp_path)
    check_generated(written)
