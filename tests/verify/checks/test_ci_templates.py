"""What `omni ci init` writes is fit for its CI, and passes Omni's own checks of such files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from omni import __version__
from omni.kernel.errors import OmniError
from omni.verify.ci import KINDS, detect, init, render
from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]


@pytest.mark.parametrize("check", ["workflows", "yamllint", "spelling"])
def test_our_own_checks_find_nothing(look: Look, check: str) -> None:
    # Gitea's language is GitHub's; zizmor knows it by the folder. A check of names may say that it does not apply.
    paths = {name: kind.path.replace(".gitea/workflows/", ".github/workflows/gitea-") for name, kind in KINDS.items()}
    result = look(check, {path: render(name) for name, path in paths.items()})
    assert (result.findings, result.status in {Status.PASS, Status.SKIPPED}) == ((), True)
    assert check != "workflows" or result.status is Status.PASS


@pytest.mark.parametrize("name", KINDS)
def test_it_is_pinned_and_may_do_no_more_than_it_must(name: str) -> None:
    text = render(name)
    assert yaml.safe_load(text)
    assert f"omni-quantum=={__version__}" in text
    assert ":latest" not in text
    assert all(len(line.split("@")[1].split()[0]) == 40 for line in text.splitlines() if "uses:" in line)
    if "jobs:" in text:
        allowed = {"contents": "read", "security-events": "write"}
        data = yaml.safe_load(text)
        given = data["permissions"] | data["jobs"]["verify"].get("permissions", {})
        assert given.items() <= allowed.items()
        assert "persist-credentials: false" in text


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({".github/dependabot.yml": ""}, ("github",)),
        ({".woodpecker.yaml": "", ".pre-commit-config.yaml": ""}, ("woodpecker", "pre-commit")),
        ({".git/config": '[remote "origin"]\n\turl = git@github.com:a/b.git\n'}, ("github",)),
        ({".git/config": '[remote "origin"]\n\turl = https://gitlab.com/a/b\n'}, ("gitlab",)),
        ({".git/config": "[remote"}, ()),
        ({}, ()),
    ],
)
def test_the_repository_says_what_it_uses(
    write: Callable[..., Path], files: dict[str, str], found: tuple[str, ...]
) -> None:
    assert detect(write(files)) == found


def test_nothing_is_written_over(write: Callable[..., Path]) -> None:
    root = write({".github/dependabot.yml": ""})
    assert [path.name for path in init(root, ())] == ["omni.yaml"]
    assert init(root, ("github",)) == ()
    write({".pre-commit-config.yaml": "repos: []\n", ".woodpecker.yaml": "steps: []\n"})
    for name in ("pre-commit", "woodpecker"):
        with pytest.raises(OmniError) as caught:
            init(root, ("gitlab", name))
        assert caught.value.kind.code == "V061"
        assert "omni verify" in caught.value.fix
    assert not (root / ".gitlab-ci.yml").exists()


def test_without_a_sign_a_name_is_asked_for(write: Callable[..., Path]) -> None:
    with pytest.raises(OmniError, match="which CI"):
        init(write({}), ())
