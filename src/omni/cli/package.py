"""`omni package`: check what was handed over."""

from __future__ import annotations

from pathlib import Path

import click

from omni.cli.common import json_option, line, settings
from omni.kernel.errors import Exit


@click.group()
def package() -> None:
    """Check what was handed over."""


@package.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--signed-by", help="Name of the key (SHA256:…) that must have signed; default: the key of this Omni.")
@json_option
def verify(folder: Path, signed_by: str | None, as_json: bool) -> int:
    """Check that every file of a package is as it was signed, and who signed it.

    Exit code 3: nothing was changed since, but the key that signed is not the expected one. Compare its name with the
    one that you were told by the sender, and give that with --signed-by.
    """
    from omni.delivery.package import verify_package
    from omni.delivery.provenance import key_id

    verdict = verify_package(folder)
    signer = f"SHA256:{verdict.signed_by}" if verdict.signed_by else ""
    ours = _own_key()
    expected = signed_by or (key_id(ours) if ours else "")
    known = verdict.ok and signer == expected
    if as_json:
        line("result", {**verdict.model_dump(), "signer": signer, "signer_known": known})
    else:
        click.echo("intact" if verdict.ok else "TAMPERED")
        for problem in verdict.problems:
            click.echo(f"  {problem}")
        if verdict.ok:
            who = "the key that you named" if signed_by else "this Omni"
            click.echo(f"  signed by {who if known else 'another key than ' + who}: {signer}")
    return Exit.FAILED if not verdict.ok else Exit.PASS if known else Exit.INCOMPLETE


def _own_key() -> str:
    """The public key of this home; empty where it has none yet."""
    from omni.kernel.signing import Signer

    home = settings().home
    return Signer.load(home).public_key_pem if (home / "keys" / "signing.pem").exists() else ""
