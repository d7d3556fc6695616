"""`omni review`: one's own models read a change, and quote the lines that they speak of."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import colored, settings

FORMATS = ("text", "json", "ndjson", "sarif", "html", "junit", "comment")


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--base", default="HEAD", show_default=True, help="Revision that the change starts from.")
@click.option("--model", default="", help="Who reviews: an enabled model; default: the router chooses for each role.")
@click.option(
    "--author", "authors", multiple=True, metavar="PROVIDER/MODEL", help="Model that wrote it; another reviews."
)
@click.option("--spec", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What the change should do.")
@click.option("--patch", "patch_file", type=click.Path(path_type=Path), help="Write the mends that fit as a diff.")
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(FORMATS))
@click.option("--json", "as_json", is_flag=True, help="The same as --format ndjson.")
def review(
    path: Path,
    base: str,
    model: str,
    authors: tuple[str, ...],
    spec: Path | None,
    patch_file: Path | None,
    form: str,
    as_json: bool,
) -> int:
    """Review what changed since a revision: in ten dimensions, for security, and by the specialists whom it concerns.

    \b
    omni review . --base main
    omni review . --base main --format comment
    """
    from omni.kernel.database import open_database
    from omni.kernel.errors import Exit
    from omni.kernel.files import write_atomic
    from omni.models.gateway import open_gateway
    from omni.pipeline.code_review import Asked, review_change
    from omni.verify.outputs import render

    found = settings()
    asked = Asked(base, spec.read_text("utf-8") if spec else "", model, authors)
    with open_gateway(found, open_database(found)) as gateway:
        reviewed = review_change(path, asked, gateway.chat)
    if patch_file:
        write_atomic(patch_file, reviewed.patch)
    click.echo(render(reviewed.report, "ndjson" if as_json else form, color=colored()), nl=False)
    return {"pass": Exit.PASS, "fail": Exit.FAILED}.get(reviewed.report.verdict, Exit.INCOMPLETE)
