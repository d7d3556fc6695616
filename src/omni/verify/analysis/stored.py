"""What a program stores, field by field: SQLAlchemy, SQLModel, Django, Prisma, TypeORM, and CREATE TABLE."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from omni.verify.analysis.program import Class, Program
from omni.verify.analysis.python import dotted, keyword, last_name, text_of
from omni.verify.analysis.tables import sql_tables

NOT_TEXT = re.compile(r"\bbool(ean)?\b|\bBooleanField\b|ForeignKey|relationship|ManyToMany|OneToOne", re.IGNORECASE)
"""A flag or a link to another row: it holds no data of its own."""
DJANGO_FIELD = re.compile(r"(Field|^encrypt|EncryptedField)$|^(Char|Text|Email|Binary|Date)\w*$")


@dataclass(frozen=True, eq=False)
class Stored:
    """One field of a model."""

    name: str
    """The column's."""
    attribute: str
    """The program's name for it."""
    type: str
    """As written."""
    line: int
    node: ast.expr | None = None
    """What declares it, in Python."""
    module: str = ""

    @property
    def holds_data(self) -> bool:
        return not NOT_TEXT.search(self.type)


@dataclass(frozen=True, eq=False)
class Model:
    name: str
    """The class's; the table's where there is no class."""
    table: str
    path: str
    line: int
    language: str
    fields: tuple[Stored, ...] = ()
    cls: Class | None = field(default=None, repr=False)
    module: str = ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.name, self.table} - {""})


def python_models(program: Program) -> Iterator[Model]:
    for found in program.classes.values():
        bases = [base for base in program.bases(found) if base != found.name]
        kind = _kind(found, bases)
        if not kind or _is_abstract(found.node):
            continue
        fields: dict[str, Stored] = {}
        for holder in (*(program.classes[base] for base in reversed(bases) if base in program.classes), found):
            for each in _fields(holder, kind):
                fields[each.attribute] = each if holder is found else _inherited(each, found)
        table = next((text for each in found.node.body if (text := _table_name(each))), "") or _plural(found.short)
        yield Model(
            found.short, table, found.path, found.node.lineno, "python", tuple(fields.values()), found, found.module
        )


def core_tables(program: Program) -> Iterator[Model]:
    """`users = Table("users", metadata, Column("email", String))`"""
    for module in program.modules.values():
        for name, value in module.constants.items():
            if not isinstance(value, ast.Call) or last_name(value.func) != "Table" or not value.args:
                continue
            fields = [
                Stored(text, text, ast.unparse(each), each.lineno, each, module.name)
                for each in value.args
                if isinstance(each, ast.Call) and last_name(each.func) == "Column" and each.args
                if (text := text_of(each.args[0]))
            ]
            table = text_of(value.args[0]) or name
            yield Model(name, table, module.path, value.lineno, "python", tuple(fields), None, module.name)


def _inherited(each: Stored, into: Class) -> Stored:
    """A field of a mixin; it is shown where the model is declared, since the mixin may lie in another file."""
    return Stored(each.name, each.attribute, each.type, into.node.lineno, each.node, each.module)


def _kind(found: Class, bases: list[str]) -> str:
    """`sqlalchemy`, `sqlmodel` or `django`; empty for a class that stores nothing."""
    lasts = {base.rpartition(".")[2] for base in bases}
    own = [keyword_.arg for keyword_ in found.node.keywords]
    if "SQLModel" in lasts:
        return "sqlmodel" if "table" in own else ""
    if any(_table_name(each) for each in found.node.body if not isinstance(each, ast.ClassDef)) or any(
        isinstance(each, ast.AnnAssign | ast.Assign)
        and isinstance(each.value, ast.Call)
        and last_name(each.value.func) == "mapped_column"
        and keyword(each.value, "primary_key") is not None
        for each in found.node.body
    ):
        return "sqlalchemy"
    if any(base.endswith("models.Model") for base in bases) or lasts & {"AbstractUser", "AbstractBaseUser"}:
        return "django"
    return "sqlalchemy" if any(base.endswith("db.Model") for base in bases) else ""


def _is_abstract(node: ast.ClassDef) -> bool:
    text = "\n".join(ast.unparse(each) for each in node.body if isinstance(each, ast.ClassDef | ast.Assign))
    return bool(re.search(r"\babstract = True|__abstract__ = True", text))


