"""`omni build`: from one sentence to a package."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypedDict, Unpack

import click

from omni.cli.common import json_option, settings
from omni.pipeline.change.kinds import KINDS

if TYPE_CHECKING:
    from omni.kernel.settings import Settings
    from omni.pipeline.run import RunOptions
    from omni.spec.model import Specification

ASK_AT_MOST = 3


def _budget(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """A preset's name, or a number of tokens."""
    from omni.models.budget import PRESETS

    if value not in PRESETS and not (value.isdecimal() and int(value) > 0):
        raise click.BadParameter(f"say a number of tokens, or one of {', '.join(PRESETS)}")
    return value


@click.command()
@click.argument("request", required=False)
@click.option("--file", "-f", type=click.File("rb"), help="Read the request from a file; - for stdin.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the package.")
@click.option("--template", help="Build with this template (omni templates lists them).")
@click.option("--answers", type=click.File("rb"), help="YAML file: question id → answer.")
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults and record them as assumptions.")
@click.option(
    "--waive",
    multiple=True,
    help="Accept that this phrase (words, or its id) is not delivered, or that no other model judges: independence.",
)
@click.option("--profile", type=click.Choice(["autonomous", "supervised"]), help="When people are asked to approve.")
@click.option("--model", help="Let a model deliver what no template knows: an enabled one (omni models list), or auto.")
@click.option("--budget", default="medium", show_default=True, callback=_budget, help="Tokens for models, or a preset.")
@click.option("--engine", "hands", help="Whose hands do the model's work (omni engines list); Omni's own unless given.")
@click.option(
    "--repo",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Change this git repository instead: the result is a branch in it; its work tree stays as it is.",
)
@click.option(
    "--type",
    "kind",
    type=click.Choice(("new-service", *KINDS)),
    help="What kind of work; with --repo it is told by the request's words unless given.",
)
@click.option(
    "--environment",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --repo: virtual environment for its tests (default: its .venv).",
)
@click.option("--no-wait", is_flag=True, help="Stop when a person is waited for.")
@json_option
def build(**given: Unpack[Given]) -> int:
    """Turn one plain-English request into a verified, packaged app, or change a repository.

    \b
    omni build "a todo app with user auth" --out out
    omni build --repo ../shop "fix the failing login"
    """
    _fit(given)
    text = _asked(given["request"], given["file"])
    # Imported here, as in every command: `omni --version` and `omni --help` stay fast.
    from omni.cli.execution import execute
    from omni.kernel.database import open_database
    from omni.pipeline.decision import approve_unlimited
    from omni.pipeline.run import create

    found = settings(gate_profile=given["profile"])
    options = _options(given, found, text)
    unlimited = options.budget == "unlimited" and bool(options.model)
    asked = unlimited and _talks(given)
    if asked:
        click.confirm("Models may be asked without any limit in this run. Do you approve?", abort=True, err=True)
    engine = open_database(found)
    run = create(engine, text, options)
    if asked:
        approve_unlimited(found, engine, run.id, getpass.getuser())
    elif unlimited:
        click.echo(f"A person has to approve an unlimited budget; until then it waits: omni approve {run.id}", err=True)
    return execute(run, found, engine, as_json=given["as_json"], wait=not given["no_wait"])


class Given(TypedDict):
    """The argument and the options of `build`, as click hands them over."""

    request: str | None
    file: IO[bytes] | None
    out: Path | None
    template: str | None
    answers: IO[bytes] | None
    yes: bool
    waive: tuple[str, ...]
    profile: str | None
    model: str | None
    budget: str
    hands: str | None
    repo: Path | None
    kind: str | None
    environment: Path | None
    no_wait: bool
    as_json: bool


def _fit(given: Given) -> None:
    """Options that contradict each other are said to, before anything is made."""
    repo, kind = given["repo"], given["kind"]
    if repo and given["template"] and kind != "new-service":
        raise click.UsageError("--template goes with --type new-service: code that is there is changed as it is.")
    if not repo and (given["environment"] or kind not in {None, "new-service"}):
        raise click.UsageError("--environment, and every --type but new-service, needs --repo: what is to be changed?")
    if given["hands"] and not (given["model"] or repo):
        raise click.UsageError("--engine goes with --model: an engine asks a model.")


def _options(given: Given, found: Settings, text: str) -> RunOptions:
    """What the run is to do. What would stop it later (no such model or template, no room) is raised here."""
    from omni.delivery.package import refuse_foreign
    from omni.pipeline.run import RunOptions
    from omni.templates.catalog import get
    from omni.verify.repository import top

    repo, out, template, environment = given["repo"], given["out"], given["template"], given["environment"]
    changed = repo is not None and given["kind"] != "new-service"
    model = given["model"] or ("auto" if given["hands"] else None)
    if model:
        from omni.pipeline.coding import check_model

        check_model(found, model, given["hands"] or "")
    answers = _read_answers(given["answers"])
    if template:
        get(template)
    if out and not changed:
        refuse_foreign(out.absolute())
    if not changed and not given["answers"] and _talks(given):
        answers = _ask(text, template)
    return RunOptions(
        out=str(out.absolute()) if out else "",
        template=template or "",
        answers=answers,
        waive=given["waive"],
        profile=found.gate_profile,
        retries=found.retries,
        model=model or ("auto" if changed else ""),
        engine=given["hands"] or "",
        budget=given["budget"],
        repository=str(top(repo.resolve())) if repo else "",
        change=given["kind"] or "" if repo else "",
        environment=str(environment.absolute()) if environment else "",
    )


def _talks(given: Given) -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not (given["yes"] or given["as_json"])


def _asked(request: str | None, file: IO[bytes] | None) -> str:
    """The request, from the command line or from a file."""
    if file and request:
        raise click.UsageError("Say it in words or with --file, not both.")
    text = _text(file) if file else request
    if not text or not text.strip():
        raise click.UsageError('Say what to build: omni build "a todo app with user auth"')
    return text


def _text(file: IO[bytes]) -> str:
    try:
        return file.read().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file.name} is not text in UTF-8: {error.reason} at byte {error.start}.") from error


def _read_answers(file: IO[bytes] | None) -> dict[str, str]:
    if file is None:
        return {}
    import yaml

    try:
        # Only strings, lists and maps come of it: `yes` stays a word.
        answers = yaml.load(_text(file), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise click.UsageError(f"{file.name} is not valid YAML: {error}") from error
    if not isinstance(answers, dict):
        raise click.UsageError(f"{file.name} must map question ids to answers, as `Q1: yes`")
    return {str(name): str(answer) for name, answer in answers.items()}


def _ask(text: str, template: str | None) -> dict[str, str]:
    """Put the few most valuable questions; Enter takes the default."""
    spec = _draft(text, template)
    answers = {}
    for question in sorted(spec.questions, key=lambda question: -question.weight)[:ASK_AT_MOST]:
        click.echo(f"\n{question.text}\n  ({question.why})", err=True)
        if question.options:
            click.echo(f"  {' / '.join(question.options)}", err=True)
        answers[question.id] = click.prompt("  ", default=question.default, prompt_suffix="", err=True)
    return answers


def _draft(text: str, template: str | None) -> Specification:
    from omni.spec.compiler import compile_request
    from omni.spec.request import parse_request

    return compile_request(parse_request(text), {}, template)
