"""`omni models`: who could answer, who may, what they really can, what they took, and who would be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from omni.cli.common import json_option, line, settings, table
from omni.cli.models_report import report
from omni.cli.models_script import script
from omni.kernel.errors import Exit

if TYPE_CHECKING:
    from omni.models.catalog import Catalog, CatalogModel
    from omni.models.probe import Report

CAPABILITIES = ("fast", "balanced", "heavy")
LONGEST = 32_000
BY = ("run", "project", "stage", "role", "model", "provider")


@click.group()
def models() -> None:
    """List, add, probe and watch models. None is needed, and none is asked before you add it by name.

    \b
    omni models add local --base-url http://127.0.0.1:11434/v1
    omni models probe local
    omni build "…" --model local
    """


models.add_command(script)
models.add_command(report)


@models.command("list")
@click.option("--enabled", "only_enabled", is_flag=True, help="Only what may be asked.")
@json_option
def listing(only_enabled: bool, as_json: bool) -> None:
    """List the models that Omni knows of and who serves them; with --enabled those that it may ask."""
    from omni.models.catalog import load_catalog

    catalog = load_catalog(settings())
    if only_enabled:
        _list_enabled(catalog, as_json)
    elif as_json:
        for provider in catalog.providers:
            line("provider", provider.model_dump())
        for model in catalog.models:
            line("model", model.model_dump())
        line("result", {"providers": len(catalog.providers), "models": len({model.id for model in catalog.models})})
    else:
        _list_known(catalog)


def _list_known(catalog: Catalog) -> None:
    of_weights = {provider.id for provider in catalog.providers if provider.serves == "weights"}
    by_id: dict[str, list[CatalogModel]] = {}
    for model in catalog.models:
        by_id.setdefault(model.id, []).append(model)
    rows = []
    for name, offers in by_id.items():
        servers = [each.provider for each in offers if each.provider and each.provider not in of_weights]
        own = ["published weights"] if any(each.provider in of_weights for each in offers) else []
        rows.append((name, *_facts(offers[0]), ", ".join(own + servers) or offers[0].note))
    table(("model", "for", "context", "abilities", "VRAM", "served by"), rows, headed=True)
    click.echo()
    table(
        ("provider", "class", "address", "key"),
        [(each.id, each.provider_class, each.base_url or "your address", each.key) for each in catalog.providers],
        headed=True,
    )


def _list_enabled(catalog: Catalog, as_json: bool) -> None:
    if as_json:
        for place in catalog.enabled:
            line("endpoint", place.model_dump())
        line("result", {"endpoints": len(catalog.enabled), "models": sum(1 for _ in catalog.offers())})
        return
    table(
        ("endpoint", "model", "for", "context", "abilities", "VRAM", "address"),
        [(place.name, model.id, *_facts(model), place.base_url) for place, model in catalog.offers()],
        headed=True,
    )
    if not catalog.enabled:
        click.echo("None is enabled. Type: omni models add local --base-url URL", err=True)


def _facts(model: CatalogModel) -> tuple[str, str, str, str]:
    """Capability, context, abilities and VRAM, each as a word; what is not known is a ?."""
    purpose = "embedding" if model.kind == "embedding" else model.capability
    abilities = [name for name, has in (("tools", model.tools), ("vision", model.vision)) if has]
    context = f"{model.context:,}" if model.context else "?"
    return purpose, context, " ".join(abilities) or "-", f"{model.vram_gb:g} GB" if model.vram_gb else "?"


@models.command()
@click.argument("name")
@click.option("--base-url", default="", metavar="URL", help="Its address; for a known provider its own by default.")
@click.option("--model", "wanted", multiple=True, metavar="ID", help="Only this model; may be given again.")
@click.option("--key-env", "keys", multiple=True, metavar="NAME", help="Variable (or file in secrets) of the key.")
@click.option("--provider", default="", metavar="ID", help="Who it is, where it doesn't say so: omni models list")
@json_option
def add(name: str, as_json: bool, **given: str | tuple[str, ...]) -> None:
    """Enable an endpoint under a NAME: it is asked for its models, and may be asked for answers from now on.

    The key is looked up in the environment, or in the file of that name in the folder `secrets` of the Omni home, when
    it is needed. It is written nowhere.

    \b
    omni models add local --base-url http://127.0.0.1:11434/v1
    omni models add groq --model openai/gpt-oss-120b
    """
    from omni.models.enabling import Wish
    from omni.models.enabling import add as enable

    wish = Wish.model_validate({"name": name, "models": given.pop("wanted"), **given})
    place = enable(settings(), wish)
    if as_json:
        line("result", place.model_dump())
        return
    click.echo(f"{place.name}: {place.provider} ({place.provider_class}) at {place.base_url}")
    table(("model", "name", "for", "context"), [(m.id, m.wire_name, *_facts(m)[:2]) for m in place.models])
    if place.provider == "ollama":
        click.echo("Ollama cuts what is longer than its window without a word; a probe measures it.", err=True)
    click.echo(f"Type: omni models probe {place.name}", err=True)


@models.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Ask an endpoint nothing any more."""
    from omni.models.enabling import remove as disable

    disable(settings(), name)
    if as_json:
        line("result", {"removed": name})
    else:
        click.echo(f"{name} is not asked any more")


@models.command()
@click.argument("name", default="")
@click.option("--context", "longest", default=LONGEST, show_default=True, type=click.IntRange(1000, 1_000_000),
              help="Most tokens that are sent in one question.")  # fmt: skip
