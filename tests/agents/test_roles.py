"""Every role and specialist: declared well, and its document parsed from what a model says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.agents.replies import DECISION, RIGHT, without
from tests.agents.speaking import speaker

from omni.agents.handoffs import Envelope, decisions, kind_of
from omni.agents.roles import TOOLS as GRANTABLE
from omni.agents.roles import Role, asker, consult, house_rules, load_role, of_stage, question, roles, system
from omni.agents.tools import TOOLS as BUILT
from omni.agents.tools import Toolbox
from omni.agents.workspace import AgentWorkspace
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.wire import Attribution, ToolCall
from omni.pipeline.flow import STAGES
from omni.sandbox.reduced import Reduced

SIX = ["architect", "developer", "optimizer", "project-manager", "reviewer", "tester"]
COUNTS = {"P0": 4, "P1": 3, "P2": 5, "P3": 6, "P4": 5, "P6": 5}
SPECIALISTS = [f"{stage}.{n + 1}" for stage, count in COUNTS.items() for n in range(count)]
WRITING = {"bash", "edit", "write"}
EVERY = pytest.mark.parametrize("role", roles().values(), ids=lambda role: role.id)


def envelope(kind: str, role: str = "P0.1") -> Envelope:
    document = kind_of(kind).model_validate(RIGHT[kind]).model_dump(mode="json")
    return Envelope(kind=kind, document=document, role=role, prompt=f"{role}@1", model="one")


def test_there_are_six_roles_and_28_specialists() -> None:
    assert list(roles()) == [*SIX, *SPECIALISTS]


@EVERY
def test_what_a_role_declares_exists(role: Role) -> None:
    assert set(role.stages) <= {stage.name for stage in STAGES}
    assert role.stages
    for name in (*role.inputs, *role.optional, role.output):
        kind_of(name)
    assert (role.responsible in SIX) if role.specialist else role.responsible == ""
    assert len(role.tools) <= 10


@EVERY
def test_a_prompt_is_a_page_and_says_what_is_handed_over(role: Role) -> None:
    words = role.prompt.split()
    assert 120 <= len(words) <= 400
    assert "Hand over " in role.prompt
    assert role.output.rpartition(":")[2] in role.prompt
    assert "Never " in role.prompt
    assert re.search(r"\bWhen\b|Nothing found", role.prompt), "it says what to do when unsure"


@EVERY
def test_a_right_reply_becomes_its_document(role: Role) -> None:
    chat = speaker(RIGHT[role.output])
    given = [envelope(name) for name in role.inputs]
    done = consult(role, asker(role, chat, Attribution(run="r")), "do it", given)
    assert done.envelope.kind == role.output
    assert kind_of(role.output).model_validate(done.envelope.document) == done.answer.document
    assert (done.envelope.role, done.envelope.prompt, done.envelope.model) == (role.id, role.prompt_id, "test/one")
    assert done.envelope.made_from == tuple(each.digest for each in given)
    _, want, attribution = chat.asked[0]
    assert (want.capability, attribution.role, attribution.prompt) == (role.capability, role.id, role.prompt_id)


@EVERY
def test_a_wrong_reply_is_told_once_then_it_is_an_error(role: Role) -> None:
    chat = speaker(without(RIGHT[role.output]), without(RIGHT[role.output]), RIGHT[role.output])
    with pytest.raises(OmniError, match="schema_version: Input should be '1'") as caught:
        consult(role, asker(role, chat, Attribution()), "do it", [envelope(name) for name in role.inputs])
    assert (caught.value.kind.code, caught.value.where) == ("M040", role.id)
    assert len(chat.asked) == 2
    assert "That can't be used: " in chat.questions[1]


@EVERY
def test_the_beginning_of_a_prompt_never_changes(role: Role) -> None:
    chat = speaker(RIGHT[role.output], RIGHT[role.output])
    given = [envelope(name) for name in role.inputs]
    for task in ("one thing", "another"):
        consult(role, asker(role, chat, Attribution(run=task)), task, given)
    first, second = (request.messages[0] for request, _, _ in chat.asked)
    assert first == second
    assert str(first.content).startswith(house_rules())


def test_who_reviews_cannot_write() -> None:
    reviewers = [role for role in roles().values() if role.stages[-1] == "review" and role.id != "tester"]
    assert len(reviewers) == 12
    assert [role.id for role in reviewers if WRITING & set(role.tools)] == []


def test_the_tools_that_can_be_granted_are_those_there_are() -> None:
    assert tuple(BUILT) == GRANTABLE


@pytest.mark.parametrize("role_id", ["reviewer", "architect", "project-manager", "P1.3", "P4.1"])
def test_a_write_tool_that_was_not_granted_is_refused(role_id: str, tmp_path: Path) -> None:
    told: list[tuple[str, object]] = []
    (tmp_path / "home").mkdir()
    settings = Settings(home=tmp_path / "home", database_url="sqlite://")
    (tmp_path / "work").mkdir()
    toolbox = Toolbox(
        AgentWorkspace(tmp_path / "work"),
        Reduced(),
        settings,
        allowed=load_role(role_id).tools,
        tell=lambda kind, data: told.append((kind, data["tool"])),
    )
    for tool, given in (("write", '{"path": "a", "text": "x"}'), ("edit", "{}"), ("bash", '{"command": "touch a"}')):
        assert not toolbox.call(ToolCall(id="1", name=tool, arguments=given)).ok
    assert list((tmp_path / "work").iterdir()) == []
    assert told == [("agent.refused", "write"), ("agent.refused", "edit"), ("agent.refused", "bash")]
    assert not {"write", "edit", "bash"} & {spec.name for spec in toolbox.specs}


def test_the_test_writer_sees_no_code() -> None:
    role = load_role("P1.3")
    assert role.tools == ("spec",)
    assert not {"Change", "Plan", "Design"} & {*role.inputs, *role.optional}


def test_a_role_without_what_it_works_from_is_not_asked() -> None:
    chat, role = speaker(), load_role("P1.2")
    with pytest.raises(OmniError, match=r"P1\.2 was not given Plan"):
        consult(role, asker(role, chat, Attribution()), "do it")
    assert chat.asked == []


def test_an_unknown_role_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(OmniError, match=r"P9\.9; there are architect, "):
        load_role("P9.9")


def test_specialists_of_a_stage() -> None:
    assert [role.id for role in of_stage("specification")] == ["P0.1", "P0.2", "P0.3", "P0.4", "P1.1"]
    assert {"P4.1", "P4.2", "P4.3", "P4.4", "P4.5"} <= {role.id for role in of_stage("review")}


def test_the_last_agent_knows_the_decision_of_the_first() -> None:
    given = [envelope("ProductSpec"), envelope("Plan", "P1.1")]
    assert [each.model_dump() for each in decisions(given)] == [DECISION]
    role = load_role("P1.2")
    chat = speaker(RIGHT[role.output])
    consult(role, asker(role, chat, Attribution()), "do it", given)
    assert "rows belong to their owner (nobody may see another's todos)" in chat.questions[0]
    assert chat.questions[0].endswith("Your task: do it")


def test_what_was_not_asked_for_is_not_shown() -> None:
    """A role reads the documents that it declares, and of others their decisions alone."""
    role = load_role("P1.3")
    change = envelope("Change", "P1.2")
    read = [each for each in (envelope("ProductSpec"), change) if each.kind in {*role.inputs, *role.optional}]
    assert "src/todo/pages.py" not in question("test it", read, (envelope("ProductSpec"), change))


def test_every_role_has_a_prompt_of_its_own() -> None:
    assert len({system(role) for role in roles().values()}) == 34
