"""Enabling an endpoint by name, and taking it away again: the only ways by which `models.toml` changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from pydantic import BaseModel, ValidationError

from omni.kernel.doctor import DoctorRow
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import locked, write_atomic
from omni.kernel.settings import Settings
from omni.models.catalog import (
    FILE_NAME,
    OPENAI_COMPATIBLE,
    Catalog,
    Enabled,
    EndpointEntry,
    ModelEntry,
    ModelsFile,
    Provider,
    load_catalog,
    read_models_file,
)
from omni.models.discovery import address, discover
from omni.models.errors import NO_SUCH_MODEL
from omni.models.keys import FOLDER, read_key

NOT_ENABLED = declare("M032", "The endpoint can't be enabled", Exit.USAGE, "Type: omni models add --help")

HEAD = "# Endpoints that may be asked. Written by `omni models add`, `remove` and `probe`, which keep no comments.\n"


class Wish(BaseModel, frozen=True):
    """What a person says on `omni models add`."""

    name: str
    base_url: str = ""
    """Empty: that of the catalog's provider of this name."""
    models: tuple[str, ...] = ()
    """Names on the wire; none: all that the server lists, and of a hosted one those that the catalog knows."""
    keys: tuple[str, ...] = ()
    provider: str = ""
    """Empty: found out."""


def add(settings: Settings, wish: Wish) -> Enabled:
    """Ask the endpoint what it has, and write it down. Asks nobody but the address that is given.

    Raises OmniError: M032 when it can't be meant so, M030 when it does not answer, M006 for an unsafe key.
    """
    catalog = load_catalog(settings)
    provider = catalog.provider(wish.provider or wish.name)
    if wish.provider and provider is None:
        raise OmniError(NOT_ENABLED, f"there is no provider {wish.provider}", fix="Type: omni models list")
    url = wish.base_url or (provider.base_url if provider else "")
    if not url:
        note = f" {provider.note}" if provider and provider.note else ""
        raise OmniError(NOT_ENABLED, f"{wish.name} has no address", fix=f"Give one: --base-url URL.{note}")
    keys = wish.keys or ((provider.key,) if provider and provider.key and not wish.base_url else ())
    draft = _entry(wish, url=address(url) if wish.base_url else url, keys=keys)
    _check(settings, draft)
    found, listed = _ask(settings, draft, catalog, provider if wish.provider else None, wish.models)
    models = _chosen(wish.models, listed, found, catalog)
    entry = draft.model_copy(update={"provider": found.id, "models": models})
    _change(settings, lambda old: (*(each for each in old if each.name != entry.name), entry))
    return next(each for each in load_catalog(settings).enabled if each.name == entry.name)


def remove(settings: Settings, name: str) -> None:
    """Ask this endpoint nothing any more. Raises OmniError (M005) when there is none of that name."""
    if name not in (entry.name for entry in read_models_file(settings.home / FILE_NAME).endpoint):
        raise OmniError(NO_SUCH_MODEL, f"no endpoint is called {name}")
    _change(settings, lambda old: tuple(entry for entry in old if entry.name != name))


def note(settings: Settings, name: str, wire_name: str, learned: ModelEntry) -> None:
    """Keep what was measured of a model in place of what was believed: the fields of `learned` that are set."""
    new = learned.model_dump(exclude_unset=True, exclude={"wire_name"})

    def changed(entry: EndpointEntry) -> EndpointEntry:
        models = [each.model_copy(update=new) if each.wire_name == wire_name else each for each in entry.models]
        return entry.model_copy(update={"models": tuple(models)})

    _change(settings, lambda old: tuple(changed(entry) if entry.name == name else entry for entry in old))


def doctor_row(settings: Settings) -> DoctorRow:
    """The models for `omni doctor`: none is fine, a file that can't be read isn't. Asks nobody."""
    purpose = "software that no template knows, and judgement beside evidence"
    try:
        enabled = load_catalog(settings).enabled
    except OmniError as error:
        return DoctorRow("models", False, False, f"{error.where}: {error.why}", purpose, error.fix)
    places = [f"{place.name} ({len(place.models)} at {place.provider})" for place in enabled]
    found = ", ".join(places) or "none enabled, which is fine: templates need none"
    return DoctorRow("models", True, False, found, purpose, "")


