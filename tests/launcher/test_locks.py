"""The lock files: pinned, hashed, and the same versions in all of them, so that tests run what users run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OMNI, DEV = ROOT / "requirements/omni.lock", ROOT / "requirements/dev.lock"
TOOLSETS = sorted((ROOT / "src/omni/verify/toolsets").glob("*.lock"))
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PIN.findall(lock.read_text()))


def test_the_tests_run_on_what_users_get() -> None:
    assert pins(OMNI).items() <= pins(DEV).items()


@pytest.mark.parametrize("lock", [OMNI, DEV, *TOOLSETS], ids=lambda lock: lock.stem)
def test_everything_is_pinned_and_hashed(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    bad = [entry.splitlines()[0] for entry in entries if not (PIN.match(entry) and "--hash=sha256:" in entry)]
    assert bad == []
    assert "uv" in pins(OMNI)
