from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

TOKEN = "gh" + "p_" + "x7Kd93jfLsQ2mVb8Nc4Tz6Wp1Rg5Yh0AeUiO"
"""In the form of a token, and none: put together here, so that it stands in no file."""


@pytest.mark.slow
def test_token(look: Look) -> None:
    result = look("secrets", {"app.py": f'x = 1\nTOKEN = "{TOKEN}"\n', "b.py": "y = 2\n"})
    assert [(each.severity, each.path, each.line, each.cwe) for each in result.findings] == [
        ("error", "app.py", 2, "CWE-798")
    ]
    assert TOKEN not in result.model_dump_json()
    assert result.coverage.seen == 2


@pytest.mark.slow
def test_clean(look: Look) -> None:
    assert look("secrets", {"app.py": "import os\nTOKEN = os.environ['TOKEN']\n"}).status is Status.PASS
