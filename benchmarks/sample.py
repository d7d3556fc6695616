"""The repositories that benchmarks measure unless they are given one, with their tests; by default Flask, 18k lines.

The source distributions and all that their tests need are pinned (samples.toml), so that every reader measures the
same.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

TABLE = Path(__file__).with_name("samples.toml")
NEEDED = [
    "asgiref==3.11.1",
    "attrs==25.4.0",
    "blinker==1.9.0",
    "click==8.3.1",
    "coverage==7.13.5",
    "flask==3.1.2",
    "iniconfig==2.3.0",
    "itsdangerous==2.2.0",
    "jinja2==3.1.6",
    "markupsafe==3.0.3",
    "packaging==26.0",
    "pluggy==1.6.0",
    "pygments==2.19.2",
    "pytest==8.4.2",
    "pytest-cov==7.0.0",
    "python-dotenv==1.2.1",
    "werkzeug==3.1.5",
]
"""The samples among them, for what their tests ask of their metadata; their code comes from the checkout."""


def names() -> tuple[str, ...]:
    """Those that there are."""
    return tuple(tomllib.loads(TABLE.read_text("utf-8")))


def fetch(folder: Path, uv: Path, name: str = "flask") -> tuple[Path, Path]:
    """(the source, an environment for its tests), both made beneath `folder`. Raises CalledProcessError."""
    asked = tomllib.loads(TABLE.read_text("utf-8"))[name]
    environment, wanted = folder / "environment", folder / "source.txt"
    python = environment / "bin" / "python"
    wanted.write_text(asked["source"])
    packages = [*NEEDED, *asked.get("needed", [])]
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "-q", "--seed", environment],  # with pip: uv does not download
        [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, "-r", wanted, "-d", folder],
        [uv, "pip", "install", "-q", "--no-deps", "--compile-bytecode", "--python", python, *packages],
    )
    for argv in commands:
        subprocess.run(argv, check=True)
    archive = next(folder.glob("*.tar.gz"))
    shutil.unpack_archive(archive, folder)
    return folder / archive.name.removesuffix(".tar.gz"), environment
