"""Names: from one style into another, and out of the way of names that are taken."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Callable

from omni.spec.model import Entity, Specification

TAKEN_PACKAGES = frozenset(
    {
        *sys.stdlib_module_names,
        *dir(builtins),
        "alembic",
        "argon2",
        "babel",
        "fastapi",
        "jinja2",
        "migrations",
        "sqlalchemy",
        "tests",
    }
)
TAKEN_ENTITIES = frozenset({
    "APIRouter", "Action", "Actor", "Annotated", "Base", "BinaryIO", "Browser", "Change", "Conflict", "Depends",
    "Dispatch", "Field", "FileResponse", "FileStore", "Forbidden", "Form", "FormData", "Format", "Group", "Groups",
    "Imported", "Incoming", "Invalid", "Iterator", "Literal", "Mapping", "Moment", "NotFound", "Notice", "Outgoing",
    "Page", "PageOf", "Query", "RedirectResponse", "Request", "Response", "Rights", "Role", "Scope", "Sequence",
    "Session", "Settings", "SettingsOf", "StrEnum", "TestClient", "TooLarge", "Translator", "Unauthenticated",
    "Upload", "UploadFile", "User", "UserSession", "ValidationError", "ZoneInfo",
})  # fmt: skip
"""Classes that the generated projects bring along, or import beside their entities."""
TAKEN_FIELDS = frozenset(
    {"metadata", "registry", "owner", "owner_id", "page", "size", "q", "sort", "csrf", "copy", "json", "dict", "self"}
)
GIVEN_FIELDS = frozenset({"id", "created_at", "updated_at"})
"""Every table has these anyway."""


def snake(name: str) -> str:
    """`InvoiceLine` → `invoice_line`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[-\s]+", "_", name).lower()


def kebab(name: str) -> str:
    """`invoice_line` → `invoice-line`."""
    return snake(name).replace("_", "-")


def pascal(name: str) -> str:
    """`due_date` → `DueDate`."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[_\-\s]+", name))


def camel(name: str) -> str:
    """`due_date` → `dueDate`."""
    joined = pascal(name)
    return joined[:1].lower() + joined[1:]


def package_name(spec: Specification) -> str:
    """Name of the project's Python package, importable and not the name of another one."""
    name = snake(spec.name)
    return f"{name}_app" if name in TAKEN_PACKAGES or keyword.iskeyword(name) else name


def settle(spec: Specification) -> Specification:
    """The same specification with names that no generated project trips over.

    An entity `Session` becomes `SessionRecord`, a field `metadata` becomes `metadata_value`; labels stay. Fields that
    every table has anyway (`created_at`) are left out.
    """
    entities = {entity.name: _free(entity.name) for entity in spec.entities}
    if all(old == new for old, new in entities.items()) and not any(
        field.name in TAKEN_FIELDS | GIVEN_FIELDS or keyword.iskeyword(field.name)
        for entity in spec.entities
        for field in entity.fields
    ):
        return spec

    def entity_name(name: str) -> str:
        return entities.get(name, name)

    return spec.model_copy(
        update={
            "entities": tuple(_settle_entity(entity, entity_name) for entity in spec.entities),
            "permissions": tuple(p.model_copy(update={"entity": entity_name(p.entity)}) for p in spec.permissions),
            "operations": tuple(
                o.model_copy(
                    update={
                        "entity": entity_name(o.entity),
                        "child": entity_name(o.child),
                        **{key: _free_field(getattr(o, key)) for key in ("field", "value_field", "target_field")},
                    }
                )
                for o in spec.operations
            ),
            "pages": tuple(p.model_copy(update={"entity": entity_name(p.entity)}) for p in spec.pages),
            "jobs": tuple(
                j.model_copy(update={"entity": entity_name(j.entity), "field": _free_field(j.field)}) for j in spec.jobs
            ),
            "criteria": tuple(
                c.model_copy(update={"verifies": tuple(_settle_ref(ref, entity_name) for ref in c.verifies)})
                for c in spec.criteria
            ),
        }
    )


def _free(name: str) -> str:
    return f"{name}Record" if name in TAKEN_ENTITIES or keyword.iskeyword(snake(name)) else name


def _free_field(name: str) -> str:
    return f"{name}_value" if name in TAKEN_FIELDS or keyword.iskeyword(name) else name


def _settle_ref(ref: str, rename: Callable[[str], str]) -> str:
    """`entity:Session`, `computed:Session.seats` and `permission:user.Session` with the entity's new name."""
    kind, _, rest = ref.partition(":")
    if kind not in {"entity", "computed", "permission"}:
        return ref
    return f"{kind}:{'.'.join(rename(word) for word in rest.split('.'))}"


def _settle_entity(entity: Entity, rename: Callable[[str], str]) -> Entity:
    return entity.model_copy(
        update={
            "name": rename(entity.name),
            "fields": tuple(
                field.model_copy(update={"name": _free_field(field.name)})
                for field in entity.fields
                if field.name not in GIVEN_FIELDS
            ),
            "display_field": _free_field(entity.display_field),
            "relations": tuple(r.model_copy(update={"target": rename(r.target)}) for r in entity.relations),
            "computed": tuple(
                c.model_copy(
                    update={
                        "child": rename(c.child),
                        "field": _free_field(c.field),
                        "fields": tuple(_free_field(name) for name in c.fields),
                    }
                )
                for c in entity.computed
            ),
            "rules": tuple(
                r.model_copy(update={"fields": tuple(_free_field(name) for name in r.fields)}) for r in entity.rules
            ),
        }
    )
