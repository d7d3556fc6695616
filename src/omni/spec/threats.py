"""The threat models: STRIDE at each trust boundary, LINDDUN where there is personal data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache

from pydantic import BaseModel, ConfigDict, TypeAdapter

from omni.spec.model import FieldType, OperationKind, PrivacyThreat, Specification, Threat
from omni.spec.tables import read_yaml


class StrideRow(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    when: str
    boundary: str
    category: str
    threat: str
    mitigation: str
    verified_by: tuple[str, ...]


class LinddunRow(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str
    threat: str
    mitigation: str


@cache
def _tables() -> tuple[tuple[StrideRow, ...], tuple[LinddunRow, ...]]:
    data = read_yaml("threats.yaml")
    stride = TypeAdapter(tuple[StrideRow, ...]).validate_python(data["stride"])
    return stride, TypeAdapter(tuple[LinddunRow, ...]).validate_python(data["linddun"])


def stride(spec: Specification) -> tuple[Threat, ...]:
    """The STRIDE rows that apply, each with the criteria that show its mitigation. `spec.criteria` must be there."""
    holds = _situation(spec)
    rows = [row for row in _tables()[0] if holds[row.when]]
    return tuple(
        Threat.model_validate(
            {
                "id": f"T{number}",
                "category": row.category,
                "boundary": row.boundary,
                "threat": row.threat,
                "mitigation": row.mitigation,
                "verified_by": tuple(
                    criterion.id
                    for criterion in spec.criteria
                    if any(fnmatchcase(ref, pattern) for ref in criterion.verifies for pattern in row.verified_by)
                ),
            }
        )
        for number, row in enumerate(rows, 1)
    )


def _situation(spec: Specification) -> dict[str, bool]:
    http = spec.template in ("web-app", "rest-api", "react-app")
    return {
        "auth": spec.auth,
        "http": http,
        "web": spec.template in ("web-app", "react-app"),
        "admin": any(role.name == "admin" for role in spec.roles),
        "public": spec.auth and any(entity.public_read for entity in spec.entities),
        "data": bool(spec.entities),
        "file": any(field.type is FieldType.FILE for entity in spec.entities for field in entity.fields),
        "redirect": any(operation.kind is OperationKind.REDIRECT for operation in spec.operations),
        "job": bool(spec.jobs),
        "integration": bool(spec.integrations),
        "cli": spec.template == "cli-tool",
    }


def linddun(spec: Specification) -> tuple[PrivacyThreat, ...]:
    """The LINDDUN rows when anything stored is about a living person; none otherwise."""
    personal = [f"{e.label}: {f.label.lower()}" for e in spec.entities for f in e.fields if f.personal]
    data = ", ".join((["Account: e-mail address"] if spec.auth else []) + personal)
    if not data:
        return ()
    return tuple(
        PrivacyThreat.model_validate({"id": f"L{number}", "data": data, **row.model_dump()})
        for number, row in enumerate(_tables()[1], 1)
    )
