"""The user that a container's program runs as."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Scope
from omni.verify.report import Severity

WHY = "Who breaks into the program is root in the container, one kernel or mount mistake away from root on the host."
FIX = "Create a user and switch to it before CMD: RUN useradd --system app, then USER app."
ROOT = Rule("container-user", "runs-as-root", Severity.ERROR, WHY, FIX, "CWE-250")
NO_USER = Rule("container-user", "no-user", Severity.ERROR, WHY, FIX, "CWE-250")
AT_FIRST = Rule("container-user", "no-user", Severity.WARNING, WHY, FIX, "CWE-250")
HANDS_OVER = re.compile(
    r"^[^#\n]*\b(gosu|su-exec|setpriv|runuser|chpst|s6-setuidgid|capsh\s[^\n]*--user)\b", re.MULTILINE
)

INSTRUCTION = re.compile(r"^\s*(?P<name>[A-Za-z]+)\s+(?P<rest>.+?)\s*$")
UNPRIVILEGED = re.compile(r"nonroot|unprivileged|rootless", re.IGNORECASE)
"""In an image's name or tag: it brings its own user (distroless, nginx-unprivileged)."""


def run(context: Context) -> Iterator[Item]:
    for file in context.files:
        lines = _instructions(context.text(file))
        stages = [index for index, (_, name, _) in enumerate(lines) if name == "FROM"]
        if not stages:
            continue
        final = lines[stages[-1] :]
        if not any(name in {"CMD", "ENTRYPOINT"} for _, name, _ in final):
            continue  # it is built from, or only carries files
        users = _users(lines, stages)
        if users:
            line, user = users[-1]
            if user.split(":")[0] in {"root", "0"}:
                yield ROOT.at(file.path, line, "the container's program runs as root", snippet=f"USER {user}")
        elif not UNPRIVILEGED.search(final[0][2]):
            line = final[-1][0]
            message = "there is no USER, so the container's program runs as root"
            script = _hands_over(context, final)
            rule, until = (AT_FIRST, f", until `{script}` hands over to another user") if script else (NO_USER, "")
            yield rule.at(file.path, line, f"{message}{until}", snippet=f"FROM {final[0][2]}")


def _hands_over(context: Context, final: list[tuple[int, str, str]]) -> str:
    """The script that the container starts, where it runs the program as another user."""
    started = {
        word for _, name, rest in final if name in {"CMD", "ENTRYPOINT"} for word in re.findall(r"[\w.-]+", rest)
    }
    for file in context.inventory.files:
        name = file.path.rpartition("/")[2]
        if name in started and not file.problem and file.language == "shell" and HANDS_OVER.search(context.text(file)):
            return name
    return ""


def _instructions(text: str) -> list[tuple[int, str, str]]:
    """(line, NAME, rest) of each instruction; continued lines and comments are folded away."""
    found = []
    continued = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        instruction = None if continued else INSTRUCTION.match(line)
        if instruction:
            found.append((number, instruction["name"].upper(), instruction["rest"]))
        continued = line.rstrip().endswith(("\\", "`"))
    return found


def _users(lines: list[tuple[int, str, str]], stages: list[int]) -> list[tuple[int, str]]:
    """USER of the last stage, or of the stage that it is built from."""
    named = {}
    for number, start in enumerate(stages):
        words = lines[start][2].split()
        if len(words) >= 3 and words[-2].upper() == "AS":
            named[words[-1].lower()] = number
    current: int | None = len(stages) - 1
    while current is not None:
        end = stages[current + 1] if current + 1 < len(stages) else len(lines)
        users = [(line, rest.strip("\"'")) for line, name, rest in lines[stages[current] : end] if name == "USER"]
        if users:
            return users
        base = next(word for word in lines[stages[current]][2].split() if not word.startswith("--")).lower()
        before = named.get(base)
        current = before if before is not None and before < current else None
    return []


CHECK = Check(
    id="container-user",
    title="Containers don't run as root",
    tier=1,
    scope=Scope.FILE,
    languages=("dockerfile",),
    config=("*.sh", "*entrypoint*"),
    run=run,
)
