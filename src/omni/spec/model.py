"""The specification: what was asked, as types that a compiler, a person or a model can fill in.

Everything downstream (templates, tests, report, gate) reads these types and nothing else. Names follow the
field: entity, field, relation, role, permission, operation, page, job, integration, quality, criterion, threat.
Every item says where it comes from (`sources`: ids of request parts, or of assumptions), so the account of the
request can be read in both directions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from omni.spec.asked import Assumption, Model, Part, Question, Request

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
"""snake_case name, safe as a Python name, a column and a URL part."""


class Sourced(Model):
    sources: tuple[str, ...] = ()
    """Ids of the request parts (`P3`) or assumptions (`A2`) that this item comes from."""


class FieldType(StrEnum):
    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    """Minutes, as an integer."""
    EMAIL = "email"
    URL = "url"
    PHONE = "phone"
    SLUG = "slug"
    COLOR = "color"
    ENUM = "enum"
    FILE = "file"


class SpecField(Sourced):
    name: Identifier
    label: str
    type: FieldType
    required: bool = True
    unique: bool = False
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    choices: tuple[Identifier, ...] = ()
    default: str | int | float | bool | None = None
    unit: str = ""
    personal: bool = False
    """Identifies or describes a living person (drives LINDDUN, export and erasure)."""
    searchable: bool = False
    filterable: bool = False
    help: str = ""


class ComputedKind(StrEnum):
    COUNT = "count"
    """Number of `child` rows that belong to this row."""
    SUM = "sum"
    """Sum of `field` of the children; `field` may be a computed value of the child."""
    AVERAGE = "average"
    PRODUCT = "product"
    """`fields[0] * fields[1]` of the same row."""
    DIFFERENCE = "difference"
    """`fields[0] - fields[1]` of the same row; of two date-times, minutes."""


class Computed(Sourced):
    """A value that is derived on reading and never stored."""

    name: Identifier
    label: str
    kind: ComputedKind
    type: FieldType
    child: str = ""
    """Name of the child entity (count, sum, average)."""
    field: str = ""
    fields: tuple[str, ...] = ()


class RelationKind(StrEnum):
    BELONGS_TO = "belongs-to"
    MANY_TO_MANY = "many-to-many"


class Relation(Sourced):
    """From the entity that holds it to `target`. belongs-to makes a `{name}_id` column, and `target` has many.

    `target` is the name of an entity, or `User` for an account (only when `auth`)."""

    name: Identifier
    label: str
    kind: RelationKind
    target: str
    required: bool = True
    on_delete: Literal["cascade", "restrict", "set-null"] = "restrict"
    inverse: Identifier
    """Name of the collection on the target ("lines" on Invoice)."""


class RuleKind(StrEnum):
    UNIQUE_TOGETHER = "unique-together"
    """`fields` (columns, relation names, or `owner`: the user who made the row) are unique as a group."""
    ORDERED = "ordered"
    """`fields[0]` < `fields[1]`."""
    NO_OVERLAP = "no-overlap"
    """Intervals [`fields[0]`, `fields[1]`) do not overlap for the same `within` relation."""
    NOT_PAST = "not-past"
    """`fields[0]` is not in the past on creation."""
    CAPACITY = "capacity"
    """Children of `within` number at most its field `fields[0]`."""


class Rule(Sourced):
    id: str
    kind: RuleKind
    fields: tuple[str, ...]
    within: str = ""
    message: str


class Ownership(StrEnum):
    OWNER = "owner"
    """Each row belongs to the user who made it; nobody else sees it."""
    AUTHOR = "author"
    """Everybody allowed in may read; only the user who made it (or an admin) may change it."""
    SHARED = "shared"
    """One pool for all users who are allowed in; permissions alone decide."""
    PARENT = "parent"
    """Follows the entity at `parent` (an invoice's lines follow the invoice)."""


class Entity(Sourced):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=40)]
    plural: Identifier
    """snake_case plural: table name and URL part."""
    label: str
    label_plural: str
    description: str
    fields: tuple[SpecField, ...]
    computed: tuple[Computed, ...] = ()
    relations: tuple[Relation, ...] = ()
    rules: tuple[Rule, ...] = ()
    ownership: Ownership = Ownership.SHARED
    parent: str = ""
    """Relation name, when ownership is `parent`."""
    public_read: bool = False
    """May be read without logging in."""
    display_field: Identifier
    """The field that names a row to a person."""
    sort: tuple[str, ...] = ("-created_at",)


class Role(Sourced):
    name: Identifier
    label: str
    description: str
    assigned: Literal["first-user", "sign-up", "by-admin"] = "sign-up"


