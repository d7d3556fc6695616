"""What people type, and what becomes of it.

`python tests/spec/test_sentences.py` writes the account anew; then read the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.spec.account import refs
from omni.spec.asked import PartStatus
from omni.spec.compiler import compile_request
from omni.spec.completeness import assess
from omni.spec.model import Specification
from omni.spec.request import parse_request

FOLDER = Path(__file__).parent
SENTENCES = tuple(text.strip("\n") for text in (FOLDER / "sentences.txt").read_text().split("\n%%\n"))
ACCOUNT = FOLDER / "sentences.account.txt"


def account(spec: Specification) -> str:
    """The specification in a few lines."""
    head = f"{spec.domain}, {spec.template}, {'accounts' if spec.auth else 'no accounts'}, {assess(spec).score}/10"
    lines = [f"# {spec.request.text.splitlines()[0][:100]}", head]
    for part in spec.parts:
        lines.append(f"  {part.status}: {' '.join(part.text.split())}")
        lines += [f"      {text}" for text in (" ".join(part.items), part.note) if text]
    for entity in spec.entities:
        fields = " ".join(f"{f.name}:{f.type}{'' if f.required else '?'}" for f in entity.fields)
        relations = " ".join(f"{r.name}->{r.target}" for r in entity.relations)
        lines.append(
            f"  {entity.name} ({entity.ownership}{', public' * entity.public_read}) {fields} {relations}".rstrip()
        )
    lines += [
        f"  {p.role} {p.entity}: {' '.join(p.actions)} ({p.scope})" for p in spec.permissions if len(spec.roles) > 1
    ]
    lines += [
        f"  job {job.name}: {job.schedule} {job.after_days} {job.field} {job.value}".rstrip() for job in spec.jobs
    ]
    lines += [f"  question {question.id}: {question.default}" for question in spec.questions]
    return "\n".join(lines)


def write() -> str:
    return "\n\n".join(account(compile_request(parse_request(text))) for text in SENTENCES) + "\n"


def test_there_are_many() -> None:
    assert len(SENTENCES) >= 60


def test_the_account_of_each() -> None:
    assert write() == ACCOUNT.read_text()


@pytest.mark.parametrize("text", SENTENCES)
def test_every_item_and_source_exists(text: str) -> None:
    check_account(compile_request(parse_request(text)))


def check_account(spec: Specification) -> None:
    """The laws of the account: parts tile the text; items, sources and whatever is pointed at exist."""
    known = refs(spec)
    text, position = spec.request.text, 0
    for part in spec.parts:
        assert not text[position : part.start].strip()
        assert text[part.start : part.end] == part.text
        position = part.end
        assert set(part.items) <= known
        assert part.items or part.status is not PartStatus.MAPPED
        assert part.note or part.status in (PartStatus.MAPPED, PartStatus.QUESTION)
    assert not text[position:].strip()
    sources = {part.id for part in spec.parts} | {assumption.id for assumption in spec.assumptions}
    groups = (spec.roles, spec.permissions, spec.operations, spec.pages, spec.jobs, spec.integrations, spec.qualities)
    named = [item for group in groups for item in group] + [
        x for e in spec.entities for x in (e, *e.fields, *e.relations, *e.rules)
    ]
    for item in named:
        assert set(item.sources) <= sources
    for criterion in spec.criteria:
        assert set(criterion.verifies) <= known
    ids = {criterion.id for criterion in spec.criteria}
    assert all(set(threat.verified_by) <= ids for threat in spec.threats)
    names = {entity.name for entity in spec.entities}
    for entity in spec.entities:
        columns = [field.name for field in entity.fields] + [relation.name for relation in entity.relations]
        assert len(columns) == len(set(columns))
        assert entity.display_field in columns
        assert {relation.target for relation in entity.relations} <= names | {"User"}
        assert {computed.child for computed in entity.computed} <= names | {""}
    for operation in spec.operations:
        assert {operation.entity, operation.child} <= names | {""}
        assert set(operation.roles) <= {role.name for role in spec.roles}
    assert len({operation.id for operation in spec.operations}) == len(spec.operations)
    assert len({page.path for page in spec.pages}) == len(spec.pages)


if __name__ == "__main__":
    ACCOUNT.write_text(write())
