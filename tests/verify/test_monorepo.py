"""Packages of one repository: found as each workspace declares them, affected through what they need."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from omni.cli.affected import affected as command
from omni.verify.files import take_inventory
from omni.verify.monorepo import Affected, Package, affected, packages

Write = Callable[[Mapping[str, str | bytes]], Path]
Git = Callable[..., str]

SHOP: Mapping[str, str] = {
    "package.json": '{"workspaces": ["web/*"]}',
    "web/front/package.json": '{"name": "@shop/front", "dependencies": {"@shop/ui": "*", "react": "19"}}',
    "web/ui/package.json": '{"name": "@shop/ui"}',
    "services/orders/pyproject.toml": '[project]\nname = "orders"\ndependencies = ["common>=1", "httpx"]\n',
    "packages/common/pyproject.toml": '[project]\nname = "common"\n',
    "README.md": "words\n",
}


def test_packages_and_what_they_need(write: Write) -> None:
    assert packages(take_inventory(write(SHOP))) == (
        Package("common", "packages/common", frozenset()),
        Package("orders", "services/orders", frozenset({"common"})),
        Package("@shop/front", "web/front", frozenset({"@shop/ui"})),
        Package("@shop/ui", "web/ui", frozenset()),
    )


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        ({"pnpm-workspace.yaml": "packages:\n  - 'a/*'\n  - '!a/x'\n", "a/b/package.json": "{}"}, ["a/b"]),
        ({"lerna.json": '{"packages": ["m"]}', "m/package.json": "{}", "n/package.json": "{}"}, ["m"]),
        ({"pyproject.toml": '[tool.uv.workspace]\nmembers = ["py/*"]\n', "py/a/pyproject.toml": ""}, ["py/a"]),
        ({"Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n', "crates/a/Cargo.toml": ""}, ["crates/a"]),
        ({"go.work": "go 1.24\n\nuse (\n\t./cmd/a\n\t./b\n)\n", "cmd/a/go.mod": "", "b/go.mod": ""}, ["b", "cmd/a"]),
        ({"apps/a/package.json": "not json"}, ["apps/a"]),
        ({"package.json": '{"workspaces": {"packages": ["w/**"]}}', "w/x/y/package.json": "{}"}, ["w/x/y"]),
        ({"package.json": "{}", "src/package.json": "{}"}, []),
    ],
)
def test_each_kind_of_workspace(write: Write, files: Mapping[str, str], folders: list[str]) -> None:
    assert [each.path for each in packages(take_inventory(write(files)))] == folders


def reasons(found: tuple[Affected, ...]) -> dict[str, str]:
    return {each.package.name: each.why for each in found if each.why}


def test_a_change_affects_its_package_and_all_that_need_it(write: Write) -> None:
    found = packages(take_inventory(write(SHOP)))
    assert reasons(affected(found, {"packages/common/a.py"})) == {
        "common": "packages/common/a.py changed",
        "orders": "it needs common",
    }
    assert reasons(affected(found, {"README.md"})) == {}
    assert set(reasons(affected(found, {"package-lock.json"}))) == {"common", "orders", "@shop/front", "@shop/ui"}


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef")), min_size=1),
    st.sampled_from("abcdef"),
)
def test_affected_is_closed_under_need(needs: dict[str, frozenset[str]], changed: str) -> None:
    found = [Package(name, f"p/{name}", each - {name}) for name, each in needs.items()]
    hit = reasons(affected(found, {f"p/{changed}/x.py"}))
    assert (changed in hit) == (changed in needs) or changed not in needs
    for each in found:
        assert (each.name in hit) or not (each.needs & hit.keys())


def test_the_command_lists_them(write: Write, git: Git, root: Path) -> None:
    write(SHOP)
    git("add", "-A")
    git("commit", "-qm", "one")
    write({"web/ui/index.ts": "export {}\n"})
    said = CliRunner().invoke(command, [str(root), "--json"]).output
    rows = [json.loads(text) for text in said.splitlines()]
    assert {row["name"] for row in rows if row.get("affected") is True} == {"@shop/ui", "@shop/front"}
    assert rows[-1] == {"type": "result", "packages": 4, "affected": 2}
