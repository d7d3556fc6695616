"""What a program stores, field by field, in each way to declare it."""

from __future__ import annotations

import pytest
from tests.verify.analysis.programs import program_of

from omni.verify.analysis.stored import (
    Model,
    core_tables,
    prisma_models,
    python_models,
    sql_models,
    typeorm_models,
)


def shown(model: Model) -> str:
    """`Name table line: field line (type), …`, the attribute where it is another."""
    fields = [
        each.name + (f"={each.attribute}" if each.attribute != each.name else "") + f" {each.line} ({each.type})"
        for each in model.fields
    ]
    return f"{model.name} {model.table} {model.line}: {', '.join(fields)}"


def stored(text: str, **others: str) -> list[str]:
    program = program_of({"a.py": text} | {f"{name}.py": other for name, other in others.items()})
    return [shown(each) for each in python_models(program)]


SQLALCHEMY = """\
class UserNote(Base):
    __tablename__ = "notes"
    mail = Column("email", String)
    a = b = deferred(Column())
    n: Mapped[str]
    m: str
    o = 1
class Typed(Base):
    __tablename__: str = "typed"
    id = other()
class UserGroup(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
class Old(Base):
    id = mapped_column(primary_key=True)
class Flask(db.Model):
    id = db.Column(db.Integer)
class NoKey(Base):
    id: Mapped[int] = mapped_column()
class OtherKey(Base):
    id: Mapped[int] = other(primary_key=True)
class NoBase:
    id = Column(Integer)
class Abstract(Base):
    __tablename__ = "a"
    __abstract__ = True
    id = Column()
"""


def test_sqlalchemy() -> None:
    assert stored(SQLALCHEMY) == [
        (
            "UserNote notes 1: email=mail 3 (Column('email', String)), a 4 (deferred(Column())), "
            "b 4 (deferred(Column())), n 5 (Mapped[str])"
        ),
        "Typed typed 8: ",
        "UserGroup user_groups 11: id 12 (Mapped[int] mapped_column(primary_key=True))",
        "Old olds 13: id 14 (mapped_column(primary_key=True))",
        "Flask flasks 15: id 16 (db.Column(db.Integer))",
    ]


def test_sqlmodel() -> None:
    text = """\
class A(SQLModel, table=True):
    id: int = Field()
    b: str
    c: list["B"] = Relationship()
    d = 1
    model_config: dict = {}
class Shape(SQLModel):
    id: int
"""
    assert stored(text) == ["A as 1: id 2 (int Field()), b 3 (str)"]


DJANGO = """\
from django.db import models
from django.db.models import Model, EmailField
class A(models.Model):
    a = models.CharField("A", db_column="b")
    c = encrypt(models.TextField())
    d = 1
    e = f()
    class Meta:
        x = 1
        db_table = "as_they_are"
class B(Model):
    a = EmailField("Address")
class C(AbstractUser):
    a = CharField()
class D(AbstractBaseUser):
    __slots__ = CharField()
class Abstract(models.Model):
    class Meta:
        abstract = True
class AbstractUser(Other):
    a = CharField()
class Other(lib.Model):
    class Meta:
        db_table = "other"
"""


def test_django() -> None:
    assert stored(DJANGO) == [
        "A as_they_are 3: b=a 4 (models.CharField('A', db_column='b')), c 5 (encrypt(models.TextField()))",
        "B bs 11: a 12 (EmailField('Address'))",
        "C cs 13: a 14 (CharField())",
        "D ds 15: ",
    ]


def test_what_a_base_declares_is_shown_where_the_model_is() -> None:
    text = """\
from b import Stamped
class Named(Base):
    name = Column(String)
    kind = Column(Text)
class A(Named, Stamped):
    __tablename__ = "as"
    kind = Column(Integer)
"""
    base = "class Stamped:\n    made = Column(DateTime)\n    name = Column(Other)\n"
    assert stored(text, b=base) == [
        "A as 5: made 5 (Column(DateTime)), name 5 (Column(String)), kind 7 (Column(Integer))"
    ]


def test_a_model_knows_its_class_and_its_names() -> None:
    (model,) = python_models(program_of({"p/a.py": "class A(db.Model):\n    x = Column(String)\n"}))
    assert (model.path, model.language, model.module, sorted(model.names)) == ("p/a.py", "python", "p.a", ["A", "as"])
    assert model.cls is not None
    assert (model.cls.name, model.fields[0].module) == ("p.a.A", "p.a")


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("Column(String)", True),
        ("Column(Boolean)", False),
        ("Mapped[bool]", False),
        ("models.BooleanField()", False),
        ("models.ForeignKey(User)", False),
        ("Mapped[list[Note]] relationship()", False),
        ("ManyToManyField(x)", False),
        ("OneToOneField(x)", False),
        ("BOOL NOT NULL", False),
        ("String @map('bool_text')", True),
    ],
)
def test_a_flag_or_a_link_holds_no_data(kind: str, holds: bool) -> None:
    text = f"model A {{\n  a String {kind}\n}}\n"
    ((field,),) = (model.fields for model in prisma_models("a.prisma", text))
    assert field.holds_data is holds


def test_tables_without_a_class() -> None:
    text = """\
three = 3
users = Table("people", metadata, Column("email", String), Column(), Column(NAME), other("x"), 3)
odd: Table = sa.Table(NAME, metadata)
none = Table()
other = make("x")
"""
    models = list(core_tables(program_of({"a.py": text})))
    assert [shown(each) for each in models] == ["users people 2: email 2 (Column('email', String))", "odd odd 3: "]
    assert {(each.path, each.language, each.module, each.cls) for each in models} == {("a.py", "python", "a", None)}


def test_prisma() -> None:
    text = """\
enum Role { ADMIN }
model UserNote {
  id    Int     @id
  text  String? @db.Text
  role  Role
  notes Note[]

  @@map("notes")
}
model B {
  at DateTime
}
"""
    found = list(prisma_models("a.prisma", text))
    assert [shown(each) for each in found] == [
        "UserNote notes 2: id 3 (Int     @id), text 4 (String? @db.Text)",
        "B bs 10: at 11 (DateTime)",
    ]
    assert {(each.path, each.language) for each in found} == {("a.prisma", "prisma")}


def test_typeorm() -> None:
    text = """\
@Entity({ name: "people" })
export class User extends Base {
  @PrimaryColumn()
  id: number;

  @Column({ type: "text", default: () => now() })
  private readonly email!: string | null;

  @OneToMany(() => Note)
  notes: Note[];
}
@Entity()
class Note {
  @CreateDateColumn() made?: Date;
}
"""
    found = list(typeorm_models("a.ts", text))
    assert [shown(each) for each in found] == [
        (
            "User people 2: id 4 (number @PrimaryColumn()), "
            'email 7 (string | null @Column({ type: "text", default: () => now() }))'
        ),
        "Note  13: made 14 (Date @CreateDateColumn())",
    ]
    assert {(each.path, each.language) for each in found} == {("a.ts", "typescript")}
    assert [each.names for each in found] == [{"User", "people"}, {"Note"}]


def test_sql() -> None:
    (model,) = sql_models("a.sql", "\ncreate table users (\n  email text,\n  team int references teams\n);\n")
    assert shown(model) == "users users 2: email 3 (text)"
    assert (model.path, model.language) == ("a.sql", "sql")
