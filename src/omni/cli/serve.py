"""`omni serve`: one of Omni's services, in the foreground."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from omni.cli.common import settings
from omni.kernel.errors import Exit, OmniError, declare

if TYPE_CHECKING:
    from fastapi import FastAPI

    from omni.kernel.settings import Settings

NO_ADDRESS = declare(
    "X002",
    "The address can't be listened on",
    Exit.INCOMPLETE,
    "Stop what listens there, or choose another with --host and --port.",
)


@click.group()
def serve() -> None:
    """Run a service until Ctrl-C."""


@serve.command("gate-engine")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8351, show_default=True, type=click.IntRange(0, 65535))
@click.option("--public-url", default="", help="Where people reach it, for links that are posted to the forge.")
def gate_engine(host: str, port: int, public_url: str) -> None:
    """Verify what is sent: POST a repository or an archive, or point a forge's webhook at it.

    \b
    curl -H "Authorization: Bearer $TOKEN" --data-binary @app.tar.gz localhost:8351/v1/verify
    """
    from omni.server import config
    from omni.server.gate_engine import app

    found = settings()
    service = app(found, public_url.rstrip("/"))
    _run(service, found, "gate engine", config.TOKEN, host, port)


@serve.command("code-scorer")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8350, show_default=True, type=click.IntRange(0, 65535))
def code_scorer(host: str, port: int) -> None:
    """Score what is sent in ten dimensions: from evidence, and by a model where one is enabled.

    \b
    curl -H "Authorization: Bearer $TOKEN" localhost:8350/v1/score -d '{"files": {"app.py": "…"}, "spec": "…"}'
    """
    from omni.kernel.database import open_database
    from omni.models.catalog import load_catalog
    from omni.models.gateway import open_gateway
    from omni.server.code_scorer import TOKEN, app

    found = settings()
    engine = open_database(found)
    with open_gateway(found, engine) as gateway:
        service = app(found, engine, gateway.chat if load_catalog(found).enabled else None)
        _run(service, found, "code scorer", TOKEN, host, port)


@serve.command("models")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8372, show_default=True, type=click.IntRange(0, 65535))
def models(host: str, port: int) -> None:
    """Answer OpenAI's API with the enabled models: routed, budgeted and logged as Omni's own calls are.

    \b
    OPENAI_BASE_URL=http://localhost:8372/v1 OPENAI_API_KEY=$TOKEN aider --model openai/auto
    """
    _serve_models(host, port, cached=False)


@serve.command("semantic-cache")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8370, show_default=True, type=click.IntRange(0, 65535))
def semantic_cache(host: str, port: int) -> None:
    """Answer OpenAI's API as `omni serve models` does, and what was answered before without asking again.

    \b
    curl -H "Authorization: Bearer $TOKEN" -H "x-omni-project: shop" localhost:8370/v1/chat/completions -d '…'
    """
    _serve_models(host, port, cached=True)


def _serve_models(host: str, port: int, *, cached: bool) -> None:
    from omni.kernel.database import open_database
    from omni.models import tokens
    from omni.models.cache import SemanticCache
    from omni.server.models import app

    found = settings()
    engine = open_database(found)
    service = app(found, engine, SemanticCache(engine) if cached else None)
    tokens.token(found)
    _run(service, found, "semantic cache" if cached else "models", Path("secrets", tokens.TOKEN), host, port)


def _run(service: FastAPI, found: Settings, name: str, token: Path, host: str, port: int) -> None:
    """Serve until Ctrl-C; its address and the place of its token (below the home) are said once it listens."""
    import uvicorn  # a web server: only for who serves

    from omni.kernel.logs import open_log
    from omni.server.listening import listen

    try:
        listening = listen(host, port)
    except OSError as error:
        raise OmniError(NO_ADDRESS, error.strerror or str(error), where=f"{host}:{port}") from error
    open_log(found.home)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"{name} on http://{shown}:{listening.getsockname()[1]}; the token is in {found.home / token}", err=True)
    config = uvicorn.Config(service, log_level="warning", server_header=False, timeout_graceful_shutdown=5)
    with listening, suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listening])
