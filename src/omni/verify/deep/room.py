"""Runs inside the sandbox: builds the project in a fresh place, under circumstances that a build may not depend on.

Its one argument is JSON: `{"source", "place", "kept", "argv", "outputs": [globs], "umask", "reverse", "age"}`. The
source is copied to the place, in the order of names or the reverse (a file system lists them as they were made), every
file `age` seconds old; the command runs there, and what the globs name is copied to `kept`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TypedDict


class Room(TypedDict):
    source: str
    place: str
    kept: str
    argv: list[str]
    outputs: list[str]
    umask: int
    reverse: bool
    age: int


def main(room: Room) -> int:
    os.umask(room["umask"])
    place, kept = Path(room["place"]), Path(room["kept"])
    copy(Path(room["source"]), place, room["reverse"], time.time() - room["age"], room["umask"])
    Path(os.environ["HOME"]).mkdir(parents=True)
    try:
        exit_code = subprocess.run(room["argv"], cwd=place, check=False, stdin=subprocess.DEVNULL).returncode
    except OSError as problem:
        sys.stderr.write(f"{room['argv'][0]}: {problem.strerror}\n")
        return 127
    for pattern in room["outputs"]:
        for path in sorted(place.glob(pattern)):
            if path.is_file() and not path.is_symlink():
                target = kept / path.relative_to(place)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return exit_code


def copy(source: Path, target: Path, reverse: bool, at: float, umask: int) -> None:
    target.mkdir(parents=True)
    for path in sorted(source.iterdir(), reverse=reverse):
        if path.is_symlink():
            (target / path.name).symlink_to(path.readlink())
        elif path.is_dir():
            copy(path, target / path.name, reverse, at, umask)
        else:
            shutil.copyfile(path, target / path.name)
            if path.stat().st_mode & 0o100:
                (target / path.name).chmod(0o777 & ~umask)
            os.utime(target / path.name, (at, at))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
