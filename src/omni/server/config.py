"""`gate-engine.toml` in the Omni home: what the gate engine may look at, and which forges it believes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import secret_file
from omni.verify.report import Model

BAD_CONFIG = declare("G002", "gate-engine.toml can't be used", Exit.USAGE, "Correct the file in the Omni home.")
FILE = "gate-engine.toml"
TOKEN = Path("secrets", "gate-engine-token")


class Forge(Model):
    """A code host whose webhooks are believed, and to whom results are posted."""

    kind: Literal["gitea", "github"]
    """Forgejo speaks as Gitea does."""
    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")]
    """`gitea.example.org`, with the port if it is not 443."""
    secret: Annotated[SecretStr, Field(min_length=16)]
    """The one that signs webhooks."""
    token: SecretStr = SecretStr("")
    """Of an account that may read the repositories and post; empty: only public ones, and nothing is posted."""
    insecure: bool = False
    """Plain HTTP: for a forge on the same machine."""

    @property
    def url(self) -> str:
        return f"{'http' if self.insecure else 'https'}://{self.host}"


class GateConfig(Model):
    paths: tuple[Path, ...] = ()
    """Folders below which repositories may be named."""
    hosts: tuple[str, ...] = ()
    """Hosts that may be cloned from over HTTPS, besides those of the forges."""
    forges: tuple[Forge, ...] = ()
    queue: Annotated[int, Field(ge=1, le=1000)] = 32
    """Jobs that may wait."""
    upload: Annotated[int, Field(ge=1)] = 128 << 20
    """Bytes of an archive, packed."""


def load(home: Path) -> GateConfig:
    """The file's content, or the defaults, which allow archives alone. Raises `G002`."""
    path = home / FILE
    try:
        return GateConfig.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return GateConfig()
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, error["loc"]))
        raise OmniError(BAD_CONFIG, f"{where}: {error['msg']}", where=str(path)) from problem
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise OmniError(BAD_CONFIG, str(problem), where=str(path)) from problem


def token(home: Path, place: Path = TOKEN) -> str:
    """What callers of a service have to show; made on first use, readable by its owner alone."""
    return secret_file(home / place)
