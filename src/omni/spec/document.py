"""`spec.md`: the specification as a page that a client can read."""

from __future__ import annotations

from collections.abc import Iterable

from omni.spec.asked import PartStatus
from omni.spec.completeness import assess
from omni.spec.model import Action, Computed, Entity, Ownership, RelationKind, SpecField, Specification
from omni.spec.words import label, listing

STATUS = {
    PartStatus.MAPPED: "understood",
    PartStatus.QUESTION: "open question",
    PartStatus.NOT_DELIVERED: "**not delivered**",
    PartStatus.NARRATIVE: "nothing to build",
}
OWNERSHIP = {
    Ownership.OWNER: "Belongs to the person who made it; nobody else sees it.",
    Ownership.AUTHOR: "Whoever is allowed in may read it; only the person who made it, or an admin, may change it.",
    Ownership.SHARED: "One pool for everybody who is allowed in.",
    Ownership.PARENT: "Follows what it belongs to.",
}


def to_markdown(spec: Specification) -> str:
    """The whole document. Sections without content are left out."""
    sections = (
        _head(spec),
        _account(spec),
        _questions(spec),
        _data(spec),
        _access(spec),
        _behaviour(spec),
        _pages(spec),
        _section("Jobs", [f"- **{job.label}** ({job.trigger} {job.schedule}): {job.description}" for job in spec.jobs]),
        _section("Integrations", [f"- **{i.name}** ({i.kind}): {i.description}" for i in spec.integrations]),
        _qualities(spec),
        _criteria(spec),
        _threats(spec),
        _plan(spec),
    )  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"## {title}\n\n{body}" if body else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [_row(row) for row in rows]
    return [_row(head), "|" + " --- |" * len(head), *lines] if lines else []


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "\\|") or " " for cell in cells) + " |"


def _plain(text: str) -> str:
    """On one line, and no HTML."""
    return " ".join(text.split()).replace("<", "&lt;")


def _head(spec: Specification) -> str:
    score, accounts = assess(spec), "with accounts" if spec.auth else "without accounts"
    quote = "\n".join(f"> {_plain(line)}".rstrip() for line in spec.request.text.splitlines())
    return "\n".join(
        [
            f"# {spec.title}",
            "",
            spec.summary,
            "",
            f"Template `{spec.template}`, {accounts}. Completeness {score.score} of 10.",
            *(f"\n- {text}" for text in score.missing),
            "",
            "The request:",
            "",
            quote,
        ]
    )


def _account(spec: Specification) -> str:
    rows = [(p.id, p.text, STATUS[p.status], ", ".join(f"`{item}`" for item in p.items), p.note) for p in spec.parts]
    return _section("Account of the request", _table(("Part", "Words", "What became of it", "Items", "Note"), rows))


def _questions(spec: Specification) -> str:
    lines = [
        f"- **{q.text}** ({q.id}) {q.why} Options: {listing(q.options) or 'free'}. Default: {q.default}."
        for q in spec.questions
    ]
    lines += ["", "Assumed:", ""] if lines and spec.assumptions else []
    lines += [f"- {a.id}: {a.text}" for a in spec.assumptions]
    return _section("Open questions and assumptions", lines)


def _data(spec: Specification) -> str:
    if not spec.entities:
        return ""
    lines = ["```mermaid", "erDiagram"]
    for entity in spec.entities:
        lines += [
            f"  {entity.name} {{",
            "    string id PK",
            *(f"    {f.type} {f.name}{' UK' if f.unique else ''}" for f in entity.fields),
            "  }",
        ]
        for relation in entity.relations:
            if relation.kind is RelationKind.MANY_TO_MANY:
                lines.append(f"  {relation.target} }}o--o{{ {entity.name} : {relation.name}")
            else:
                lines.append(
                    f"  {relation.target} {'||' if relation.required else '|o'}--o{{ {entity.name} : {relation.inverse}"
                )
    lines += ["```"]
    for entity in spec.entities:
        lines += ["", *_entity(entity)]
    return _section("Data", lines)


def _entity(entity: Entity) -> list[str]:
    rows = [(f.label, f"`{f.name}`", f.type.value, _limits(f)) for f in entity.fields]
    rows += [
        (r.label, f"`{r.name}`", f"{r.kind} {r.target}", "" if r.required else "optional") for r in entity.relations
    ]
    rows += [(c.label, f"`{c.name}`", c.type.value, f"worked out: {_computed(c)}") for c in entity.computed]
    public = " Visitors without an account may read it." if entity.public_read else ""
    head = [f"### {entity.label}", "", f"{entity.description} {OWNERSHIP[entity.ownership]}{public}", ""]
    rules = ["", *(f"- Rule `{rule.id}`: {rule.message}" for rule in entity.rules)] if entity.rules else []
    return [*head, *_table(("Field", "Name", "Type", "Limits"), rows), *rules]


def _computed(computed: Computed) -> str:
    of = f"{computed.child}.{computed.field}" if computed.field else computed.child
    return f"{computed.kind} of {of or listing(computed.fields)}"


