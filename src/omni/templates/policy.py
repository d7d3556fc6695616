"""Who may do what with which rows: permissions and ownership of a specification as one closed table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from omni.spec.model import (
    Action,
    Entity,
    Operation,
    OperationKind,
    Ownership,
    Permission,
    Relation,
    Role,
    Specification,
)

USER = "User"
"""Target of a relation to an account; it is no entity of the specification."""

Scope = Literal["all", "own", "none"]
Rights = dict[Action, Scope]


def casting(entity: Entity, spec: Specification) -> list[Operation]:
    """The operations that make a row of the entity for a person: a vote, a registration."""
    return [o for o in spec.operations if o.kind is OperationKind.CAST and o.child == entity.name]


def able_role(entity: Entity, action: str, spec: Specification) -> str | None:
    """A role that may do that with its own rows at least: an ordinary one, if one may; None when nobody may."""
    names = [role.name for role in spec.roles] or ["user"]
    able = [name for name in names if rights(entity, name, spec)[Action(action)] != "none"]
    return next((name for name in able if _is_ordinary(name, spec)), able[0] if able else None)


def roles(spec: Specification) -> tuple[Role, ...]:
    """The roles that people have; empty without accounts, and when all people are alike."""
    return spec.roles if spec.auth and len(spec.roles) > 1 else ()


def initial_role(spec: Specification) -> Role:
    """The role of somebody who signs up. Raises StopIteration without roles."""
    return next((role for role in spec.roles if role.assigned == "sign-up"), spec.roles[-1])


def first_role(spec: Specification) -> Role | None:
    """The role of the very first account, when that is a special one."""
    return next((role for role in roles(spec) if role.assigned == "first-user"), None)


def admin_role(spec: Specification) -> Role | None:
    """The role that manages accounts: the first user's, else one that is called admin, else the first one."""
    known = roles(spec)
    named = next((role for role in known if "admin" in role.name), None)
    return first_role(spec) or named or (known[0] if known else None)


def has_owner(entity: Entity, spec: Specification) -> bool:
    """Whether rows carry the user who made them."""
    if not spec.auth:
        return False
    if entity.ownership in {Ownership.OWNER, Ownership.AUTHOR}:
        return True
    own = any(permission.entity == entity.name and permission.scope == "own" for permission in spec.permissions)
    return bool(casting(entity, spec)) or (own and entity.ownership is Ownership.SHARED)


def ownable(entity: Entity, spec: Specification) -> bool:
    """Whether a row is somebody's own: by its owner, or by the parent that it follows."""
    parent = parent_of(entity)
    if parent is not None and spec.auth:
        return parent.target == USER or ownable(spec.entity(parent.target), spec)
    return has_owner(entity, spec)


def parent_of(entity: Entity) -> Relation | None:
    """The relation whose target decides about the rows, when there is one."""
    if entity.ownership is not Ownership.PARENT:
        return None
    return next((relation for relation in entity.relations if relation.name == entity.parent), None)


def rights(entity: Entity, role: str, spec: Specification) -> Rights:
    """What a role may do with the rows of an entity.

    Permissions decide; without any for the entity, its ownership does. What strangers own is never open to everybody
    who signs up, even if a permission forgets to say `own`.
    """
    explicit = [permission for permission in spec.permissions if permission.entity == entity.name]
    parent = parent_of(entity)
    if parent is not None and parent.target != USER:
        return _below(rights(spec.entity(parent.target), role, spec), explicit, role)
    found: Rights = _granted(explicit, role) if explicit else dict.fromkeys(Action, "all")
    if any(not operation.roles or role in operation.roles for operation in casting(entity, spec)):
        found[Action.CREATE] = "all"
    if found[Action.CREATE] == "own":
        found[Action.CREATE] = "all"
    return _narrow(found, entity, _is_ordinary(role, spec), owned=ownable(entity, spec))


def keeping_to_own(entity: Entity, action: str, spec: Specification) -> tuple[str, ...]:
    """Roles that see every row that this may belong to, but may do that (`create`, `update`) only below their own."""
    parent = parent_of(entity)
    if not spec.auth or parent is None or parent.target == USER:
        return ()
    names = [role.name for role in roles(spec)] or [spec.roles[0].name if spec.roles else "user"]
    return tuple(
        name
        for name in names
        if rights(entity, name, spec)[Action(action)] == "own"
        and rights(spec.entity(parent.target), name, spec)[Action.READ] == "all"
    )


def _granted(explicit: Sequence[Permission], role: str) -> Rights:
    found: Rights = dict.fromkeys(Action, "none")
    for permission in explicit:
        if permission.role == role:
            found |= {action: _wider(found[action], permission.scope) for action in permission.actions}
    return found


def _below(above: Rights, explicit: Sequence[Permission], role: str) -> Rights:
    """The rights on rows that follow a parent: as the parent's, or as granted, but never beyond the parent's."""
    if not explicit:
        return {action: above[Action.READ if action is Action.READ else Action.UPDATE] for action in Action}
    seeing = {Action.READ, Action.CREATE}
    return {
        action: _narrower(scope, above[Action.READ if action in seeing else Action.UPDATE])
        for action, scope in _granted(explicit, role).items()
    }


def _narrow(found: Rights, entity: Entity, ordinary: bool, *, owned: bool) -> Rights:
    """Ordinary people reach only their own rows of what is owned."""
    if not owned:
        return {action: "all" if scope == "own" else scope for action, scope in found.items()}
    if not ordinary:
        return found
    private = {Action.UPDATE, Action.DELETE} | ({Action.READ} if entity.ownership is Ownership.OWNER else set())
    if entity.ownership is Ownership.SHARED:
        return found
    return {action: "own" if scope == "all" and action in private else scope for action, scope in found.items()}


def _wider(one: Scope, other: Scope) -> Scope:
    return max(one, other, key=("none", "own", "all").index)


def _narrower(one: Scope, other: Scope) -> Scope:
    return min(one, other, key=("none", "own", "all").index)


def _is_ordinary(role: str, spec: Specification) -> bool:
    if len(spec.roles) < 2:
        return True
    return any(known.name == role and known.assigned == "sign-up" for known in spec.roles)
