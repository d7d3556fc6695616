from __future__ import annotations

import errno
import json
import os

import pytest
from inline_snapshot import snapshot
from sqlalchemy.exc import OperationalError

from omni.cli.errors import show
from omni.kernel.errors import Exit, OmniError, declare

GIT = declare("TEST1", "Git could not do its part", Exit.INCOMPLETE, "Look at the message.")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x"),
        OperationalError("INSERT INTO events", {}, Exception("database or disk is full")),
        OmniError(GIT, "git add: fatal: write error: No space left on device", where="/x"),
    ],
)
def test_a_full_disk_is_one_error_whoever_says_it(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(error, as_json=False, advice="Then go on with: omni runs resume R") == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "omni: The disk is full [X001]"
    assert "INSERT" not in "".join(told)
    assert told[-1] == snapshot("  do:    Free some space, then do the same again. Then go on with: omni runs resume R")


def test_the_last_json_line_has_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(OmniError(GIT, "no git"), as_json=True) == 3
    assert json.loads(capsys.readouterr().out)["exit_code"] == 3


def test_a_bug_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(KeyError("x"), as_json=False, advice="Go on.") == 1
    assert capsys.readouterr().err.endswith("KeyError: 'x'\nomni: This is a bug. Go on.\n")


def test_a_place_that_is_not_ours_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(OSError(errno.EACCES, os.strerror(errno.EACCES), b"/root/log"), as_json=False) == 3
    assert capsys.readouterr().err.splitlines()[:3] == snapshot(
        ["omni: A file can't be read or written [X003]", "  why:   Permission denied", "  where: /root/log"]
    )
