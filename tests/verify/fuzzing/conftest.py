"""Campaigns without a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import pytest
from tests.verify.fuzzing.boxed import REPORT, Box
from tests.verify.played import Played, context_of

from omni.verify.check import Context

Write = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def box() -> Box:
    return Box([REPORT])


@pytest.fixture
def seen(write: Write, box: Box) -> Callable[..., Context]:
    """What a check sees of files."""

    def see(check: str, files: Mapping[str, str | bytes], **more: object) -> Context:
        return context_of(write(files), check, cast("Played", box), **more)

    return see
