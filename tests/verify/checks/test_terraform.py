from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.verify.played import Played, context_of, told

from omni.verify.check import Output
from omni.verify.checks.terraform import parse_format, run_validate

Write = Callable[[Mapping[str, str | bytes]], Path]


def test_each_folder_is_a_module_of_its_own(write: Write) -> None:
    bad = {"severity": "error", "summary": "Bad  Reference", "detail": "No x.", "range": {"filename": "a.tf"}}
    reports = [
        [{**bad, "range": {"filename": "a.tf", "start": {"line": 4}}}, {**bad, "severity": "warning", "detail": ""}],
        [
            {"severity": "error", "summary": "Module not installed"},
            {"severity": "error", "summary": "Too many", "range": None},
        ],
    ]
    played = Played([Output(1, json.dumps({"diagnostics": each}), "") for each in reports])
    root = write({"a.tf": "", "b.tf": "", "net/c.tf": ""})
    assert told(run_validate(context_of(root, "terraform-validate", played))) == [
        "error bad-reference a.tf:4 Bad  Reference: No x.",
        "warning bad-reference a.tf:None Bad  Reference",
        "incomplete: net: Module not installed: type terraform init, and verify in a folder that has it",
        "error too-many net:None Too many",
    ]
    assert played.asked == [("terraform", f"-chdir={folder}", "validate", "-json") for folder in (".", "net")]


def test_a_file_that_would_be_laid_out_otherwise(write: Write) -> None:
    assert told(parse_format(context_of(write({}), "terraform-format"), Output(3, "a.tf\n", ""))) == [
        "note unformatted a.tf:1 terraform fmt would lay it out otherwise"
    ]
