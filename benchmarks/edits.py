"""How three ways of editing fare with the same edits: Omni's, Aider's search/replace blocks, mini-swe-agent's shell.

.venv/bin/python benchmarks/edits.py            the table, and the cases that were misapplied
.venv/bin/python benchmarks/edits.py --write    and put the table into docs/tasks/agent-tools.md

Aider's own functions run (do_replace, find_similar_lines, and its reading and writing of files), from the pinned
package in an environment that is made for this and thrown away. mini-swe-agent has no editing of its own: its
instructions recommend `sed -i 's/old/new/'`, which is what runs for one line (with everything quoted rightly);
for several lines, for which sed is no help, it is the Python one-off that models write then, which says so when the
text is not there. Both get each block in the form that their format asks for, so that nothing is held against them
that a model would not have written: whole lines for Aider, one block a place.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.agents.edits.corpus import Block, Case, load  # noqa: E402 - needs the path

from omni.agents.edit import Edit, apply  # noqa: E402

AIDER = "aider-chat==0.86.2"
PAGE = ROOT / "docs" / "tasks" / "agent-tools.md"
VERDICTS = ("applied", "white space", "refused", "silent", "misapplied")
OF_OUR_FORMAT = ("joined lines", "senseless", "wrong count")
"""Categories of questions that a format of whole lines, or `sed`, does not put."""
TITLES = (
    "applied correctly",
    "applied, other white space changed",
    "refused with help",
    "refused without a word",
    "misapplied",
)


@dataclass(frozen=True)
class Answer:
    text: str
    said: bool
    """Something was said of what was not applied."""
    seconds: float


def omni(case: Case) -> Answer:
    before, _ = case.texts()
    started = time.perf_counter()
    edited = apply(before, [Edit(old=block.old, new=block.new, times=block.times) for block in case.blocks])
    return Answer(edited.text, not edited.ok, time.perf_counter() - started)


def whole_lines(text: str, block: Block) -> Block:
    """A block that is a part of a line by intention, as a format of whole lines has it."""
    if not block.fragment or text.count(block.old) != 1:
        return block
    at = text.index(block.old)
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at + len(block.old))
    end = len(text) if end < 0 else end + 1
    if not block.new and text[start:end].strip() == block.old:
        return Block(text[start:end], "")
    return Block(text[start:end], text[start:at] + block.new + text[at + len(block.old) : end])


AIDER_PROGRAM = r"""
import json, sys, time
from aider.coders.editblock_coder import do_replace, find_similar_lines
from aider.io import InputOutput

io = InputOutput(pretty=False, yes=True, input_history_file=None, chat_history_file=None)
for line in sys.stdin:
    path, blocks = json.loads(line)
    started, said = time.perf_counter(), False
    content = io.read_text(path)
    for old, new in blocks:
        made = do_replace(path, content, old, new, ("```", "```"))
        if made:
            content = made
            io.write_text(path, content)
        else:
            said = True
            find_similar_lines(old, content)
    print(json.dumps([said, time.perf_counter() - started]), flush=True)
