"""Decisions about the whole: template, accounts, ownership. Each default is a question or an assumption."""

from __future__ import annotations

from omni.spec import derive, lexicon, words
from omni.spec.asked import Question, Request
from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.model import Entity, FieldType, OperationKind, Ownership, Relation, RelationKind, SpecField

TEMPLATES = ("web-app", "rest-api", "react-app", "cli-tool", "worker")
WITH_ACCOUNTS = ("web-app", "rest-api", "react-app")
NAMING = (FieldType.STRING, FieldType.EMAIL, FieldType.SLUG, FieldType.URL, FieldType.TEXT, FieldType.DATE)


def choose_template(draft: Draft, request: Request, given: str | None) -> None:
    """The template that was given, that the words ask for, or that the domain usually has; else `web-app`."""
    text = request.text.lower()
    asked = next((name for name, pattern in grammar().templates.items() if pattern.search(text)), "")
    usual = draft.domain.template if draft.domain else ""
    draft.template = given or (usual if usual and asked in ("", "rest-api", "web-app") else asked) or "web-app"
    if not given and not asked and not usual:
        draft.assume("It is a web app: the request names no other kind of program.")


def settle(draft: Draft, mentioned: set[str]) -> None:
    """Fill in what the request leaves open. `mentioned`: refs of what it names."""
    _trim(draft, mentioned)
    if draft.template == "worker" and (draft.domain is None or draft.domain.template != "worker"):
        _only_named(draft, mentioned)
    _accounts(draft)
    for entity in list(draft.entities.values()):
        _complete(draft, entity)
    _owners(draft)
    if draft.domain and draft.entities:
        lists = [
            f"{entity.label} ({words.listing([field.label.lower() for field in entity.fields if not field.sources])})"
            for entity in draft.entities.values()
            if entity.name in draft.domain.entities
        ]
        if lists:
            draft.assume(f"Usual ({draft.domain.title}): {'; '.join(lists)}.")


def _trim(draft: Draft, mentioned: set[str]) -> None:
    """Where the request lists the fields of a usual thing, the others of its usual fields go, but those that work."""
    for name, listed in draft.listed.items():
        entity = draft.entities.get(name)
        if entity is None or len(listed) < 2:
            continue
        domestic = draft.domain is not None and name in draft.domain.entities
        working = {f for rule in entity.rules for f in rule.fields} | {f for c in entity.computed for f in c.fields}
        working |= {
            f for o in draft.operations.values() if o.entity == name for f in (o.field, o.value_field, o.target_field)
        }
        used = {o.field for o in draft.operations.values() if o.entity == name and f"operation:{o.id}" in mentioned}
        for field in entity.fields:
            wanted = field.name in listed | used or f"field:{name}.{field.name}" in mentioned
            if not wanted and not (domestic and field.name in working):
                draft.drop_field(name, field.name)


def _only_named(draft: Draft, mentioned: set[str]) -> None:
    """A worker has nobody to look at things: of what is usual for an app it has only what the request names."""
    needed = {entity.name for entity in draft.entities.values() if f"entity:{entity.name}" in mentioned}
    while (
        missing := {
            relation.target
            for name in needed
            for relation in draft.entities[name].relations
            if relation.required and relation.target in draft.entities
        }
        - needed
    ):
        needed |= missing
    draft.entities = {name: entity for name, entity in draft.entities.items() if name in needed}
    draft.operations = {
        key: op for key, op in draft.operations.items() if f"operation:{key}" in mentioned and op.entity in needed
    }
    draft.pages.clear()
    for entity in list(draft.entities.values()):
        draft.change(
            entity.name,
            computed=tuple(c for c in entity.computed if f"computed:{entity.name}.{c.name}" in mentioned),
            rules=tuple(rule for rule in entity.rules if f"rule:{rule.id}" in mentioned),
        )


