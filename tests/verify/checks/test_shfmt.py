from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.verify.played import context_of, told

from omni.verify.check import Output
from omni.verify.checks.shfmt import parse

Write = Callable[[Mapping[str, str | bytes]], Path]


def test_what_it_would_change_is_told_and_what_it_can_not_parse_is_left_to_shellcheck(write: Write) -> None:
    said = Output(1, "a.sh\nb/c.sh\n", "d.sh:3:1: `if` must end with `fi`\nand more\n")
    assert told(parse(context_of(write({}), "shfmt"), said)) == [
        "note unformatted a.sh:1 not laid out as shfmt would",
        "note unformatted b/c.sh:1 not laid out as shfmt would",
        "skipped d.sh: shfmt can't parse line 3: `if` must end with `fi`",
    ]
