"""`omni approve`, `revise`, `reject`: a person's word to a waiting run."""

from __future__ import annotations

import getpass
from typing import Literal

import click

from omni.cli.common import json_option, line, settings


@click.command()
@click.argument("run")
@click.option("--because", default="", help="Why; kept in the audit log.")
@json_option
def approve(run: str, because: str, as_json: bool) -> int:
    """Let a waiting run go on."""
    return _decide(run, "approved", because, as_json=as_json)


@click.command()
@click.argument("run")
@click.option("--because", required=True, help="What should change, in plain English; it becomes part of the request.")
@json_option
def revise(run: str, because: str, as_json: bool) -> int:
    """Send a waiting run back with what should change."""
    return _decide(run, "revised", because, as_json=as_json)


@click.command()
@click.argument("run")
@click.option("--because", required=True, help="Why; kept in the audit log.")
@json_option
def reject(run: str, because: str, as_json: bool) -> int:
    """Stop a waiting run."""
    return _decide(run, "rejected", because, as_json=as_json)


def _decide(run: str, decision: Literal["approved", "revised", "rejected"], because: str, *, as_json: bool) -> int:
    """Record and deliver the decision; go on with the run here unless another process works on it."""
    from omni.cli.execution import execute
    from omni.kernel.database import open_database
    from omni.pipeline.decision import decide
    from omni.pipeline.gates import Answer
    from omni.pipeline.lock import is_worked_on
    from omni.pipeline.run import load

    found = settings()
    engine = open_database(found)
    known = load(engine, run)
    decide(found, engine, known.id, Answer(decision=decision, by=getpass.getuser(), reason=because))
    if is_worked_on(found, known.id):
        if as_json:
            line("result", {"run": known.id, "decision": decision, "exit_code": 0})
        else:
            click.echo(f"{decision}; the run goes on where it is being worked on")
        return 0
    return execute(known, found, engine, as_json=as_json, wait=False)
