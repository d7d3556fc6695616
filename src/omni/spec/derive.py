"""What follows from the draft: basic operations, permissions and pages."""

from __future__ import annotations

from omni.spec import words
from omni.spec.draft import Draft, unique
from omni.spec.model import (
    Action,
    Entity,
    Operation,
    OperationKind,
    Ownership,
    Page,
    PageKind,
    Permission,
    RelationKind,
)

LETTERS = {"c": Action.CREATE, "r": Action.READ, "u": Action.UPDATE, "d": Action.DELETE}
WITH_PAGES = ("web-app", "react-app")
PAGE_PATHS = {PageKind.BOARD: "board", PageKind.CALENDAR: "calendar", PageKind.DASHBOARD: "summary"}


def operations(draft: Draft) -> tuple[Operation, ...]:
    """List, view, create, update, delete, search and filter of each entity, then what is special."""
    found: list[Operation] = []
    for entity in draft.entities.values():
        special = [operation for operation in draft.operations.values() if operation.entity == entity.name]
        names = {operation.name for operation in special}
        cast = draft.entries[entity.name].cast
        found += [op for op in _basic(entity) if not cast and op.name not in names and op.id not in draft.removed]
        found += special
    found += [operation for operation in draft.operations.values() if not operation.entity]
    return tuple(found)


def _basic(entity: Entity) -> list[Operation]:
    one, many = entity.label.lower(), entity.label_plural.lower()
    searched = [field.label.lower() for field in entity.fields if field.searchable]
    filtered = [field.label.lower() for field in entity.fields if field.filterable]
    rows = [
        (OperationKind.LIST, f"List {many}", f"Show the {many}, page by page."),
        (OperationKind.VIEW, f"View {one}", f"Show one {one} with everything about it."),
        (OperationKind.CREATE, f"Add {one}", f"Add a new {one}."),
        (OperationKind.UPDATE, f"Edit {one}", f"Change an existing {one}."),
        (OperationKind.DELETE, f"Delete {one}", f"Delete the {one} after asking once more."),
    ]
    top = entity.ownership is not Ownership.PARENT
    if searched and top:
        rows.append((OperationKind.SEARCH, f"Search {many}", f"Find {many} by {words.listing(searched)}."))
    if filtered and top:
        rows.append((OperationKind.FILTER, f"Filter {many}", f"Narrow the {many} by {words.listing(filtered)}."))
    prefix = words.snake(entity.name)
    return [
        Operation(
            id=f"{prefix}.{kind}",
            kind=kind,
            name=kind.value,
            label=label,
            description=text,
            entity=entity.name,
            sources=entity.sources,
        )
        for kind, label, text in rows
    ]


def permissions(draft: Draft) -> tuple[Permission, ...]:
    """Who may do what: from the ownership, narrowed by what the domain or the request says."""
    if not draft.accounts:
        return ()
    found: list[Permission] = []
    for entity in draft.entities.values():
        root = root_of(draft.entities, entity)
        for role in draft.roles.values():
            letters = draft.access[entity.name].get(role.name) or draft.access[root.name].get(role.name, "crud")
            if draft.entries[entity.name].cast:
                letters = "".join(letter for letter in letters if letter == "r")
            sources = unique([*entity.sources, *role.sources])
            named = role.name in draft.access[root.name] and role.name != "user"
            for scope, some in _scopes(root.ownership, letters, named=named, admin=role.name == "admin"):
                actions = tuple(LETTERS[letter] for letter in "rcud" if letter in some)
                if actions:
                    found.append(
                        Permission(role=role.name, entity=entity.name, actions=actions, scope=scope, sources=sources)  # type: ignore[arg-type]
                    )
    return tuple(found)


def _scopes(ownership: Ownership, letters: str, *, named: bool, admin: bool) -> list[tuple[str, str]]:
    if ownership is Ownership.SHARED:
        return [("all", letters)]
    if ownership is Ownership.AUTHOR:
        if named or admin:
            return [("all", letters)]
        return [("all", "".join(x for x in letters if x == "r")), ("own", "".join(x for x in letters if x != "r"))]
    return [("all" if named else "own", letters)]


def root_of(entities: dict[str, Entity], entity: Entity) -> Entity:
    """The entity whose ownership decides: itself, or its parent's."""
    seen = {entity.name}
    while entity.ownership is Ownership.PARENT:
        target = next(r.target for r in entity.relations if r.name == entity.parent)
        if target in seen:
            break
        seen.add(target)
        entity = entities[target]
    return entity


def pages(draft: Draft) -> tuple[Page, ...]:
    """Pages of a web front end; none for templates without one."""
    if draft.template not in WITH_PAGES:
        return ()
    found = [Page(path="/", title="Home", kind=PageKind.HOME, public=True)]
    for entity in draft.entities.values():
        if entity.ownership is Ownership.PARENT or draft.entries[entity.name].cast:
            continue
        base, public, sources = f"/{entity.plural}", entity.public_read or not draft.accounts, entity.sources
        rows = [
            (base, entity.label_plural, PageKind.LIST, public),
            (f"{base}/new", f"New {entity.label.lower()}", PageKind.FORM, not draft.accounts),
            (f"{base}/{{id}}", entity.label, PageKind.DETAIL, public),
            (f"{base}/{{id}}/edit", f"Edit {entity.label.lower()}", PageKind.FORM, not draft.accounts),
        ]
        found += [
            Page(path=path, title=title, kind=kind, entity=entity.name, public=open_, sources=sources)
            for path, title, kind, open_ in rows
        ]
        if any(op.kind is OperationKind.SUMMARY for op in draft.operations.values() if op.entity == entity.name):
            draft.add_page(PageKind.DASHBOARD, entity.name, f"Summary of {entity.label_plural.lower()}", sources)
    for (kind, name), (title, sources) in draft.pages.items():
        if name in draft.entities:
            entity = draft.entities[name]
            path = f"/{entity.plural}/{PAGE_PATHS[PageKind(kind)]}"
            found.append(Page(path=path, title=title, kind=PageKind(kind), entity=name, sources=sources))
    if draft.accounts:
        rows2 = [("/sign-up", "Sign up", PageKind.SIGN_UP, True), ("/log-in", "Log in", PageKind.LOG_IN, True)]
        rows2 += [("/account", "Your account", PageKind.ACCOUNT, False)]
        if "admin" in draft.roles:
            rows2.append(("/admin", "Administration", PageKind.ADMIN, False))
        found += [Page(path=path, title=title, kind=kind, public=public) for path, title, kind, public in rows2]
    return tuple(found)


def has_many(draft: Draft, name: str) -> list[str]:
    """Names of the entities that belong to one."""
    return [
        other.name
        for other in draft.entities.values()
        if any(r.target == name and r.kind is RelationKind.BELONGS_TO for r in other.relations)
    ]
