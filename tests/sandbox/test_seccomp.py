from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from omni.sandbox import seccomp

ALLOW, KILL = "allow", "kill"


def _run(program: bytes, number: int, arguments: tuple[int, ...] = (), architecture: int | None = None) -> str | int:
    """What a kernel does with one call: an interpreter for the few instructions that the filter uses."""
    x86 = program == seccomp.program("x86_64")
    architecture = architecture or seccomp.AUDIT_ARCHITECTURE["x86_64" if x86 else "aarch64"]
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *padded)
    instructions = list(struct.iter_unpack("=HBBI", program))
    at, accumulator = 0, 0
    while True:
        code, yes, no, value = instructions[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value, value & 0xFFFF)
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            at += yes if holds else no


X86, ARM = seccomp.program("x86_64"), seccomp.program("aarch64")


@pytest.mark.parametrize("name", seccomp.DENIED)
def test_what_is_denied_fails_with_eperm_on_both_machines(name: str) -> None:
    x86, arm = seccomp.DENIED[name]
    assert x86 is None or _run(X86, x86) == errno.EPERM
    assert arm is None or _run(ARM, arm) == errno.EPERM


@pytest.mark.parametrize(
    ("number", "arguments", "answer"),
    [
        (0, (), ALLOW),  # read
        (56, (0x11,), ALLOW),  # clone as fork does it
        (56, (0x3D0F00,), ALLOW),  # clone as a thread is made
        (56, (0x10000011,), errno.EPERM),  # with a user namespace
        (56, (0x40000011,), errno.EPERM),  # with a network namespace
        (435, (), errno.ENOSYS),  # clone3
        (16, (0, 0x5401), ALLOW),  # ioctl TCGETS
        (16, (0, 0x5412), errno.EPERM),  # TIOCSTI
        (16, (0, 0x1_0000_5412), errno.EPERM),  # with rubbish in the half that the kernel ignores
        (16, (0, 0x541C), errno.EPERM),  # TIOCLINUX
        (41, (1,), ALLOW),  # socket AF_UNIX
        (41, (16,), ALLOW),  # AF_NETLINK
        (41, (38,), errno.EAFNOSUPPORT),  # AF_ALG
        (41, (40,), errno.EAFNOSUPPORT),  # AF_VSOCK
        (0x4000_0000 + 101, (), KILL),  # ptrace as x32
    ],
)
def test_calls_are_judged_by_their_arguments(number: int, arguments: tuple[int, ...], answer: str | int) -> None:
    assert _run(X86, number, arguments) == answer


def test_a_foreign_architecture_is_killed() -> None:
    assert _run(X86, 0, architecture=0x40000003) == KILL  # 32-bit x86
    assert _run(ARM, 0, architecture=0x40000028) == KILL  # 32-bit arm


def test_the_same_rules_on_arm() -> None:
    assert [_run(ARM, 220, (0x10000011,)), _run(ARM, 435), _run(ARM, 29, (0, 0x5412)), _run(ARM, 198, (40,))] == [
        errno.EPERM,
        errno.ENOSYS,
        errno.EPERM,
        errno.EAFNOSUPPORT,
    ]


def test_an_unknown_machine_is_an_error() -> None:
    with pytest.raises(KeyError):
        seccomp.program("riscv64")


def test_the_calls_and_their_numbers_are_those_of_the_kernels_tables() -> None:
    """`syscalls.tsv`: name, number in asm/unistd_64.h, number in asm-generic/unistd.h of Linux (uapi headers)."""
    rows = [line.split("\t") for line in Path(__file__).with_name("syscalls.tsv").read_text("utf-8").splitlines()]
    table = {name: (int(x86) if x86 else None, int(arm) if arm else None) for name, x86, arm in rows}
    assert table == seccomp.DENIED
    assert [_run(X86, number) for number, _ in table.values() if number] == [errno.EPERM] * 59
    assert len({number for _, number in table.values() if number}) == len([1 for _, number in table.values() if number])