def _table_name(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and "__tablename__" in {dotted(target) for target in statement.targets}:
        return text_of(statement.value) or ""
    if isinstance(statement, ast.AnnAssign) and dotted(statement.target) == "__tablename__":
        return text_of(statement.value) or ""
    if isinstance(statement, ast.ClassDef) and statement.name == "Meta":
        for each in statement.body:
            if isinstance(each, ast.Assign) and "db_table" in {dotted(target) for target in each.targets}:
                return text_of(each.value) or ""
    return ""


def _plural(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + "s"


def _fields(holder: Class, kind: str) -> Iterator[Stored]:
    for statement in holder.node.body:
        if isinstance(statement, ast.AnnAssign):
            targets, annotation = [dotted(statement.target)], ast.unparse(statement.annotation)
        elif isinstance(statement, ast.Assign):
            targets, annotation = [dotted(target) for target in statement.targets], ""
        else:
            continue
        value = statement.value
        if not _declares(kind, value, annotation):
            continue
        written = (
            text_of(value.args[0]) if isinstance(value, ast.Call) and value.args and kind == "sqlalchemy" else None
        )
        db_column = text_of(keyword(value, "db_column")) if isinstance(value, ast.Call) else None
        text = f"{annotation} {ast.unparse(value) if value is not None else ''}".strip()
        for target in targets:
            if target and not target.startswith("__") and target != "model_config":
                yield Stored(written or db_column or target, target, text, statement.lineno, value, holder.module)


def _declares(kind: str, value: ast.expr | None, annotation: str) -> bool:
    if kind == "sqlmodel":
        return bool(annotation) and not re.search(r"\bRelationship\(", ast.unparse(value) if value else "")
    if not isinstance(value, ast.Call):
        return kind == "sqlalchemy" and annotation.startswith("Mapped[") and value is None
    name = last_name(value.func)
    if kind == "django":
        return bool(DJANGO_FIELD.search(name))
    return name in {"mapped_column", "Column", "deferred"}


# ── others ───────────────────────────────────────────────────────────────────────────────────────

PRISMA_MODEL = re.compile(r"^model\s+(?P<name>\w+)\s*\{(?P<body>[^}]*)\}", re.MULTILINE)
PRISMA_FIELD = re.compile(r"^[ \t]+(?P<name>\w+)[ \t]+(?P<type>\w+)(?P<rest>[^\n]*)", re.MULTILINE)
PRISMA_PLAIN = frozenset({"String", "Int", "BigInt", "Float", "Decimal", "DateTime", "Json", "Bytes"})
TYPEORM_ENTITY = re.compile(r"@Entity\((?P<table>[^)]*)\)[^{]{0,200}?\bclass\s+(?P<name>\w+)[^{]{0,200}\{", re.DOTALL)
TYPEORM_FIELD = re.compile(
    r"@(?P<kind>Column|EncryptedColumn|PrimaryColumn|CreateDateColumn)\((?P<options>(?:[^()]|\([^()]*\)){0,1000})\)\s*"
    r"(?:(?:public|private|readonly|protected)\s+)*(?P<name>\w+)[!?]?\s*:\s*(?P<type>[\w\[\]| ]+)"
)


def prisma_models(path: str, text: str) -> Iterator[Model]:
    """https://www.prisma.io/docs/orm/reference/prisma-schema-reference"""
    for found in PRISMA_MODEL.finditer(text):
        fields = []
        for each in PRISMA_FIELD.finditer(found["body"]):
            if each["type"] in PRISMA_PLAIN:
                line = text.count("\n", 0, found.start("body") + each.start("name")) + 1
                fields.append(Stored(each["name"], each["name"], f"{each['type']}{each['rest']}", line))
        mapped = re.search(r'@@map\("(\w+)"\)', found["body"])
        line = text.count("\n", 0, found.start()) + 1
        table = mapped[1] if mapped else _plural(found["name"])
        yield Model(found["name"], table, path, line, "prisma", tuple(fields))


def typeorm_models(path: str, text: str) -> Iterator[Model]:
    """https://typeorm.io/docs/entity/entities"""
    starts = list(TYPEORM_ENTITY.finditer(text))
    for number, found in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        fields = []
        for each in TYPEORM_FIELD.finditer(text, found.end(), end):
            line = text.count("\n", 0, each.start("name")) + 1
            declared = f"{each['type'].strip()} @{each['kind']}({each['options']})"
            fields.append(Stored(each["name"], each["name"], declared, line))
        named = re.search(r"[\"'](\w+)[\"']", found["table"])
        line = text.count("\n", 0, found.start("name")) + 1
        yield Model(found["name"], named[1] if named else "", path, line, "typescript", tuple(fields))


def sql_models(path: str, text: str) -> Iterator[Model]:
    for table in sql_tables(path, text):
        fields = tuple(
            Stored(each.name, each.name, each.type, each.line) for each in table.columns if not each.references
        )
        yield Model(table.name, table.name, path, table.line, "sql", fields)
