from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.verify.played import context_of

from omni.verify.config import ProjectConfig
from omni.verify.deep.declared import Migrations
from omni.verify.deep.migrating import Migration, find_migrations

Write = Callable[[Mapping[str, str]], Path]

UP = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f")


def found(root: Path, declared: Migrations | None = None) -> tuple[Migration, ...]:
    return find_migrations(context_of(root, "migrations-executed", project=ProjectConfig(migrations=declared)))


def revision(name: str, before: str | None, more: str = "") -> str:
    return f"revision = {name!r}\ndown_revision: str | None = {before!r}\n\ndef upgrade(): ...\n{more}\n"


def test_sql_files_in_pairs_are_in_the_order_of_their_names(write: Write) -> None:
    pairs = ("migrations/2.up.sql", "migrations/2.down.sql", "migrations/1_up.sql", "migrations/1_down.sql")
    others = ("migrations/3.up.sql", "migrations/sup.sql", "migrations/sdown.sql", "migrations/9/down.sql")
    root = write(dict.fromkeys((*pairs, *others, "migrations/5/up.sql", "migrations/5/down.sql"), ""))
    assert found(root) == tuple(
        Migration(up, (*UP, up), (*UP, down), down)
        for up, down in (
            ("migrations/1_up.sql", "migrations/1_down.sql"),
            ("migrations/2.up.sql", "migrations/2.down.sql"),
            ("migrations/5/up.sql", "migrations/5/down.sql"),
        )
    )


def alembic(write: Write, **revisions: str) -> Path:
    return write({"alembic.ini": ""} | {f"migrations/versions/{name}.py": text for name, text in revisions.items()})


def test_revisions_of_alembic_are_in_the_order_of_their_history(write: Write) -> None:
    third = revision("c3", "b2", "def downgrade():\n    pass")
    root = alembic(write, a=third, b=revision("a1", None), c=revision("b2", "a1"), env="import alembic\n", bad="def (")
    place = "migrations/versions"
    assert found(root) == (
        Migration(f"{place}/b.py", ("alembic", "upgrade", "a1"), ("alembic", "downgrade", "base"), f"{place}/b.py"),
        Migration(f"{place}/c.py", ("alembic", "upgrade", "b2"), ("alembic", "downgrade", "a1"), f"{place}/c.py"),
        Migration(f"{place}/a.py", ("alembic", "upgrade", "c3"), ("alembic", "downgrade", "b2"), f"{place}/a.py", 5),
    )


def test_a_history_that_has_no_one_order_has_no_revisions(write: Write) -> None:
    assert found(alembic(write, a=revision("a1", None), b=revision("b2", None))) == ()


def test_a_history_without_a_beginning_has_no_revisions(write: Write) -> None:
    assert found(alembic(write, a=revision("a1", "gone"), b=revision("b2", "a1"))) == ()


def test_revisions_are_alembics_only_with_its_configuration(write: Write) -> None:
    assert found(write({"migrations/versions/a.py": revision("a1", None)})) == ()


def test_what_is_declared_is_one_migration_where_nothing_can_be_told_apart(write: Write) -> None:
    root = write({"migrations/a.sql": ""})
    own = Migrations(up=("up", "all"), down=("down", "all"))
    plain = Migrations()
    path = "migrations/a.sql"
    assert found(root, own) == (Migration(path, ("up", "all"), ("down", "all"), path),)
    assert found(root, plain) == (Migration(path, plain.up, plain.down, path),)


def test_commands_of_its_own_go_before_pairs_and_the_usual_ones_do_not(write: Write) -> None:
    root = write({"migrations/1.up.sql": "", "migrations/1.down.sql": ""})
    assert [each.up[0] for each in found(root, Migrations())] == ["psql"]
    assert [each.up for each in found(root, Migrations(up=("own",)))] == [("own",)]


def test_without_any_file_the_declaration_is_where_it_stands(write: Write) -> None:
    assert [each.path for each in found(write({"README": ""}), Migrations())] == ["omni.toml"]
