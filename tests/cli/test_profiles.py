from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from omni.cli.profiles import profiles


def test_they_are_listed() -> None:
    done = CliRunner().invoke(profiles, [])
    assert done.exit_code == 0
    assert done.output.splitlines()[3].split()[:3] == ["gdpr", "6", "chosen"]
    first = json.loads(CliRunner().invoke(profiles, ["--json"]).output.splitlines()[0])
    assert (first["type"], first["id"], len(first["rules"])) == ("profile", "database", 26)


def test_one_is_shown_with_what_source_code_cannot_tell() -> None:
    done = CliRunner().invoke(profiles, ["show", "gdpr"])
    assert "GDPR-006  critical  Personal data never gets into logs" in done.output
    assert "    not seen  Copies in backups, logs and other services." in done.output


def test_a_project_is_told_which_to_choose(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text("CREATE TABLE users (id uuid PRIMARY KEY, email text);\n")
    done = CliRunner().invoke(profiles, ["suggest", str(tmp_path), "--json"])
    said = [json.loads(line) for line in done.output.splitlines()]
    assert [(each["profile"], each["where"]) for each in said] == [
        ("database", "schema.sql:1"),
        ("documentation", ""),
        ("gdpr", "schema.sql:1"),
    ]
