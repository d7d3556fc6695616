"""What is known of a file is computed once for each content."""

from __future__ import annotations

from pathlib import Path

from omni.verify.facts import Facts
from omni.verify.files import File


def file(digest: str) -> File:
    return File("a.py", 1, "python", digest)


def test_a_fact_is_computed_once_a_content_and_name(tmp_path: Path) -> None:
    calls: list[str] = []

    def compute(value: str) -> str:
        calls.append(value)
        return value

    facts = Facts(tmp_path / "facts.sqlite", "1")
    assert [facts.of("imports", file("a"), lambda: compute("one")) for _ in range(2)] == ["one", "one"]
    assert facts.of("names", file("a"), lambda: compute("two")) == "two"
    assert facts.of("imports", file("b"), lambda: compute("three")) == "three"
    facts.close()
    again = Facts(tmp_path / "facts.sqlite", "1")
    assert again.of("imports", file("a"), lambda: compute("four")) == "one"
    again.close()
    newer = Facts(tmp_path / "facts.sqlite", "2")
    assert newer.of("imports", file("a"), lambda: compute("five")) == "five"
    newer.close()
    assert calls == ["one", "two", "three", "five"]


def test_a_damaged_or_forbidden_file_costs_only_the_memory_of_it(tmp_path: Path) -> None:
    damaged = tmp_path / "facts.sqlite"
    damaged.write_bytes(b"no database at all, and long enough to be read as one" * 50)
    facts = Facts(damaged)
    assert facts.of("imports", file("a"), lambda: [1]) == [1]
    facts.close()
    assert Facts(damaged).of("imports", file("a"), lambda: [2]) == [1]
    nowhere = Facts(tmp_path / "facts.sqlite" / "below" / "a" / "file")
    assert nowhere.of("imports", file("a"), lambda: [3]) == [3]
    nowhere.close()
