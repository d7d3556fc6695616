"""`omni models script`: a model server that answers what a script says."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import NoReturn

import click


@click.command("script")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8371, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--log", type=click.Path(path_type=Path, dir_okay=False), help="Append each request and answer: NDJSON.")
def script(file: Path, host: str, port: int, log: Path | None) -> None:
    """Serve an OpenAI-compatible endpoint that answers as FILE says, until Ctrl-C.

    \b
    Exit code 1 if it was asked what the script does not expect.
    """
    from omni.models.script import Record, load, serve  # pydantic and a server: only for who serves

    found = load(file)
    signal.signal(signal.SIGTERM, _stop)
    with serve(found, Record(log), host, port) as url:
        click.echo(f"scripted models on {url}")
        try:
            signal.pause()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
