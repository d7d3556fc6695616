"""The specification while it is being written: what the rules of the compiler add to, question and take away from."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from itertools import count

from omni.kernel.errors import Exit, OmniError, declare
from omni.spec import lexicon, words
from omni.spec.asked import Assumption, Question
from omni.spec.lexicon import Bundle, Domain, EntityEntry
from omni.spec.model import Entity, Integration, Job, Operation, OperationKind, Quality, Relation, Role, SpecField

BAD_ANSWER = declare(
    "SPEC-ANSWER", "An answer does not fit its question", Exit.USAGE, "Answer with one of the options of the question."
)

VERSIONS = count(1)
TAKEN_FIELDS = frozenset({"id", "created_at", "updated_at", "owner", "owner_id", "metadata", "registry", "version"})
TAKEN_ENTITIES = frozenset(
    {"User", "Session", "Base", "Model", "Query", "Settings", "Page", "Account", "Field", "List"}
)


@dataclass
class Draft:
    """Mutable on purpose: one compilation owns one draft."""

    answers: Mapping[str, str]
    domain: Domain | None = None
    domain_id: str = "general"
    main: str = ""
    template: str = ""
    accounts: bool | None = None
    sign_up: str = "open"
    entities: dict[str, Entity] = field(default_factory=dict)
    entries: dict[str, EntityEntry] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    pages: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    """(kind, entity) → title, sources."""
    jobs: dict[str, Job] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)
    qualities: dict[str, Quality] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    access: dict[str, dict[str, str]] = field(default_factory=dict)
    """Entity → role → letters of `crud`."""
    listed: dict[str, set[str]] = field(default_factory=dict)
    """Entity → fields that the request lists for it; a list of two or more is taken as the whole."""
    removed: set[str] = field(default_factory=set)
    questions: dict[str, Question] = field(default_factory=dict)
    assumptions: list[Assumption] = field(default_factory=list)
    version: int = 0
    """Another one whenever the vocabulary changes."""

    # ── deciding ─────────────────────────────────────────────────────────────────────────────────

    def assume(self, text: str, *, part: str = "", question: str = "") -> str:
        """Record an assumption, once. Its id."""
        for known in self.assumptions:
            if known.text == text:
                return known.id
        self.assumptions.append(Assumption(id=f"A{len(self.assumptions) + 1}", text=text, part=part, question=question))
        return self.assumptions[-1].id

    def ask(self, question: Question, assumed: str) -> str:
        """The given answer, or the default, which is then recorded as an assumption (`assumed`). Raises OmniError."""
        self.questions[question.id] = question
        given = self.answers.get(question.id)
        if given is None:
            self.assume(assumed, part=question.part, question=question.id)
            return question.default
        answer = given.strip().lower()
        if question.options and answer not in question.options:
            raise OmniError(
                BAD_ANSWER,
                f"`{given}` is not an answer to `{question.id}`: {question.text}",
                fix=f"Answer with {words.listing(question.options)}.",
            )
        return answer

    # ── adding ───────────────────────────────────────────────────────────────────────────────────

    def add(self, bundle: Bundle, sources: tuple[str, ...], main: str = "") -> list[str]:
        """Take everything of a bundle in. Refs of what it names, also of what was there already."""
        refs: list[str] = []
        for name, entry in bundle.entities.items():
            refs.append(self.add_entity(lexicon.make_entity(name, entry, sources), entry))
        for holder, notations in bundle.fields.items():
            name = main if holder == "main" else holder
            refs += [self.add_field(name, lexicon.parse_field(f, n, sources)) for f, n in notations.items()]
        for holder, notations in bundle.relations.items():
            name = main if holder == "main" else holder
            for key, notation in notations.items():
                held, target = key.replace("main", words.snake(main)), re.sub(r"^main\b", main, notation)
                refs.append(self.add_relation(name, lexicon.parse_relation(held, target, name, sources)))
        for key, operation in bundle.operations.items():
            entity = str(operation.what.get("entity", "")) or self._entity_of(key, main)
            refs.append(self.add_operation(lexicon.make_operation(key, operation.what, entity, sources)))
        for page in bundle.pages:
            entity = main if page.get("entity") == "main" else page.get("entity", "")
            refs.append(self.add_page(page["kind"], entity, page.get("title", ""), sources))
        for what in bundle.jobs:
            job = lexicon.make_job({k: main if v == "main" else v for k, v in what.items()}, sources)
            refs.append(f"job:{self.jobs.setdefault(job.name, job).name}")
        for what in bundle.integrations:
            integration = lexicon.make_integration(what, sources)
            refs.append(f"integration:{self.integrations.setdefault(integration.name, integration).name}")
        refs += [self.add_quality(what, sources) for what in bundle.qualities]
        refs += [self.add_role(name, sources, description) for name, description in bundle.roles.items()]
        refs += bundle.refs
        if bundle.accounts is not None:
            self.accounts = bundle.accounts
            refs += ["auth"] if bundle.accounts else []
        return list(dict.fromkeys(refs))

    def _entity_of(self, key: str, main: str) -> str:
        prefix = key.rpartition(".")[0]
        if prefix == "main":
            return main
        return next((name for name in self.entities if words.snake(name) == prefix), "")

    def add_entity(self, entity: Entity, entry: EntityEntry) -> str:
        if entity.name not in self.entities:
            self.version = next(VERSIONS)
            self.entities[entity.name] = entity
            self.entries[entity.name] = entry
            self.access[entity.name] = dict(entry.access)
            self.main = self.main or entity.name
        return f"entity:{entity.name}"

    def new_entity(self, noun: str, sources: tuple[str, ...]) -> str:
        """The entity that a noun names: known here, known in the lexicon, or made. Its name."""
        if known := self.find_entity(noun):
            return known
        if imported := self._import(noun, sources):
            return imported
        singular = " ".join([*noun.split()[:-1], words.singular(noun.rsplit(maxsplit=1)[-1])])
        name = words.pascal(singular)
        taken = name in TAKEN_ENTITIES or keyword.iskeyword(words.snake(name)) or hasattr(builtins, words.snake(name))
        name = f"{name}Record" if taken else name
        label = words.label(singular)
        entry = EntityEntry(words=(noun, singular), description=f"{label}, as the request names it.")
        entity = lexicon.make_entity(name, entry, sources)
        called = {"label": label, "label_plural": words.plural_phrase(label)}
        self.add_entity(entity.model_copy(update=called), entry)
        return name

    def call(self, entity: str, *names: str) -> None:
        """Further names that the request uses for an entity."""
        entry = self.entries[entity]
        self.entries[entity] = entry.model_copy(update={"words": (*entry.words, *names)})
        self.version = next(VERSIONS)

    def find_entity(self, noun: str) -> str:
        wanted = " ".join(words.singular(word) for word in noun.lower().split())
        for name, entry in self.entries.items():
            known = {words.label(name).lower(), *entry.words}
            if wanted in {" ".join(words.singular(word) for word in text.split()) for text in known}:
                return name
        last = wanted.split()[-1:]
        near = [name for name in self.entities if words.label(name).lower().split()[-1:] == last]
        return near[0] if len(near) == 1 and (wanted == last[0] or words.label(near[0]).lower() == last[0]) else ""

    def _import(self, noun: str, sources: tuple[str, ...]) -> str:
        """Take an entity of another domain in, with what can't be without it."""
        found = lexicon.entity_named(noun)
        if found is None:
            return ""
        domain, name = found
        wanted, queue = [], [name]
        while queue:
            current = queue.pop()
            if current in wanted:
                continue
            wanted.append(current)
            for other, entry in domain.entities.items():
                mine = [r.split(",")[0] for r in domain.entities[current].relations.values() if "optional" not in r]
                if other in mine or (entry.parent and entry.relations[entry.parent].startswith(current + ",")):
                    queue.append(other)
        keys = {words.snake(name) for name in wanted}
        operations = {
            key: entry
            for key, entry in domain.operations.items()
            if key.rpartition(".")[0] in keys and entry.what.get("child", name) in wanted
        }
        entities = {name: domain.entities[name] for name in domain.entities if name in wanted}
        main = self.main
        self.add(Bundle(entities=entities, operations=operations), sources)
        self.main = main or name
        return name

    def add_field(self, entity: str, new: SpecField) -> str:
        """Add a field, or read an existing one of that name as meant. Its ref."""
        held = self.entities[entity]
        name = new.name
        if name in TAKEN_FIELDS or keyword.iskeyword(name):
            new = new.model_copy(update={"name": f"{name}_name"})
        if all(known.name != new.name for known in held.fields):
            self._update(entity, fields=(*held.fields, new))
        return f"field:{entity}.{new.name}"

    def replace_field(self, entity: str, new: SpecField) -> None:
        held = self.entities[entity].fields
        self._update(entity, fields=tuple(new if known.name == new.name else known for known in held))

    def add_relation(self, entity: str, new: Relation) -> str:
        held = self.entities[entity].relations
        if all(known.name != new.name for known in held):
            self._update(entity, relations=(*held, new))
        return f"relation:{entity}.{new.name}"

    def _update(self, entity: str, **changes: object) -> None:
        self.version = next(VERSIONS)
        self.entities[entity] = self.entities[entity].model_copy(update=changes)

    def change(self, entity: str, **changes: object) -> None:
        """Set attributes of an entity (ownership, public_read, rules …)."""
        self._update(entity, **changes)

    def add_operation(self, operation: Operation) -> str:
        self.version = self.version if operation.id in self.operations else next(VERSIONS)
        return f"operation:{self.operations.setdefault(operation.id, operation).id}"

    def add_page(self, kind: str, entity: str, title: str, sources: tuple[str, ...]) -> str:
        self.pages.setdefault((kind, entity), (title, sources))
        return f"page:{kind}:{entity}"

    def add_quality(self, what: dict[str, str], sources: tuple[str, ...]) -> str:
        known = self.qualities.get(what["statement"])
        quality = known or lexicon.make_quality(what, len(self.qualities) + 1, sources)
        self.qualities[what["statement"]] = quality
        return f"quality:{quality.id}"

    def add_role(self, name: str, sources: tuple[str, ...], description: str = "") -> str:
        assigned = {"admin": "first-user", "user": "sign-up"}.get(name, "by-admin")
        text = description or {"admin": "Runs the place.", "user": "Has an account."}.get(name, words.label(name) + ".")
        role = Role(name=name, label=words.label(name), description=text, assigned=assigned, sources=sources)  # type: ignore[arg-type]
        self.roles.setdefault(name, role)
        if assigned == "by-admin":
            self.add_role("admin", sources)
        self.accounts = True if self.accounts is None else self.accounts
        return f"role:{name}"

    def save(self) -> Draft:
        """What it is now, to come back to."""
        saved = copy(self)
        for name in ("entities", "entries", "operations", "pages", "jobs", "integrations", "qualities", "roles"):
            setattr(saved, name, dict(getattr(self, name)))
        saved.access = {entity: dict(letters) for entity, letters in self.access.items()}
        return saved

    def restore(self, saved: Draft) -> None:
        """Go back to what was saved, but keep new things, custom operations, questions and assumptions."""
        entities = self.entities | saved.entities
        custom = {key: op for key, op in self.operations.items() if op.kind is OperationKind.CUSTOM}
        for name in ("pages", "jobs", "integrations", "qualities", "roles", "accounts", "sign_up"):
            setattr(self, name, getattr(saved, name))
        self.access = {name: {} for name in entities} | saved.access
        self.entities = entities
        self.operations = saved.operations | custom
        same = entities == saved.entities and not custom and self.entries == saved.entries
        self.version = saved.version if same else next(VERSIONS)

    # ── taking away ──────────────────────────────────────────────────────────────────────────────

    def drop_entity(self, name: str) -> None:
        """Remove an entity and everything that hangs on it."""
        gone = {name} | {
            e.name for e in self.entities.values() if any(r.target == name and r.required for r in e.relations)
        }
        self.entities = {k: v for k, v in self.entities.items() if k not in gone}
        self.operations = {k: v for k, v in self.operations.items() if v.entity not in gone and v.child not in gone}
        self.pages = {k: v for k, v in self.pages.items() if k[1] not in gone}
        self.jobs = {k: v for k, v in self.jobs.items() if v.entity not in gone}
        for entity in self.entities.values():
            self._update(
                entity.name,
                relations=tuple(r for r in entity.relations if r.target not in gone),
                computed=tuple(c for c in entity.computed if c.child not in gone),
            )

    def drop_field(self, entity: str, name: str) -> None:
        """Remove a field and the rules, operations and sort keys that need it."""
        held = self.entities[entity]
        self._update(
            entity,
            fields=tuple(f for f in held.fields if f.name != name),
            rules=tuple(r for r in held.rules if name not in r.fields),
            computed=tuple(c for c in held.computed if name not in c.fields),
            sort=tuple(key for key in held.sort if key.lstrip("-") != name) or ("-created_at",),
        )
        self.operations = {
            k: v
            for k, v in self.operations.items()
            if v.entity != entity or name not in (v.field, v.value_field, v.target_field)
        }


def unique(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
