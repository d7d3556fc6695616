"""Each escape, where it would succeed and where it is held: the kernel's answers are put in its way here, and are
those of the kernel itself in `test_attacks.py`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import socket
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.sandbox import escapes, seccomp
from omni.sandbox.cgroup import started
from omni.sandbox.escapes import _reached


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with an environment in it."""
    environment = tmp_path / "omni" / ".venv"
    environment.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("home = /usr/bin")
    return tmp_path


def test_an_environment_that_is_mounted_below_a_home_is_no_secret(home: Path) -> None:
    assert _reached(home, {home / "omni" / ".venv"}) is None


def test_whatever_lies_beside_it_is_one(home: Path) -> None:
    (home / "omni" / "id_ed25519").write_text("secret")
    assert _reached(home, {home / "omni" / ".venv"}) == home / "omni" / "id_ed25519"


def test_without_a_mount_below_it_even_an_empty_home_is_one(tmp_path: Path) -> None:
    assert _reached(tmp_path, {Path("/opt/environment")}) == tmp_path


def test_the_secret_and_what_can_be_read_around_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    targets = {"mounted": json.dumps([]), "secret": str(tmp_path / "secret")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_dir", lambda _: False)
        patch.setattr(Path, "read_bytes", _only(tmp_path / "secret"))
        assert escapes.read_secrets(targets) == f"{tmp_path / 'secret'} can be read"
        patch.setattr(Path, "read_bytes", _only(Path("/proc/1/mem")))
        assert escapes.read_secrets(targets) == "/proc/1/mem can be read"
        patch.setattr(Path, "read_bytes", _only(Path("/nowhere")))
        assert escapes.read_secrets(targets) == ""


def test_what_is_mounted_is_no_secret_by_way_of_pid_1_either() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "is_dir", lambda _: False)
        patch.setattr(Path, "read_bytes", _only(Path("/proc/1/root/root")))
        assert escapes.read_secrets({"mounted": '["/root"]', "secret": "/nowhere"}) == ""
        assert escapes.read_secrets({"mounted": '["/home"]', "secret": "/nowhere"}) == "/proc/1/root/root can be read"


def _only(readable: Path) -> Callable[[Path], bytes]:
    def read_bytes(path: Path) -> bytes:
        if path == readable:
            return b"canary"
        raise PermissionError(13, "Permission denied")

    return read_bytes


def test_what_stands_in_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path(f"/proc/{os.getpid()}/environ")
    found = {("/proc", "[0-9]*/environ"): [Path("/proc/0/environ"), own, own]}
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter(found[str(folder), pattern]))
    monkeypatch.setattr(escapes, "ALLOWED_ENVIRONMENT", {each.partition(b"=")[0].decode() for each in _lines(own)})
    assert escapes.read_environment({}) == ""
    names = sorted(escapes.ALLOWED_ENVIRONMENT)
    monkeypatch.setattr(escapes, "ALLOWED_ENVIRONMENT", set(names[2:]))
    assert escapes.read_environment({}) == f"{own} has {names[0]}, {names[1]}"


def _lines(environment: Path) -> list[bytes]:
    return [line for line in environment.read_bytes().split(b"\0") if line]


def test_every_place_that_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[int, int, object]] = []

    class Attempt:
        answering: object = None

        def __init__(self, family: int, kind: int) -> None:
            self.family, self.kind = family, kind

        def __enter__(self) -> Attempt:
            return self

        def __exit__(self, *_: object) -> None: ...

        def connect_ex(self, address: object) -> int:
            tried.append((int(self.family), int(self.kind), address))
            return 0 if address == Attempt.answering else 111

    monkeypatch.setattr(socket, "socket", Attempt)
    targets = {"port": "8000", "abstract": "omni-1"}
    assert escapes.connect_out(targets) == ""
    assert tried == [
        (2, 1, ("127.0.0.1", 8000)),
        (2, 2, ("192.0.2.1", 53)),
        (1, 1, "\0omni-1"),
        (1, 1, "/run/docker.sock"),
        (1, 1, "/var/run/docker.sock"),
        (1, 1, "/run/dbus/system_bus_socket"),
    ]
    for address in [address for _, _, address in tried]:
        Attempt.answering = address
        assert escapes.connect_out(targets) == f"{address!r} answers"


def test_a_socket_of_the_hypervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    def allowed(family: int, kind: int) -> socket.socket:
        made.append((int(family), int(kind)))
        return whole()

    def refused(family: int, kind: int) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    whole = socket.socket
    monkeypatch.setattr(socket, "socket", allowed)
    assert escapes.reach_hypervisor({}) == "a VSOCK socket can be made"
    assert made == [(40, 1)]
    monkeypatch.setattr(socket, "socket", refused)
    assert escapes.reach_hypervisor({}) == ""


