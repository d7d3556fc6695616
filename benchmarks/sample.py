"""The repository that benchmarks measure unless they are given one: Flask, 18k lines of Python with their tests.

Its source distribution and all that its tests need are pinned, so that every reader measures the same.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = "flask==3.1.2 --hash=sha256:bf656c15c80190ed628ad08cdfd3aaa35beb087855e2f494910aa3774cc4fd87"
NEEDED = [
    "asgiref==3.11.1",
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
"""Flask among them, for what its tests ask of its metadata; its code comes from the checkout."""


def fetch(folder: Path, uv: Path) -> tuple[Path, Path]:
    """(the source, an environment for its tests), both made beneath `folder`. Raises CalledProcessError."""
    environment, wanted = folder / "environment", folder / "source.txt"
    python = environment / "bin" / "python"
    wanted.write_text(SOURCE)
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "-q", "--seed", environment],  # with pip: uv does not download
        [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "flask", "-r", wanted, "-d", folder],
        [uv, "pip", "install", "-q", "--no-deps", "--compile-bytecode", "--python", python, *NEEDED],
    )
    for argv in commands:
        subprocess.run(argv, check=True)
    shutil.unpack_archive(next(folder.glob("flask-*.tar.gz")), folder)
    return folder / "flask-3.1.2", environment