def _entry(wish: Wish, url: str, keys: tuple[str, ...]) -> EndpointEntry:
    try:
        return EndpointEntry(name=wish.name, base_url=url, keys=keys)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place, said = str(problem["loc"][0]) if problem["loc"] else "", problem["msg"].removeprefix("Value error, ")
        if place == "keys":
            said = "give the name of the variable that holds the key, in capitals; never the key itself"
        raise OmniError(NOT_ENABLED, f"{place}: {said}".removeprefix(": ")) from None


def _check(settings: Settings, draft: EndpointEntry) -> None:
    """What would be wrong before anybody is asked."""
    place = Enabled(name=draft.name, provider="", provider_class="local", base_url=draft.base_url, models=())
    if settings.offline and not place.loopback:
        raise OmniError(NOT_ENABLED, "Omni is told to stay offline", where=draft.base_url, fix="See: omni config")
    missing = [name for name in draft.keys if read_key(settings.home, name) is None]
    if missing:
        fix = f"Set it in the environment, or write it to {settings.home / FOLDER / missing[0]} (chmod 600)."
        raise OmniError(NOT_ENABLED, f"there is no key called {missing[0]}", fix=fix)


def _ask(
    settings: Settings, draft: EndpointEntry, catalog: Catalog, said: Provider | None, models: tuple[str, ...]
) -> tuple[Provider, tuple[ModelEntry, ...]]:
    """Who it is and what it lists. A person who names the provider and the models need not be believed by a list."""
    key = read_key(settings.home, draft.keys[0]) if draft.keys else None
    try:
        found, listed = discover(draft.base_url, key, catalog)
    except OmniError as error:
        if said is None or not models or not error.why.startswith("HTTP 404"):
            raise
        return said, ()
    provider = said or catalog.provider(found)
    if provider is None:
        raise OmniError(NOT_ENABLED, f"the catalog lacks {OPENAI_COMPATIBLE}")
    return provider, listed


def _chosen(
    wanted: tuple[str, ...], listed: tuple[ModelEntry, ...], provider: Provider, catalog: Catalog
) -> tuple[ModelEntry, ...]:
    by_name = {entry.wire_name: entry for entry in listed}
    if wanted:
        absent = [name for name in wanted if listed and name not in by_name]
        if absent:
            some = ", ".join(sorted(by_name)[:20])
            raise OmniError(NOT_ENABLED, f"{absent[0]} is not among its models", fix=f"It has: {some}.")
        return tuple(by_name.get(name, ModelEntry(wire_name=name)) for name in wanted)
    hosted = provider.provider_class != "local"
    chosen = tuple(each for each in listed if not hosted or catalog.known(each.wire_name, provider.id))
    if not chosen:
        why = "none of its models is in the catalog" if listed else "it has no models yet"
        fix = "Name those you want: --model ID" if listed else "Load one, such as: ollama pull qwen3-coder:30b"
        raise OmniError(NOT_ENABLED, why, fix=fix)
    return chosen


def _change(settings: Settings, how: Callable[[tuple[EndpointEntry, ...]], tuple[EndpointEntry, ...]]) -> None:
    path = settings.home / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_suffix(".lock")):
        old = read_models_file(path)
        changed = old.model_copy(update={"endpoint": how(old.endpoint)})
        write_atomic(path, HEAD + "".join(_written(changed)), 0o600)


def _written(file: ModelsFile) -> Iterator[str]:
    """TOML of the file; a JSON string is a TOML string but for one character, DEL, which no name here has."""
    for gpu in file.gpu:
        yield "\n[[gpu]]\n"
        yield from _fields(gpu, exclude=set())
    for entry in file.endpoint:
        yield "\n[[endpoint]]\n"
        yield from _fields(entry, exclude={"models"})
        for model in entry.models:
            yield "[[endpoint.models]]\n"
            yield from _fields(model, exclude=set())


def _fields(entry: BaseModel, exclude: set[str]) -> Iterator[str]:
    for name, value in entry.model_dump(exclude=exclude).items():
        if value not in (None, "", ()):
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