class Action(StrEnum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Permission(Sourced):
    role: Identifier
    entity: str
    actions: tuple[Action, ...]
    scope: Literal["own", "all"] = "all"


class OperationKind(StrEnum):
    LIST = "list"
    VIEW = "view"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SEARCH = "search"
    FILTER = "filter"
    SORT = "sort"
    TOGGLE = "toggle"
    """Flip boolean `field`."""
    TRANSITION = "transition"
    """Set enum `field` to `value`; allowed when it is one of `from_values` (empty: any)."""
    INCREMENT = "increment"
    """Add one to integer `field`."""
    REDIRECT = "redirect"
    """Public GET at `/{prefix}/{slug}`: answers 302 to URL `target_field`, counts in `field` if given."""
    CAST = "cast"
    """Create one child (`child`) per user for this row: a vote, an RSVP, a like. The child's own fields are asked for;
    its relations are set: the one to this entity to this row, and one that this entity has by the same name to the
    same row as here (a vote for an option takes the option's poll). Its unique-together rule says what "once" means."""
    UPLOAD = "upload"
    DOWNLOAD = "download"
    EXPORT = "export"
    IMPORT = "import"
    SUMMARY = "summary"
    """A page or endpoint that groups rows by `field` and shows count, and sum of `value_field`."""
    RUN = "run"
    """A command (cli-tool) or a task (worker) that is not about an entity. `steps` says what it does, each
    `verb:argument` from the closed list in `data/steps.yaml`, in order."""
    CUSTOM = "custom"
    """Anything that no template knows. Delivered by a model, or not delivered."""


class Operation(Sourced):
    id: str
    """`OP1`; or readable: `todo.complete`."""
    kind: OperationKind
    name: Identifier
    label: str
    description: str
    entity: str = ""
    roles: tuple[Identifier, ...] = ()
    """Roles that may; empty means whoever the permissions allow."""
    field: str = ""
    value: str = ""
    from_values: tuple[str, ...] = ()
    child: str = ""
    value_field: str = ""
    target_field: str = ""
    prefix: str = ""
    formats: tuple[Literal["csv", "json"], ...] = ()
    steps: tuple[str, ...] = ()


class PageKind(StrEnum):
    HOME = "home"
    LIST = "list"
    DETAIL = "detail"
    FORM = "form"
    BOARD = "board"
    """Columns by an enum field (kanban)."""
    CALENDAR = "calendar"
    DASHBOARD = "dashboard"
    SIGN_UP = "sign-up"
    LOG_IN = "log-in"
    ACCOUNT = "account"
    ADMIN = "admin"


class Page(Sourced):
    path: str
    title: str
    kind: PageKind
    entity: str = ""
    public: bool = False


class Trigger(StrEnum):
    SCHEDULE = "schedule"
    EVENT = "event"
    QUEUE = "queue"


class Job(Sourced):
    """Work that happens by itself. What the effects mean, with age and nearness counted in whole days:

    purge: delete rows of `entity` that were made more than `after_days` days ago; with `field` and `value`, only rows
    that have this value. mark: set `field` to `value` on rows that were made at least `after_days` days ago.
    remind: tell the owner of rows whose date `field` is `-after_days` days ahead. report: count rows by `entity`.
    process: do the `run` operation of `entity` for the row, then set `field` to `value`.
    """

    name: Identifier
    label: str
    trigger: Trigger
    schedule: str = ""
    """Five-field cron expression, UTC."""
    event: str = ""
    description: str
    effect: Literal["purge", "mark", "remind", "report", "process", "custom"] = "custom"
    entity: str = ""
    field: str = ""
    value: str = ""
    after_days: int | None = None


class Integration(Sourced):
    name: Identifier
    kind: Literal["email", "webhook", "rss", "calendar-feed", "payment", "sms", "oauth", "maps", "other"]
    description: str


QualityKind = Literal[
    "performance", "availability", "security", "privacy", "accessibility", "i18n", "scale", "portability", "other"
]


class Quality(Sourced):
    """A non-functional need that can be measured."""

    id: str
    kind: QualityKind
    statement: str
    metric: str = ""
    target: str = ""


class Criterion(Sourced):
    """An acceptance criterion. Its id stands in the name or marker of the test that shows it."""

    id: str
    given: str
    when: str
    then: str
    verifies: tuple[str, ...]
    """Refs of spec items: `entity:Todo`, `operation:todo.complete`, `quality:Q1`, `role:admin`, …"""


Stride = Literal[
    "spoofing", "tampering", "repudiation", "information-disclosure", "denial-of-service", "elevation-of-privilege"
]


class Threat(Sourced):
    """One row of the STRIDE model (method: Shostack, Threat Modeling, 2014)."""

    id: str
    category: Stride
    boundary: str
    threat: str
    mitigation: str
    verified_by: tuple[str, ...] = ()
    """Criterion ids."""


Linddun = Literal[
    "linking", "identifying", "non-repudiation", "detecting", "data-disclosure", "unawareness", "non-compliance"
]


class PrivacyThreat(Sourced):
    """One row of the LINDDUN model (linddun.org)."""

    id: str
    category: Linddun
    data: str
    threat: str
    mitigation: str


class Specification(Model):
    """The whole. `auth` is true when people have accounts."""

    schema_version: Literal["1"] = "1"
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
    title: str
    summary: str
    request: Request
    domain: str
    """Id of the lexicon entry that matched, or `general`."""
    template: str
    """Name of the project template that the request asks for."""
    auth: bool
    sign_up: Literal["open", "invite", "none"] = "open"
    parts: tuple[Part, ...]
    entities: tuple[Entity, ...] = ()
    roles: tuple[Role, ...] = ()
    permissions: tuple[Permission, ...] = ()
    operations: tuple[Operation, ...] = ()
    pages: tuple[Page, ...] = ()
    jobs: tuple[Job, ...] = ()
    integrations: tuple[Integration, ...] = ()
    qualities: tuple[Quality, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    threats: tuple[Threat, ...] = ()
    privacy_threats: tuple[PrivacyThreat, ...] = ()
    questions: tuple[Question, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    glossary: dict[str, str] = Field(default_factory=dict)

    def entity(self, name: str) -> Entity:
        """The entity of that name. Raises KeyError."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise KeyError(name)

    def operations_of(self, entity: str) -> tuple[Operation, ...]:
        return tuple(operation for operation in self.operations if operation.entity == entity)
