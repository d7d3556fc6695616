from __future__ import annotations

import pytest

from omni.verify.analysis.npm import how_to_install, workspaces


@pytest.mark.parametrize(
    ("paths", "folder", "typed"),
    [
        ({"package.json"}, ".", "npm install"),
        ({"package.json", "package-lock.json"}, ".", "npm ci"),
        ({"pnpm-lock.yaml", "web/package.json"}, "web", "pnpm install --frozen-lockfile"),
        ({"pnpm-lock.yaml", "web/yarn.lock"}, "web", "yarn install --immutable"),
        ({"web/bun.lock"}, ".", "npm install"),
    ],
)
def test_the_nearest_lock_says_what_installs(paths: set[str], folder: str, typed: str) -> None:
    assert how_to_install(paths, folder) == typed


@pytest.mark.parametrize(
    ("manifest", "pnpm", "globs"),
    [
        ('{"workspaces": ["app", "./packages/*/"]}', "", ("app", "packages/*")),
        ('{"workspaces": {"packages": ["a"]}}', "packages: ['b', '!c']\n", ("a", "b", "!c")),
        ("{}", "", ()),
        ("", "packages: 1", ()),
        ("[]", "[", ()),
        ('{"workspaces": 1}', "a: &a [*a]", ()),
        ("[" * 100_000, "[" * 2000, ()),
    ],
)
def test_the_folders_that_a_workspace_names(manifest: str, pnpm: str, globs: tuple[str, ...]) -> None:
    assert workspaces(manifest, pnpm) == globs
