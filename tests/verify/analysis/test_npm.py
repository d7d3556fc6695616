from __future__ import annotations

import pytest

from omni.verify.analysis.npm import how_to_install


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
