"""Who may do what."""

from __future__ import annotations

import pytest
from tests.templates.specs import ADMIN, USER, belongs_to, grant, plain, todo

from omni.spec.model import Action, Entity, Ownership, Permission, Specification
from omni.templates.policy import Scope, able_role, has_owner, keeping_to_own, ownable, rights


def spec_of(*entities: Entity, permissions: tuple[Permission, ...] = ()) -> Specification:
    update = {"entities": entities, "roles": (ADMIN, USER), "permissions": permissions, "operations": ()}
    return todo().model_copy(update=update)


def scopes(entity: Entity, role: str, spec: Specification) -> tuple[Scope, ...]:
    return tuple(rights(entity, role, spec)[action] for action in Action)


@pytest.mark.parametrize(
    ("ownership", "user", "admin"),
    [
        (Ownership.OWNER, ("own", "all", "own", "own"), ("all", "all", "all", "all")),
        (Ownership.AUTHOR, ("all", "all", "own", "own"), ("all", "all", "all", "all")),
        (Ownership.SHARED, ("all", "all", "all", "all"), ("all", "all", "all", "all")),
    ],
)
def test_without_permissions_ownership_decides(
    ownership: Ownership, user: tuple[Scope, ...], admin: tuple[Scope, ...]
) -> None:
    entity = plain("Note", "notes", ownership=ownership)
    spec = spec_of(entity)
    assert scopes(entity, "user", spec) == user
    assert scopes(entity, "admin", spec) == admin


def test_a_permission_that_forgets_own_does_not_open_what_is_private() -> None:
    entity = plain("Note", "notes", ownership=Ownership.OWNER)
    spec = spec_of(entity, permissions=(grant("user", "Note", "all"),))
    assert scopes(entity, "user", spec) == ("own", "all", "own", "own")
    assert scopes(entity, "admin", spec) == ("none",) * 4


def test_shared_rows_have_an_owner_when_a_permission_speaks_of_own() -> None:
    entity = plain("Note", "notes")
    spec = spec_of(entity, permissions=(grant("admin", "Note", "all"), grant("user", "Note", "own")))
    assert has_owner(entity, spec)
    assert scopes(entity, "user", spec) == ("own", "all", "own", "own")


@pytest.mark.parametrize("permissions", [(), (grant("user", "Line", "all"),), (grant("user", "Line", "own"),)])
def test_what_follows_a_parent_never_goes_beyond_it(permissions: tuple[Permission, ...]) -> None:
    invoice = plain("Invoice", "invoices", ownership=Ownership.OWNER)
    line = plain(
        "Line",
        "lines",
        relations=(belongs_to("invoice", "Invoice", "lines"),),
        ownership=Ownership.PARENT,
        parent="invoice",
    )
    spec = spec_of(invoice, line, permissions=permissions)
    assert scopes(line, "user", spec) == ("own", "own", "own", "own")
    assert ownable(line, spec)
    assert not has_owner(line, spec)


def test_a_role_that_may_is_found() -> None:
    entity = plain("Room", "rooms")
    spec = spec_of(entity, permissions=(grant("admin", "Room", "all"), grant("user", "Room", "all", Action.READ)))
    assert able_role(entity, "read", spec) == "user"
    assert able_role(entity, "create", spec) == "admin"


def test_who_sees_every_parent_may_still_add_only_to_their_own() -> None:
    poll = plain("Poll", "polls", ownership=Ownership.AUTHOR)
    option = plain(
        "Option",
        "options",
        relations=(belongs_to("poll", "Poll", "options"),),
        ownership=Ownership.PARENT,
        parent="poll",
    )
    assert keeping_to_own(option, "create", spec_of(poll, option)) == ("user",)
    assert keeping_to_own(poll, "create", spec_of(poll, option)) == ()
    private = poll.model_copy(update={"ownership": Ownership.OWNER})
    assert keeping_to_own(option, "create", spec_of(private, option)) == ()
    adding = (grant("user", "Option", "all", Action.CREATE), grant("user", "Option", "own", Action.UPDATE))
    spec = spec_of(poll, option, permissions=adding)
    assert (keeping_to_own(option, "create", spec), keeping_to_own(option, "update", spec)) == ((), ("user",))