"""


class Aider:
    """A process that has aider loaded and edits one file after the other."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "file.txt"
        uv = ROOT / ".venv" / "bin" / "uv"
        python = folder / "aider" / "bin" / "python"
        subprocess.run([uv, "venv", "-q", "--python", "3.11", folder / "aider"], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, AIDER], check=True)
        self.process = subprocess.Popen(
            [python, "-c", AIDER_PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
        )

    def __call__(self, case: Case) -> Answer:
        before, _ = case.texts()
        self.file.write_bytes(before.encode())
        blocks = [whole_lines(before, block) for block in case.blocks for _ in range(block.times)]
        assert self.process.stdin
        assert self.process.stdout
        print(
            json.dumps([str(self.file), [(each.old, each.new) for each in blocks]]), file=self.process.stdin, flush=True
        )
        said, seconds = json.loads(self.process.stdout.readline())
        return Answer(self.file.read_bytes().decode(), said, seconds)


REPLACE = """\
import sys
path, old, new, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
text = open(path).read()
if old not in text:
    sys.exit("the text to replace was not found")
open(path, "w").write(text.replace(old, new) if times > 1 else text.replace(old, new, 1))
"""


class Shell:
    """The commands that mini-swe-agent's instructions recommend, run by bash on a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shell.txt"

    def __call__(self, case: Case) -> Answer:
        before, _ = case.texts()
        self.file.write_bytes(before.encode())
        started, said = time.perf_counter(), False
        for block in case.blocks:
            done = subprocess.run(self.command(block), capture_output=True, check=False)
            said |= done.returncode != 0
        return Answer(self.file.read_bytes().decode(errors="replace"), said, time.perf_counter() - started)

    def command(self, block: Block) -> list[str]:
        old, new = block.old.removesuffix("\n"), block.new.removesuffix("\n")
        if not old or "\n" in old or "\n" in new or (block.old.endswith("\n") and not block.new):
            return [sys.executable, "-c", REPLACE, str(self.file), block.old, block.new, str(block.times)]
        pattern = "".join(f"\\{each}" if each in "\\/.*[]^$" else each for each in old)
        replacement = "".join(f"\\{each}" if each in "\\/&" else each for each in new)
        every = "g" if block.times > 1 else ""
        return ["sed", "-i", f"s/{pattern}/{replacement}/{every}", str(self.file)]


def verdict(case: Case, answer: Answer) -> str:
    """What came of it. A text that stays although all could be told is a refusal, rightly or not."""
    before, after = case.texts()
    if answer.text == after and (after != before or "refused" not in case.statuses):
        return "applied"
    if answer.text == before:
        return "refused" if answer.said else "silent"
    return "white space" if after != before and _folded(answer.text) == _folded(after) else "misapplied"


def _folded(text: str) -> list[str]:
    return [line.rstrip() for line in text.lstrip("\ufeff").split("\n") if line.strip()]


def table(rows: Iterable[tuple[str, Counter[str], float]], cases: tuple[Case, ...]) -> str:
    clear = sum(before != after or "refused" not in case.statuses for case in cases for before, after in [case.texts()])
    head = (
        f"Of {len(cases)} edits, {clear} can be told and are to be applied, {len(cases) - clear} are to be refused.\n"
    )
    lines = ["| | " + " | ".join(TITLES) + " | median ms | ", "|---|" + "---:|" * (len(TITLES) + 1)]
    for name, counted, seconds in rows:
        lines.append(
            f"| {name} | " + " | ".join(str(counted[each]) for each in VERDICTS) + f" | {seconds * 1000:.1f} |"
        )
    return head + "\n" + "\n".join(line.rstrip() for line in lines) + "\n"


def measure(name: str, way: Callable[[Case], Answer], cases: tuple[Case, ...]) -> tuple[str, Counter[str], float]:
    counted: Counter[str] = Counter()
    categories: dict[str, Counter[str]] = {}
    seconds = []
    for case in cases:
        answer = way(case)
        found = verdict(case, answer)
        counted[found] += 1
        categories.setdefault(case.category, Counter())[found] += 1
        seconds.append(answer.seconds)
        if found == "misapplied":
            print(f"  {name} misapplied {case.id}")
    for category, found_here in categories.items():
        print(f"  {name:15} {category:18} " + ", ".join(f"{each} {count}" for each, count in found_here.items()))
    return name, counted, sorted(seconds)[len(seconds) // 2]


def main() -> None:
    cases = tuple(case for case in load() if case.category not in OF_OUR_FORMAT)
    folder = Path(tempfile.mkdtemp(prefix="omni-edits-"))
    try:
        ways = (("Omni", omni), ("Aider", Aider(folder)), ("shell", Shell(folder)))
        made = table([measure(name, way, cases) for name, way in ways], cases)
    finally:
        shutil.rmtree(folder)
    print(made)
    if "--write" in sys.argv:
        start, end = "<!-- edits -->\n", "<!-- /edits -->"
        head, _, rest = PAGE.read_text("utf-8").partition(start)
        PAGE.write_text(f"{head}{start}\n{made}\n{end}{rest.partition(end)[2]}", "utf-8")


if __name__ == "__main__":
    main()
