"""The corpus of edits: what was there, what a model wrote, and what must come of it by the case's construction."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

FOLDER = Path(__file__).parent
Status = Literal["applied", "already", "refused"]


@dataclass(frozen=True)
class Block:
    """One edit as a model wrote it."""

    old: str
    new: str
    times: int = 1
    fragment: bool = False
    """`old` is a part of a line by intention; a format of whole lines would have had the whole lines."""


@dataclass(frozen=True)
class Case:
    id: str
    category: str
    before: str
    blocks: tuple[Block, ...]
    after: str
    statuses: tuple[Status, ...]
    """What must come of each block."""
    lines_before: int = 0
    """Numbered lines that stand before the text, to make it huge (`before` and `after` alike)."""
    lines_after: int = 0

    def texts(self) -> tuple[str, str]:
        """The whole text before, and as it must be afterwards."""
        head, tail = _filler(0, self.lines_before), _filler(self.lines_before, self.lines_after)
        return head + self.before + tail, head + self.after + tail


def _filler(first: int, count: int) -> str:
    return "".join(
        f"    entry_{number} = make_entry({number}, name='entry {number}')\n" for number in range(first, first + count)
    )


_CASE = TypeAdapter(Case)


def load() -> tuple[Case, ...]:
    """Every case: the generated ones, then those written by hand."""
    generated = map(_CASE.validate_json, (FOLDER / "generated.jsonl").read_text("utf-8").splitlines())
    written = tomllib.loads((FOLDER / "written.toml").read_text("utf-8"))["case"]
    return (*generated, *map(_written, written))


def dumped(cases: Iterable[Case]) -> str:
    """One case a line."""
    return "".join(json.dumps(asdict(case)) + "\n" for case in cases)


def _written(row: dict[str, object]) -> Case:
    """`after` missing: the text stays. `old` and `new` may stand beside the text for the only block."""
    alone = {key: row.pop(key) for key in ("old", "new", "times", "fragment") if key in row}
    status = row.pop("status", "applied" if "after" in row else "refused")
    return _CASE.validate_python({"after": row["before"], "blocks": [alone], "statuses": [status], **row})
