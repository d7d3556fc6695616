"""A `docker` for machines without an engine: bubblewrap holds what the engine would. It knows the calls that the driver
makes, and no other; each is noted in `calls`, beside the state of its containers.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path

STATE = Path(os.environ["DOCKER_STATE"])


def run(argv: list[str]) -> None:
    name, at = argv[argv.index("--name") + 1], argv.index("--workdir")
    user = ["--unshare-user"] if os.geteuid() else []  # in a namespace of root's the guest's own uid would be unknown
    box = ["bwrap", *user, "--unshare-pid", "--unshare-net", "--die-with-parent", "--new-session"]
    box += ["--proc", "/proc", "--dev", "/dev", "--clearenv"]
    for entry in Path("/").iterdir():
        if entry.name not in {"dev", "proc", "run", "tmp", "work"}:
            box += (
                ["--symlink", str(entry.readlink()), str(entry)]
                if entry.is_symlink()
                else ["--ro-bind", *[str(entry)] * 2]
            )
    for folder in ("/work", "/tmp", "/run"):
        box += ["--perms", "1777", "--tmpfs", folder]
    for option, value in itertools.pairwise(argv):
        parts = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
        if option == "--mount" and not Path(parts["target"]).exists():  # the whole system is there already
            box += ["--ro-bind", parts["source"], parts["target"]]
        if option == "--env-file":
            for line in Path(value).read_text().splitlines():
                box += ["--setenv", *line.split("=", 1)]
    info = os.open(STATE / f"{name}.json", os.O_WRONLY | os.O_CREAT)
    os.set_inheritable(info, True)
    (profile,) = (value.partition("=")[2] for value in argv if value.startswith("seccomp="))
    (STATE / "profile.json").write_bytes(Path(profile).read_bytes())
    os.execvp("bwrap", [*box, "--chdir", "/work", "--info-fd", str(info), "--", *argv[at + 3 :]])  # noqa: S606 - no shell


def pid(name: str) -> int:
    try:
        return int(json.loads((STATE / f"{name}.json").read_text())["child-pid"])
    except (OSError, ValueError):
        sys.exit(f"Error: No such object: {name}")


def send(name: str, number: signal.Signals) -> None:
    try:
        (os.kill if number == signal.SIGKILL else os.killpg)(pid(name), number)
    except ProcessLookupError:
        sys.exit(f"Error: container {name} is not running")


def main(argv: list[str]) -> None:
    with (STATE / "calls").open("a") as calls:
        calls.write(json.dumps(argv) + "\n")
    match argv:
        case ["version", *_]:
            print("28.0")
        case ["ps", *_]:
            print((STATE / "ps").read_text() if (STATE / "ps").exists() else "", end="")
        case ["images", "--quiet", "--", name]:
            print("1234" if (STATE / "image").exists() and (STATE / "image").read_text() == name else "")
        case ["import", "-", name]:
            (STATE / "image.tar").write_bytes(sys.stdin.buffer.read())
            (STATE / "image").write_text(name)
        case ["run", *_]:
            run(argv)
        case ["inspect", "--format", "{{.State.Pid}}", name]:
            print(pid(name))
        case ["inspect", "--format", "{{.State.OOMKilled}}", name]:
            print("true" if (STATE / "oom").exists() else "false")
        case ["kill", "--signal", name_of_signal, name]:
            send(name, signal.Signals[f"SIG{name_of_signal}"])
        case ["rm", "--force", "--volumes", name]:
            (STATE / f"{name}.json").unlink(missing_ok=True)
        case ["hang"]:
            time.sleep(60)
        case _:
            sys.exit(f"unknown: {argv}")


main(sys.argv[1:])