@json_option
def probe(name: str, longest: int, as_json: bool) -> int:
    """Ask models what they really can, and say what they are fit for. Without a NAME: all that are enabled.

    Each is asked whether it answers, streams, calls a tool, keeps a JSON schema, edits a file, sees a picture, and
    of how long a text it still knows the beginning and the middle. What is learnt is noted in models.toml. It takes
    about twice --context in tokens, which a hosted provider charges.
    """
    from omni.models.probing import probe_enabled

    reports = []
    for probed in probe_enabled(settings(), name, longest):
        reports.append(probed)
        if as_json:
            line("probe", probed.model_dump())
        else:
            _show_probe(probed)
    answered = sum(bool(probed.finding("answers").ok) for probed in reports)
    if as_json:
        line("result", {"models": len(reports), "answered": answered})
    return Exit.PASS if reports and answered == len(reports) else Exit.INCOMPLETE


def _show_probe(report: Report) -> None:
    click.echo(f"{report.endpoint}/{report.model}")
    for found in report.findings:
        click.echo(f"  {'-   ' if found.ok is None else 'ok  ' if found.ok else 'FAIL'}  {found.name:<8} {found.said}")
    if speed := report.finding("streams").tokens_per_second:
        click.echo(f"        {'speed':<8} {speed:g} tokens a second")
    click.echo(f"  {report.fit}\n  It took {report.calls} calls and {report.tokens:,} tokens.\n")


@models.command()
@click.option("--by", default="model", show_default=True, help=f"One or more of {', '.join(BY)}; with commas.")
@click.option("--run", default="", help="Only of this run.")
@click.option("--project", default="", help="Only of this project.")
@click.option("--days", default=0, type=click.IntRange(0), help="Only of the last days; 0: of all.")
@json_option
def usage(by: str, run: str, project: str, days: int, as_json: bool) -> None:
    """Show what answers took: calls, tokens, seconds on own machines, and price where it is known."""
    from datetime import timedelta

    from omni.kernel import clock
    from omni.kernel.database import open_database
    from omni.models.ledger import By
    from omni.models.ledger import usage as used

    names = tuple(part.strip() for part in by.split(","))
    if unknown := set(names) - set(BY):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: not one of {', '.join(BY)}", param_hint="--by")
    chosen: tuple[By, ...] = tuple(each for name in names for each in get_args(By) if each == name)
    engine = open_database(settings())
    try:
        rows = used(engine, chosen, run, project, clock.now() - timedelta(days=days) if days else None)
    finally:
        engine.dispose()
    if as_json:
        for row in rows:
            line("usage", row.model_dump() | {"by": names, "at_hand": round(row.at_hand, 3)})
        total = {key: sum(getattr(row, key) for row in rows) for key in ("calls", "prompt", "completion", "price")}
        line("result", total)
        return
    head = (*names, "calls", "prompt", "at hand", "reply", "wasted", "GPU s", "US$", "without a price")
    table(head, [(*row.key, str(row.calls), str(row.prompt), f"{row.at_hand:.0%}", str(row.completion), str(row.wasted),
                  f"{row.gpu_seconds:.1f}", f"{row.price:.4f}", str(row.unpriced)) for row in rows],
          headed=True)  # fmt: skip


@models.command()
@click.argument("model", default="")
@click.option("--capability", type=click.Choice(CAPABILITIES), default="balanced", show_default=True)
@click.option("--tools", is_flag=True, help="It has to call tools.")
@click.option("--vision", is_flag=True, help="It has to see pictures.")
@click.option("--tokens", default=0, type=click.IntRange(0), help="Length of the question, about.")
@click.option("--not", "without", multiple=True, metavar="MODEL", help="Who must not answer.")
@json_option
def route(model: str, as_json: bool, tokens: int, **given: object) -> int:
    """Show who would be asked, in which order, and why others are not. Asks nobody."""
    from omni.models.probing import route as order
    from omni.models.wire import Want

    want = Want.model_validate({"model": model, "not_models": given.pop("without"), **given})
    found = order(settings(), want, tokens)
    asked = [each for each in found if each.place]
    if as_json:
        for each in found:
            line("route", each.model_dump())
        line("result", {"asked": len(asked), "skipped": len(found) - len(asked)})
    else:
        for each in found:
            click.echo(f"{each.place or '-':>2}  {each.endpoint:<32}  {each.why}".rstrip())
        if not asked:
            click.echo("Nobody would answer. Type: omni models add", err=True)
    return Exit.PASS if asked else Exit.INCOMPLETE


@models.command()
@json_option
def gpus(as_json: bool) -> None:
    """Show your GPUs, and which models of known size fit into them.

    Where no tool of this machine can say, declare them in models.toml: [[gpu]] with name and vram_gb.
    """
    from omni.models.catalog import load_catalog
    from omni.models.gpu_host import fitting, gpus_of

    found = settings()
    cards = gpus_of(found)
    rows = fitting(load_catalog(found), cards)
    if as_json:
        for card in cards:
            line("gpu", card.model_dump())
        for name, size, where in rows:
            line("model", {"id": name, "gb": round(size, 1), "fits": where})
        line("result", {"gpus": len(cards), "models_that_fit": sum(bool(where) for _, _, where in rows)})
        return
    for card in cards:
        click.echo(f"{card.name}: {card.free_gb:.1f} GB free")
    if not cards:
        click.echo("No GPU: small models run on the processor, slowly. Declare one in models.toml: [[gpu]]", err=True)
    table(("model", "GB", "fits"), [(name, f"{size:.1f}", where or "no") for name, size, where in rows])
