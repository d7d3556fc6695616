from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omni.kernel import registries

URL = "https://index.example.org/simple"


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "certificates.crt"
    path.touch()
    monkeypatch.setattr(registries, "CERTIFICATES", path)
    return path


def configured(monkeypatch: pytest.MonkeyPatch, index: str) -> None:
    monkeypatch.setattr(registries, "pip_index", lambda: index)


def test_uv_and_npm_are_told_what_pip_and_the_system_know(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, URL)
    assert registries.added({}) == {
        "UV_SYSTEM_CERTS": "true",
        "NODE_EXTRA_CA_CERTS": str(certificates),
        "UV_DEFAULT_INDEX": URL,
    }


def test_what_a_person_set_stays(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, URL)
    given = {"UV_SYSTEM_CERTS": "false", "NODE_EXTRA_CA_CERTS": "/mine", "UV_DEFAULT_INDEX": "https://mine.example.org"}
    assert registries.added(given) == {}


def test_secrets_stay_behind(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(monkeypatch, "")
    monkeypatch.setenv("OMNI_TOKEN", "x")
    monkeypatch.setenv("PIP_CERT", "/mine")
    found = registries.variables()
    assert found["PIP_CERT"] == "/mine"
    assert "OMNI_TOKEN" not in found
    assert "UV_DEFAULT_INDEX" not in found


@pytest.mark.parametrize(
    "line", [f"global.index-url='{URL}'", f":env:.index-url='{URL}'", f"install.index-url='{URL}'"]
)
def test_the_line_of_pip_is_understood(line: str) -> None:
    found = registries.INDEX.search(f"global.timeout='3'\n{line}\nglobal.extra-index-url='https://other.example.org'\n")
    assert found
    assert found[1] == URL


def test_a_shell_can_take_it_over_before_anything_is_installed(tmp_path: Path) -> None:
    script = registries.__file__
    environment = {"PATH": "/usr/bin:/bin", "PIP_INDEX_URL": "https://x.example.org/a b", "HOME": str(tmp_path)}
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            f'eval "$({sys.base_prefix}/bin/python3 -I {script})"; echo "$UV_SYSTEM_CERTS $UV_DEFAULT_INDEX"',
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("true ")
