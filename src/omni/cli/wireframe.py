"""`omni wireframe`: a picture of a screen as a request, for `omni build`."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, settings


@click.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", default="", help="An enabled model that sees; default: the router chooses.")
@json_option
def wireframe(picture: Path, model: str, as_json: bool) -> None:
    """Read a wireframe or a screenshot; print what it asks for as one request.

    \b
    omni build "$(omni wireframe sketch.png)" --out out
    """
    from omni.agents.wireframe import read_wireframe
    from omni.kernel.database import open_database
    from omni.models.catalog import load_catalog
    from omni.models.gateway import open_gateway

    found = settings()
    with open_gateway(found, open_database(found)) as gateway:
        read = read_wireframe(picture, gateway.chat, load_catalog(found), model)
    if as_json:
        line("result", read.model_dump(mode="json") | {"request": read.request()})
        return
    click.echo(read.request())
    for each in read.unreadable:
        click.echo(f"not readable: {each}", err=True)