def _accounts(draft: Draft) -> None:
    if draft.accounts is None:
        usual = draft.template in WITH_ACCOUNTS and bool(draft.entities)
        if usual or "accounts" in draft.answers:
            question = Question(
                id="accounts",
                text="Do people log in?",
                why="With accounts everybody sees their own data; without, whoever reaches the app changes all.",
                options=("yes", "no"),
                default="yes" if usual else "no",
                weight=80,
            )
            draft.accounts = draft.ask(question, "People have accounts, and everybody sees their own data.") == "yes"
        else:
            draft.accounts = False
    if draft.template not in WITH_ACCOUNTS:
        draft.accounts = False
    if draft.accounts:
        for name in draft.domain.roles if draft.domain else ():
            draft.add_role(name, (), draft.domain.roles[name] if draft.domain else "")
        draft.add_role("user", ())
        for operation in draft.operations.values():
            for role in operation.roles:
                draft.add_role(role, operation.sources)
        if "admin" in draft.roles:
            draft.assume("The first person to sign up becomes the admin.")
    else:
        draft.roles.clear()
        _without_people(draft)


def _without_people(draft: Draft) -> None:
    """Without accounts nobody does a thing once, and nothing is for some roles only."""
    for operation in list(draft.operations.values()):
        if operation.kind is OperationKind.CAST:
            draft.assume(
                f"Without accounts there is no “{operation.label}”: it counts once for a person who is logged in."
            )
            draft.drop_entity(operation.child)
    draft.operations = {key: op.model_copy(update={"roles": ()}) for key, op in draft.operations.items()}


def _complete(draft: Draft, entity: Entity) -> None:
    """Every entity has a field that names its rows, and computed values and rules that fit what is there."""
    if not entity.fields:
        name = lexicon.parse_field("name", "string, max 200, search", entity.sources)
        draft.add_field(entity.name, name)
        draft.assume(f"{words.a(entity.label.lower()).capitalize()} has a name; the request says no more of it.")
    targets = {*draft.entities, "User"}
    entity = draft.entities[entity.name]
    draft.change(
        entity.name,
        relations=tuple(r for r in entity.relations if r.target in targets),
        computed=tuple(c for c in entity.computed if not c.child or c.child in targets),
    )
    entity = draft.entities[entity.name]
    names = {field.name for field in entity.fields}
    if entity.display_field not in names:
        best = next((f for f in entity.fields if f.type in NAMING), entity.fields[0])
        draft.change(entity.name, display_field=best.name)
        _require(draft, entity.name, best)


def _require(draft: Draft, entity: str, field: SpecField) -> None:
    if not field.required and field.type is not FieldType.FILE:
        draft.replace_field(entity, field.model_copy(update={"required": True}))


def _owners(draft: Draft) -> None:
    """Without accounts nothing has an owner; what hangs on somebody's row follows that row."""
    for entity in list(draft.entities.values()):
        if not draft.accounts:
            changed = entity.ownership if entity.ownership is Ownership.PARENT else Ownership.SHARED
            rules = tuple(rule for rule in entity.rules if "owner" not in rule.fields)
            draft.change(
                entity.name,
                ownership=changed,
                rules=tuple(r.model_copy(update={"within": ""}) if r.within == "owner" else r for r in rules),
                public_read=False,
                relations=tuple(r for r in entity.relations if r.target != "User"),
            )
            continue
        holder = _cascading(entity)
        if entity.ownership is Ownership.AUTHOR and holder and holder.target in draft.entities:
            root = derive.root_of(draft.entities, draft.entities[holder.target])
            if root.ownership is Ownership.OWNER:
                draft.change(entity.name, ownership=Ownership.PARENT, parent=holder.name)


def _cascading(entity: Entity) -> Relation | None:
    return next(
        (r for r in entity.relations if r.required and r.on_delete == "cascade" and r.kind is RelationKind.BELONGS_TO),
        None,
    )


def summary(draft: Draft) -> str:
    """One or two sentences about the whole."""
    text = draft.domain.summary if draft.domain else ""
    if not text:
        names = [entity.label_plural.lower() for entity in draft.entities.values()]
        text = f"Keeps {words.listing(names)}." if names else "Nothing that could be built was understood."
    if draft.accounts:
        text += " People sign up and log in."
    return text
