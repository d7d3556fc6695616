"""The last answer to `omni verify` with the same words, given again at once while nothing has changed since.

What the answer may depend on is compared by what the file system says of it: place, size, times, mode. That is how
make and git know what changed, and takes a tenth of the time that even a fully cached verification needs, most of which
is loading Omni. So this module is loaded before all others, and imports next to nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time

from omni.kernel.home import default_home
from omni.verify import marks
from omni.verify.git import ANYBODYS, ENVIRONMENT, LISTING, SAFE

TYPE_CHECKING = False  # as typing's, which takes longer to load than all that this module does
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NO_MATTER = {"_", "SHLVL", "OLDPWD", "PYDANTIC_DISABLE_PLUGINS"}
"""Variables that differ from call to call, or that Omni sets itself; no check reads them."""
MOST = 64
"""Answers that are kept."""


def recall(arguments: Sequence[str]) -> tuple[int, bytes] | None:
    """The exit code and what was printed; None where something changed, or where nobody asked this before."""
    try:
        with open(_place(arguments), "rb") as file:
            head = json.loads(file.readline())
            if time.time() < head["until"] and state(head["root"], head["watched"]) == head["state"]:
                return int(head["code"]), file.read()
    except (OSError, ValueError, KeyError, TypeError):  # none, or half of one
        pass
    return None


def keep(
    arguments: Sequence[str], root: str, watched: Sequence[str], before: str, until: float, code: int, said: bytes
) -> None:
    """Remember an answer if everything still stands as in `before`, the state when the question was put."""
    if not before or until <= time.time() or state(root, watched) != before:
        return
    head = {"root": root, "watched": list(watched), "state": before, "until": until, "code": code}
    place = _place(arguments)
    folder = os.path.dirname(place)
    beside = f"{place}.{os.getpid()}"
    try:
        os.makedirs(folder, exist_ok=True)
        for old in sorted(os.scandir(folder), key=lambda entry: -entry.stat().st_mtime)[MOST:]:
            os.unlink(old.path)
        with open(beside, "wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + said)
        os.replace(beside, place)
    except OSError:  # a full disk: it is looked at again
        return


def state(root: str, watched: Iterable[str]) -> str:
    """All that an answer may depend on, in short; empty where that can't be told, or is changing right now."""
    listed = _git(root)
    if listed is None:
        return ""
    inside = (f"{root}/{os.fsdecode(name)}" for name in sorted(listed.split(b"\0")) if name)
    whole = hashlib.sha256(repr(_around()).encode("utf-8", "surrogateescape"))
    now = time.time_ns()
    for path in (*_own(os.path.dirname(os.path.dirname(__file__))), *inside, *watched):
        mark = marks.at(path)
        if mark and not marks.settled(mark, now):
            return ""
        whole.update(f"{path}\0{mark}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _around() -> tuple[object, ...]:
    """Of this process: where it runs, for whom, with which variables, on which day; whether someone looks on."""
    variables = sorted((name, value) for name, value in os.environ.items() if name not in NO_MATTER)
    day = time.strftime("%Y-%m-%d"), time.strftime("%Y-%m-%d", time.gmtime())
    return sys.version, sys.prefix, os.getcwd(), os.getuid(), os.isatty(1), day, variables


def _own(folder: str) -> Iterator[str]:
    """Omni's own files."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _own(entry.path) if entry.name != "__pycache__" else ()
        else:
            yield entry.path


def _git(root: str) -> bytes | None:
    """The project's files, as git lists them; None where it does not. `subprocess` takes longer to load than this."""
    argv = ["git", *SAFE, *ANYBODYS, "-C", root, *LISTING]
    source, sink = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, sink, 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    try:
        child = os.posix_spawnp("git", argv, ENVIRONMENT | {"PATH": _path(os.environ)}, file_actions=actions)
    except OSError:
        os.close(source)
        return None
    finally:
        os.close(sink)
    with os.fdopen(source, "rb") as stream:
        listed = stream.read()
    return listed if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else None


def _path(environ: Mapping[str, str]) -> str:
    return environ.get("PATH", os.defpath)


def _place(arguments: Sequence[str]) -> str:
    """The file of this question: another in another folder, or with other words."""
    home = os.environ.get("OMNI_HOME") or default_home(os.environ)
    words = json.dumps([os.getcwd(), *arguments]).encode()
    return f"{os.path.expanduser(home)}/cache/answers/{hashlib.sha256(words).hexdigest()[:32]}"
