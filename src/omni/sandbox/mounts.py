"""What of the host a guest may see, read-only."""

from __future__ import annotations

import os
from pathlib import Path

from omni.sandbox import linux
from omni.sandbox.job import Mount

STAGE = Path("/run/omni-sandbox")
"""An empty folder of the host. Only inside a private mount namespace is anything mounted on it."""
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin")
SYSTEM_FILES = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types", "/etc/ssl/certs")
ETC = {
    "/etc/passwd": b"root:x:0:0::/:/usr/sbin/nologin\nomni:x:1000:1000::/tmp:/bin/sh\n",
    "/etc/group": b"root:x:0:\nomni:x:1000:\n",
    "/etc/hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
}


def python_mounts(venv: Path) -> tuple[Mount, ...]:
    """The mounts with which `venv`/bin/python works inside at its own path: the environment and its interpreter.

    The interpreter is found as the kernel finds it, link by link, since a link may lead through a folder
    (`cpython-3.11` → `cpython-3.11.9`) that has to exist inside too. What is below /usr is there anyway.
    """
    venv = venv.absolute()
    prefixes = [venv]
    program = venv / "bin" / "python"
    while program.is_symlink():
        program = Path(os.path.normpath(program.parent / program.readlink()))
        prefixes.append(program.parent.parent)
    prefixes.append(program.resolve().parent.parent)
    return tuple(
        Mount(prefix.resolve(), str(prefix))
        for prefix in dict.fromkeys(prefixes)
        if not any(prefix.is_relative_to(root) for root in SYSTEM) and prefix != Path("/")
    )


def stage(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """The same mounts with sources that an unprivileged uid can reach, even those below a 0700 folder.

    Must run as root in a thread of its own: the thread gets a private mount namespace, which the processes it
    starts inherit and which dies with them. Where root may not mount (a container), they come back unchanged, and
    bubblewrap says which of them it can't reach.
    """
    try:
        linux.unshare_mounts()
    except PermissionError:
        return mounts
    STAGE.mkdir(mode=0o755, exist_ok=True)
    linux.mount("tmpfs", str(STAGE), "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    return tuple(_bind(mount, STAGE / str(number)) for number, mount in enumerate(mounts))


def _bind(mount: Mount, place: Path) -> Mount:
    if mount.source.is_dir():
        place.mkdir()
    else:
        place.touch()
    linux.mount(str(mount.source.resolve()), str(place), "none", linux.MS_BIND | linux.MS_REC)
    return Mount(place, mount.target or str(mount.source))