def _limits(field: SpecField) -> str:
    words = ["" if field.required else "optional", "unique" if field.unique else "", listing(field.choices)]
    words += [
        f"from {field.min:g}" if field.min is not None else "",
        f"to {field.max:g}" if field.max is not None else "",
    ]
    words += [f"at most {field.max_length} characters" if field.max_length else "", field.unit]
    words += [
        f"default {str(field.default).lower()}" if field.default is not None else "",
        "personal" if field.personal else "",
    ]
    return ", ".join(word for word in words if word)


def _access(spec: Specification) -> str:
    rows = []
    for entity in spec.entities:
        cells = [
            "; ".join(
                f"{_may(p.actions)} ({p.scope})"
                for p in spec.permissions
                if (p.role, p.entity) == (role.name, entity.name)
            )
            for role in spec.roles
        ]
        rows.append((entity.label, *(cell or "nothing" for cell in cells), "read" if entity.public_read else "nothing"))
    head = ("Thing", *(role.label for role in spec.roles), "Visitor")
    notes = [f"- **{role.label}**: {role.description}" for role in spec.roles]
    return _section("Who may do what", [*_table(head, rows), "", *notes]) if spec.roles else ""


def _may(actions: tuple[Action, ...]) -> str:
    return "everything" if len(actions) == len(Action) else listing([action.value for action in actions])


def _behaviour(spec: Specification) -> str:
    rows = [
        (o.label, f"`{o.id}`", o.kind.value, o.description, listing([label(r) for r in o.roles]))
        for o in spec.operations
    ]
    return _section("Behaviour", _table(("What", "Id", "Kind", "Description", "Only for"), rows))


def _pages(spec: Specification) -> str:
    who = {True: "everybody", False: "logged in"}
    rows = [(p.title, f"`{p.path}`", p.kind.value, who[p.public or not spec.auth]) for p in spec.pages]
    return _section("Pages", _table(("Page", "Path", "Kind", "Who"), rows))


def _qualities(spec: Specification) -> str:
    rows = [(q.id, q.statement, q.metric, q.target) for q in spec.qualities]
    return _section("Qualities", _table(("Id", "Need", "Measure", "Target"), rows))


def _criteria(spec: Specification) -> str:
    rows = [(c.id, c.given, c.when, c.then, ", ".join(f"`{ref}`" for ref in c.verifies)) for c in spec.criteria]
    return _section("Acceptance criteria", _table(("Id", "Given", "When", "Then", "Shows"), rows))


def _threats(spec: Specification) -> str:
    stride = [
        (t.id, t.boundary, t.category, t.threat, t.mitigation, ", ".join(t.verified_by[:6])) for t in spec.threats
    ]
    body = _table(("Id", "Boundary", "STRIDE", "Threat", "Mitigation", "Shown by"), stride)
    private = [(t.id, t.category, t.threat, t.mitigation) for t in spec.privacy_threats]
    if private:
        body += ["", f"Personal data: {spec.privacy_threats[0].data}.", ""]
        body += _table(("Id", "LINDDUN", "Threat", "Mitigation"), private)
    return _section("Threats", body)


def _plan(spec: Specification) -> str:
    """Ordered steps, each naming the criteria that it serves."""
    steps = [("Lay the project out: settings, logs, errors, database.", _ids(spec, "quality:"))]
    if spec.auth:
        steps.append(("Accounts: sign up, log in, sessions, roles.", _ids(spec, "auth:", "role:")))
    for entity in spec.entities:
        refs = [f"entity:{entity.name}", f"computed:{entity.name}", *(f"rule:{rule.id}" for rule in entity.rules)]
        refs += [f"operation:{operation.id}" for operation in spec.operations_of(entity.name)]
        steps.append((f"{entity.label}: model, migration, rules, service.", _ids(spec, *refs)))
    loose = [f"operation:{operation.id}" for operation in spec.operations if not operation.entity]
    rest = (
        ("Commands and tasks.", _ids(spec, *loose) if loose else []),
        ("Permissions on every way in.", _ids(spec, "permission:")),
        ("Pages.", _ids(spec, "page:")),
        ("Jobs and integrations.", _ids(spec, "job:", "integration:")),
    )
    steps += [step for step in rest if step[1]]
    lines = [f"{n}. {text}" + (f" Serves {_span(ids)}." if ids else "") for n, (text, ids) in enumerate(steps, 1)]
    return _section("Plan of work", lines)


def _ids(spec: Specification, *wanted: str) -> list[str]:
    """Criteria that verify a ref, a part of it (`computed:Invoice.total`), or one of its kind (`page:`)."""
    starts = tuple(ref if ref.endswith(":") else f"{ref}." for ref in wanted)
    return [c.id for c in spec.criteria if any(ref in wanted or ref.startswith(starts) for ref in c.verifies)]


def _span(ids: list[str]) -> str:
    """`AC1 to AC6, AC9`."""
    numbers = sorted(int(identifier[2:]) for identifier in ids)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"AC{a}" if a == b else f"AC{a} to AC{b}" for a, b in runs)
