"""An Omni home with a run in it that asks scripted models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from omni.kernel.database import open_database
from omni.kernel.settings import load_settings
from omni.kernel.signing import Signer
from omni.pipeline.run import RunOptions, create

REQUEST = "a command line tool that solves sudoku puzzles from a file"
SILENCE = "3"
"""Seconds after which the scripted model's silence in mid-answer is taken as such."""


class Home:
    """An Omni home with one enabled model, and a run in it that has not begun."""

    def __init__(self, path: Path, url: str, options: RunOptions, request: str = REQUEST) -> None:
        shared = load_settings().home / "envs"
        shared.mkdir(parents=True, exist_ok=True)
        path.mkdir()
        (path / "envs").symlink_to(shared)
        endpoint = f'[[endpoint]]\nname = "local"\nbase_url = "{url}"\n'
        (path / "models.toml").write_text(
            f'{endpoint}models = [{{ wire_name = "scripted", capability = "balanced", context = 65536 }}]\n'
        )
        (path / "models.toml").chmod(0o600)
        self.path = path
        self.settings = load_settings({"home": str(path)})
        Signer.load(path)
        engine = open_database(self.settings)
        self.run = create(engine, request, options.model_copy(update={"out": str(path / "out")})).id
        engine.dispose()

    def resume(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "omni", "runs", "resume", self.run, "--json"]
        temporary = self.path / "tmp"
        temporary.mkdir(exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
        environment |= {"OMNI_HOME": str(self.path), "TMPDIR": str(temporary), "OMNI_MODEL_IDLE": SILENCE}
        with (self.path / "stdout").open("wb") as output, (self.path / "stderr").open("wb") as errors:
            return subprocess.Popen(command, env=environment, cwd=self.path, stdout=output, stderr=errors)

    def finish(self, code: int = 3) -> float:
        """Take the run to its end; gives the seconds that it took."""
        began = time.monotonic()
        ended = self.resume().wait(timeout=600)
        told = (self.path / "stdout").read_text().splitlines()
        assert ended == code, f"{told[-1:]}\n{(self.path / 'stderr').read_text()}"
        return time.monotonic() - began

    def result(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.path / "stdout").read_text().splitlines()[-1])
        return found

    @property
    def app(self) -> Path:
        return self.path / "out" / "app"
