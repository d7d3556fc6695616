"""The system calls a guest may not make, as a classic BPF program for bubblewrap's `--seccomp`.

Instruction and data layout: linux/filter.h and linux/seccomp.h; call numbers: the kernel's syscall tables.
A denylist on purpose: test runners, browsers and compilers use nearly everything else.
"""

from __future__ import annotations

import errno
import os
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1 = 0, 4, 16, 24
_X32 = 0x40000000

AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

NAMESPACES = 0x7E020000  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}
TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: type into the caller's terminal
FAMILIES = (1, 2, 10, 16)  # UNIX, INET, INET6, NETLINK; no VSOCK (it isn't namespaced), ALG, PACKET …

DENIED: dict[str, tuple[int | None, int | None]] = {
    # name: number on x86_64, number on aarch64
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_CLONE, _CLONE3, _IOCTL, _SOCKET = (56, 220), (435, 435), (16, 29), (41, 198)


def _op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(number: int) -> bytes:
    return _op(_RETURN, _ERRNO | number)


def program(machine: str | None = None) -> bytes:
    """The filter for `machine` (default: this one): a packed array of `struct sock_filter`.

    Foreign architectures (32-bit, x32) are killed, `clone3` is ENOSYS so that libc falls back to `clone`, whose
    flags can be read. Raises KeyError for a machine other than x86_64 and aarch64.
    """
    machine = machine or os.uname().machine
    architecture = AUDIT_ARCHITECTURE[machine]
    column = list(AUDIT_ARCHITECTURE).index(machine)
    code = [_op(_LOAD, _ARCHITECTURE), _op(_EQUAL, architecture, 1), _op(_RETURN, _KILL), _op(_LOAD, _NUMBER)]
    if machine == "x86_64":
        code += [_op(_AT_LEAST, _X32, 0, 1), _op(_RETURN, _KILL)]
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            code += [_op(_EQUAL, number, 0, 1), _refuse(errno.EPERM)]
    code += [_op(_EQUAL, _CLONE3[column], 0, 1), _refuse(errno.ENOSYS)]
    code += _when(_CLONE[column], _ARGUMENT_0, [_op(_ANY_BIT, NAMESPACES, 0, 1), _refuse(errno.EPERM)])
    typing = [part for request in TERMINAL_INPUT for part in (_op(_EQUAL, request, 0, 1), _refuse(errno.EPERM))]
    code += _when(_IOCTL[column], _ARGUMENT_1, typing)
    families = [_op(_EQUAL, family, len(FAMILIES) - i) for i, family in enumerate(FAMILIES)]
    code += _when(_SOCKET[column], _ARGUMENT_0, [*families, _refuse(errno.EAFNOSUPPORT)])
    return b"".join([*code, _op(_RETURN, _ALLOW)])


def _when(number: int, argument: int, body: list[bytes]) -> list[bytes]:
    """`body` looks at the low half of an argument of call `number`; falling out of it allows the call."""
    return [_op(_EQUAL, number, 0, len(body) + 2), _op(_LOAD, argument), *body, _op(_RETURN, _ALLOW)]