def test_namespaces_are_compared_one_by_one() -> None:
    own = {name: str(Path("/proc/self/ns", name).readlink()) for name in ("net", "pid", "uts")}
    assert escapes.share_namespace({"namespaces": json.dumps(own | {"pid": "pid:[1]"})}) == (
        "shared with the host: net, uts"
    )
    assert escapes.share_namespace({"namespaces": json.dumps(dict.fromkeys(own, "pid:[1]"))}) == ""


@pytest.mark.parametrize(
    ("problem", "begun", "said"),
    [
        (None, 0, "can be signalled"),
        (PermissionError, 0, "can be seen"),
        (ProcessLookupError, 0, ""),
        (None, 1, ""),  # another process, of the guest's own, with the same number
    ],
)
def test_a_process_of_the_host(
    problem: type[OSError] | None, begun: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []

    def kill(pid: int, signal: int) -> None:
        sent.append((pid, signal))
        if problem:
            raise problem

    monkeypatch.setattr(os, "kill", kill)
    pid = os.getpid()
    targets = {"pid": str(pid), "started": str(started(pid) + begun)}
    told = f"process {pid} of the host {said}" if said else ""
    assert (escapes.signal_host(targets), sent) == (told, [] if begun else [(pid, 0)])


def test_a_process_of_the_host_that_is_not_shown_is_signalled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = 2**22 + 1  # more than any process can have
    monkeypatch.setattr(os, "kill", lambda _pid, _signal: None)
    assert escapes.signal_host({"pid": str(hidden), "started": "1"}) == f"process {hidden} of the host can be signalled"


KERNEL = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/overcommit_memory", "/sys/power/state"]
SYSTEM = ["/", "/usr", "/usr/bin", "/etc", "/dev", "/proc", "/run", "/omni"]


@pytest.mark.parametrize(
    ("escape", "flags", "paths", "said"),
    [
        (escapes.write_kernel_settings, os.O_WRONLY, KERNEL, [f"{path} opens for writing" for path in KERNEL]),
        (
            escapes.write_system,
            os.O_WRONLY | os.O_CREAT,
            [f"{folder}/omni-was-here" for folder in SYSTEM],
            [f"{folder} can be written" for folder in SYSTEM],
        ),
    ],
)
def test_everything_that_opens_for_writing_is_named(
    escape: Callable[[dict[str, str]], str],
    flags: int,
    paths: list[str],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[tuple[str, int]] = []
    opens: set[str] = set()

    def open_(path: str, flags: int, mode: int = 0o777) -> int:
        tried.append((path, flags))
        if path in opens:
            return whole(os.devnull, os.O_WRONLY)
        raise PermissionError(13, "Permission denied")

    whole = os.open
    monkeypatch.setattr(os, "open", open_)
    assert (escape({}), tried) == ("", [(path, flags) for path in paths])
    for path, words in zip(paths, said, strict=True):
        opens = {path}
        assert escape({}) == words


def test_privileges_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = {"Name": "python3", "CapPrm": "0", "CapEff": "0", "CapBnd": "0", "CapAmb": "0", "NoNewPrivs": "1"}
    bare |= {"Seccomp": "2"}

    def held(uid: int = 1000, **changed: str) -> str:
        text = "no value\n" + "".join(f"{name}:\t{value}\n" for name, value in (bare | changed).items())
        monkeypatch.setattr(Path, "read_text", lambda _: text)
        monkeypatch.setattr(os, "getuid", lambda: uid)
        return escapes.hold_privileges({})

    assert held() == ""
    assert held(0, CapEff="000001ffffffffff", CapBnd="8", NoNewPrivs="0", Seccomp="0") == (
        "CapEff, CapBnd, uid 0, may gain new privileges, no system call filter"
    )
    assert (held(CapPrm="1"), held(CapAmb="f")) == ("CapPrm", "CapAmb")


class _Libc:
    """A kernel that answers with a number, or refuses with an error's."""

    def __init__(self, result: int, problem: int = 0, only: int | None = None) -> None:
        self.result, self.problem, self.only, self.asked = result, problem, only, list[tuple[int, ...]]()

    def unshare(self, flags: int) -> int:
        return self.syscall(0, flags)

    def syscall(self, *given: int) -> int:
        self.asked.append(given)
        if self.only not in (None, given[0]):
            ctypes.set_errno(errno.ENOSYS)
            return -1
        ctypes.set_errno(self.problem)
        return self.result


def _kernel(monkeypatch: pytest.MonkeyPatch, kernel: _Libc) -> _Libc:
    monkeypatch.setattr(escapes, "LIBC", kernel)
    return kernel


def test_a_user_namespace_that_is_made_is_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _kernel(monkeypatch, _Libc(0))
    assert (os.uname().machine == "x86_64") is escapes.X86
    assert escapes.make_namespace({}) == "unshare made a user namespace"
    assert kernel.asked == [(0, 0x10000000)]
    _kernel(monkeypatch, _Libc(-1, errno.EPERM))
    assert escapes.make_namespace({}) == ""


def test_one_that_is_cloned_too_and_its_process_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "waitpid", lambda *given: waited.append(given))
    kernel = _kernel(monkeypatch, _Libc(77))
    monkeypatch.setattr(escapes, "X86", True)
    assert escapes.make_namespace_by_clone({}) == "clone made a user namespace"
    monkeypatch.setattr(escapes, "X86", False)
    assert escapes.make_namespace_by_clone({}) == "clone made a user namespace"
    assert kernel.asked == [(number, 0x10000011, 0, 0, 0, 0) for number in (56, 220)]
    assert waited == [(77, 0), (77, 0)]
    _kernel(monkeypatch, _Libc(-1, errno.EPERM))
    assert escapes.make_namespace_by_clone({}) == ""
    assert len(waited) == 2


def test_the_process_that_clone_made_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(code: int) -> None:
        raise SystemExit(code)

    _kernel(monkeypatch, _Libc(0))
    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(SystemExit) as caught:
        escapes.make_namespace_by_clone({})
    assert caught.value.code == 0


CALLS = ["io_uring_setup", "bpf", "ptrace", "keyctl", "setns", "userfaultfd", "perf_event_open", "mount"]
CALLS += ["open_by_handle_at"]


@pytest.mark.parametrize(("machine", "column"), [(True, 0), (False, 1)])
def test_every_dangerous_call_is_tried_by_its_number(
    machine: bool, column: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(escapes, "X86", machine)
    numbers = [seccomp.DENIED[name][column] for name in CALLS]
    for refusal in (errno.EPERM, errno.ENOSYS):
        kernel = _kernel(monkeypatch, _Libc(-1, refusal))
        assert escapes.call_kernel({}) == ""
        assert kernel.asked == [(number, 1, 0, 0, 0, 0) for number in numbers]
    for name, number in zip(CALLS, numbers, strict=True):
        for result, problem in ((0, 0), (3, 0), (-1, errno.EINVAL)):
            _kernel(monkeypatch, _Libc(result, problem, number))
            assert escapes.call_kernel({}) == f"{name} got through"


def test_a_terminal_that_opens_or_takes_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> int:
        raise OSError(6, "No such device or address")

    opened: list[tuple[str, int]] = []
    whole = os.open
    monkeypatch.setattr(os, "open", lambda *given: opened.append(given) or whole(os.devnull, os.O_RDONLY))
    assert escapes.type_into_terminal({}) == "the caller's terminal opens"
    assert opened == [("/dev/tty", os.O_RDWR)]
    monkeypatch.setattr(os, "open", refused)
    for types, said in ((True, "TIOCSTI types"), (False, "")):
        monkeypatch.setattr(escapes, "_types_into_its_own_terminal", lambda types=types: types)
        assert escapes.type_into_terminal({}) == said


@pytest.mark.parametrize(("status", "types"), [(0, False), (256, True)])
def test_the_child_with_a_terminal_tells_by_its_exit_status(
    status: int, types: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    waited: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fork", lambda: 77)
    monkeypatch.setattr(os, "waitpid", lambda *given: waited.append(given) or (77, status))
    assert escapes._types_into_its_own_terminal() is types
    assert waited == [(77, 0)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(("refused", "code"), [(None, 1), (termios.TIOCSCTTY, 0), (termios.TIOCSTI, 0)])
def test_the_child_makes_the_terminal_its_own_and_types(
    refused: int | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []

    def ioctl(fd: int, request: int, argument: object) -> None:
        done.append((request, argument))
        if request == refused:
            raise OSError(1, "Operation not permitted")

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "openpty", lambda: (100, 101))
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "setsid", lambda: done.append("setsid"))
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    with pytest.raises(SystemExit) as caught:
        escapes._types_into_its_own_terminal()
    assert caught.value.code == code
    asked = ["setsid", (termios.TIOCSCTTY, 0), (termios.TIOCSTI, b"x")]
    assert done == (asked[:2] if refused == termios.TIOCSCTTY else asked)


def test_without_terminals_nothing_types(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> tuple[int, int]:
        raise OSError(2, "No such file or directory")

    monkeypatch.setattr(os, "openpty", none)
    assert not escapes._types_into_its_own_terminal()


def test_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int, int]] = []

    def refused(*given: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "mknod", lambda *given: made.append(given))
    assert escapes.make_device({}) == "a disk device can be made"
    assert made == [("/tmp/omni-disk", 0o060600, os.makedev(8, 0))]
    monkeypatch.setattr(os, "mknod", refused)
    assert escapes.make_device({}) == ""
