"""Which specialists a build calls: by stage, by what the specification holds, by the size of the budget.

What decides stands in each `role.toml` under `[call]`; here it is read.
"""

from __future__ import annotations

from typing import get_args

from omni.agents.roles import Role, Size, Trait, of_stage
from omni.models.budget import PRESETS
from omni.spec.model import FieldType, OperationKind, Specification
from omni.templates.capabilities import prune
from omni.templates.catalog import get

SIZES: dict[Size, int | None] = {size: PRESETS[size].tokens for size in get_args(Size)}
"""Size → tokens from which a budget has it; None: no limit."""


def assigned(stage: str, spec: Specification, tokens: int | None) -> tuple[Role, ...]:
    """The specialists that a build calls at a stage, in order. `tokens`: of the run's budget; None: no limit.

    Raises OmniError when the specification's template is not there.
    """
    held = traits(spec)
    return tuple(
        role
        for _, role in sorted(
            (((role.call.order, role.id), role) for role in of_stage(stage) if role.call and role.call.stage == stage),
            key=lambda each: each[0],
        )
        if role.call and affords(tokens, role.call.budget) and all(held & set(group) for group in role.call.when)
    )


def affords(tokens: int | None, size: Size) -> bool:
    """Whether a budget has at least that size."""
    least = SIZES[size]
    return tokens is None or (least is not None and tokens >= least)


def traits(spec: Specification) -> frozenset[Trait]:
    """What a specification holds. `new-code`: something that its template does not deliver."""
    template = get(spec.template)
    fields = [field for entity in spec.entities for field in entity.fields]
    held: dict[Trait, bool] = {
        "new-code": bool(prune(spec, template)[1]),
        "accounts": spec.auth,
        "api": "api" in template.parts,
        "entities": bool(spec.entities),
        "integrations": bool(spec.integrations),
        "jobs": bool(spec.jobs),
        "pages": bool(spec.pages),
        "personal-data": spec.auth or any(field.personal for field in fields),
        "uploads": any(field.type is FieldType.FILE for field in fields)
        or any(operation.kind in {OperationKind.UPLOAD, OperationKind.IMPORT} for operation in spec.operations),
    }
    return frozenset(trait for trait, is_held in held.items() if is_held)
