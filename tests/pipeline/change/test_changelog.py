"""What a wheel says of what changed, and what of that may break."""

from __future__ import annotations

from pathlib import Path

from omni.pipeline.change.changelog import Changes, between, changes

LOG = """\
Changelog
=========

3.0.0 (unreleased)
------------------

- Removed everything.

## [2.1.0] - 2026-02-01

### Changed
- `dump` no longer takes a file
  that is open for reading.
- Faster.

Version 2.0
-----------
* Renamed `load` to `read`.

1.0.1
-----
- Removed what is older.
"""


def test_only_what_lies_between_the_versions_counts() -> None:
    assert between(LOG, "1.0.1", "2.1.0") == [
        ("2.1.0", ("Changed", "`dump` no longer takes a file that is open for reading.", "Faster.")),
        ("2.0", ("Renamed `load` to `read`.",)),
    ]
    assert between("no headings at all", "1", "2") == []


def test_of_a_wheel_its_description_and_its_files_are_read(tmp_path: Path) -> None:
    info = tmp_path / "Tiny_Thing-2.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Name: Tiny-Thing\nProject-URL: Release notes, https://example.org/news\n\n# Tiny\n\n{LOG}"
    )
    (info / "RECORD").write_text("tiny/CHANGES.txt,,\ntiny/__init__.py,,\n")
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "CHANGES.txt").write_text("2.1.0\n\n- Dropped Python 3.9.\n")
    assert changes(tmp_path, "tiny-thing", "1.0.1", "2.1.0") == Changes(
        breaks=(
            "2.1.0: `dump` no longer takes a file that is open for reading.",
            "2.0: Renamed `load` to `read`.",
            "2.1.0: Dropped Python 3.9.",
        ),
        address="https://example.org/news",
        read=True,
    )
    assert changes(tmp_path, "tiny", "1.0.1", "2.1.0") == Changes()
