"""Runs inside the sandbox as a hostile guest: tries to get out, prints what happened. Standard library only.

Started as `python3 -c SOURCE TARGETS`, TARGETS being JSON that says where the host's treasures are. Prints a JSON
object: name of the escape → "" when it was held, else what was reached.
"""

import ctypes
import errno
import fcntl
import json
import os
import platform
import socket
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER: Final = 0x10000000
ALLOWED_ENVIRONMENT: Final = {"PATH", "HOME", "LANG", "TZ", "PWD", "OLDPWD", "LC_CTYPE", "_", "SHLVL", "HOSTNAME"}
X86: Final = platform.machine() == "x86_64"
Targets = dict[str, str]


def read_secrets(targets: Targets) -> str:
    mounted = {Path(path) for path in json.loads(targets["mounted"])}
    mounted |= {Path(f"/proc/1/root{path}") for path in mounted}
    for path in ("/root", "/home", "/etc/shadow", "/proc/1/root/root", "/proc/1/mem", "/dev/mem", targets["secret"]):
        if found := _reached(Path(path), mounted):
            return f"{found} can be read"
    return ""


def _reached(path: Path, mounted: set[Path]) -> Path | None:
    """What can be read at the path. What is mounted on purpose is no secret, nor are the empty folders above it."""
    if path in mounted:
        return None
    try:
        if not path.is_dir():
            path.read_bytes()
            return path
        inside = sorted(path.iterdir())
    except OSError:
        return None
    if not any(place.is_relative_to(path) for place in mounted):
        return path
    return next((found for each in inside if (found := _reached(each, mounted))), None)


def read_environment(_: Targets) -> str:
    """Of every process that can be seen. Nothing but what Omni sets inside may stand there."""
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            names = {line.split(b"=")[0].decode() for line in file.read_bytes().split(b"\0") if line}
        except OSError:
            continue
        if names - ALLOWED_ENVIRONMENT:
            return f"{file} has {', '.join(sorted(names - ALLOWED_ENVIRONMENT))}"
    return ""


def connect_out(targets: Targets) -> str:
    places: list[tuple[int, int, tuple[str, int] | str]] = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int(targets["port"]))),
        (socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),  # a route would be enough; nothing is sent
        (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + targets["abstract"]),
        (socket.AF_UNIX, socket.SOCK_STREAM, "/run/docker.sock"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "/var/run/docker.sock"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "/run/dbus/system_bus_socket"),
    ]
    for family, kind, address in places:
        with socket.socket(family, kind) as attempt:
            if attempt.connect_ex(address) == 0:
                return f"{address!r} answers"
    return ""


def reach_hypervisor(_: Targets) -> str:
    try:
        socket.socket(getattr(socket, "AF_VSOCK", 40), socket.SOCK_STREAM).close()
    except OSError:
        return ""
    return "a VSOCK socket can be made"


def share_namespace(targets: Targets) -> str:
    shared = [
        name
        for name, link in json.loads(targets["namespaces"]).items()
        if str(Path("/proc/self/ns", name).readlink()) == link
    ]
    return f"shared with the host: {', '.join(shared)}" if shared else ""


def signal_host(targets: Targets) -> str:
    """Where the host is a container its process may have a small number, which one of ours has too: so when it started
    tells whose it is. What can't be seen there can still be signalled.
    """
    stat = Path("/proc", targets["pid"], "stat")
    if stat.is_file() and stat.read_text(errors="replace").rpartition(")")[2].split()[19] != targets["started"]:
        return ""
    try:
        os.kill(int(targets["pid"]), 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return f"process {targets['pid']} of the host can be seen"
    return f"process {targets['pid']} of the host can be signalled"


def write_kernel_settings(_: Targets) -> str:
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/overcommit_memory",
        "/sys/power/state",
    ):
        try:
            os.close(os.open(path, os.O_WRONLY))
        except OSError:
            continue
        return f"{path} opens for writing"
    return ""


def write_system(_: Targets) -> str:
    for folder in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/proc", "/run", "/omni"):
        try:
            os.close(os.open(f"{folder}/omni-was-here", os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError:
            continue
        return f"{folder} can be written"
    return ""


def hold_privileges(_: Targets) -> str:
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    wanted = {"CapEff": 0, "CapPrm": 0, "CapBnd": 0, "CapAmb": 0}
    held = [name for name, value in wanted.items() if int(status[name], 16) != value]
    if os.getuid() == 0:
        held.append("uid 0")
    if status["NoNewPrivs"].strip() != "1":
        held.append("may gain new privileges")
    if status["Seccomp"].strip() != "2":
        held.append("no system call filter")
    return ", ".join(held)


def make_namespace(_: Targets) -> str:
    return "" if LIBC.unshare(CLONE_NEWUSER) != 0 else "unshare made a user namespace"


def make_namespace_by_clone(_: Targets) -> str:
    child = LIBC.syscall(56 if X86 else 220, CLONE_NEWUSER | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    if child > 0:
        os.waitpid(child, 0)
        return "clone made a user namespace"
    return ""


def call_kernel(_: Targets) -> str:
    """System calls with a history of holes. A refusal by the filter is EPERM or ENOSYS; anything else got through."""
    calls = {
        "io_uring_setup": (425, 425),
        "bpf": (321, 280),
        "ptrace": (101, 117),
        "keyctl": (250, 219),
        "setns": (308, 268),
    }
    calls |= {
        "userfaultfd": (323, 282),
        "perf_event_open": (298, 241),
        "mount": (165, 40),
        "open_by_handle_at": (304, 265),
    }
    for name, numbers in calls.items():
        ctypes.set_errno(0)
        result = LIBC.syscall(numbers[0 if X86 else 1], 1, 0, 0, 0, 0)
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            return f"{name} got through"
    return ""


def type_into_terminal(_: Targets) -> str:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return "TIOCSTI types" if _types_into_its_own_terminal() else ""
    return "the caller's terminal opens"


def _types_into_its_own_terminal() -> bool:
    """The call is allowed on the controlling terminal only, so a child gets one."""
    try:
        master, slave = os.openpty()
    except OSError:
        return False
    child = os.fork()
    if child == 0:
        os.setsid()
        try:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            fcntl.ioctl(slave, termios.TIOCSTI, b"x")
        except OSError:
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    os.close(master)
    os.close(slave)
    return status != 0


def make_device(_: Targets) -> str:
    try:
        os.mknod("/tmp/omni-disk", 0o060600, os.makedev(8, 0))  # noqa: S108 - the guest's
    except OSError:
        return ""
    return "a disk device can be made"


ESCAPES: Final[dict[str, Callable[[Targets], str]]] = {
    "read secrets": read_secrets,
    "read the caller's environment": read_environment,
    "connect out": connect_out,
    "reach the hypervisor": reach_hypervisor,
    "share a namespace": share_namespace,
    "signal a host process": signal_host,
    "write kernel settings": write_kernel_settings,
    "write the system": write_system,
    "hold privileges": hold_privileges,
    "nested namespace": make_namespace,
    "nested namespace by clone": make_namespace_by_clone,
    "dangerous system calls": call_kernel,
    "type into the terminal": type_into_terminal,
    "make a device": make_device,
}

if __name__ == "__main__":
    given: Targets = json.loads(sys.argv[1])
    sys.stdout.write(json.dumps({name: escape(given) for name, escape in ESCAPES.items()}))
