"""Who could answer, and who may: the shipped facts about providers and models, and the endpoints a person enabled.

The facts are `catalog/*.toml`, each with its source; what nobody published is not there. The enabled endpoints are
`models.toml` in the Omni home. Nothing is enabled by default, and nobody else is ever asked.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.errors import BAD_MODELS_FILE
from omni.models.wire import Capability, Model

ProviderClass = Literal["local", "high-speed", "aggregator", "community"]
"""In the order in which they are asked: one's own machines, fast hosts, resellers of many hosts, free offers."""

FILE_NAME = "models.toml"
OPENAI_COMPATIBLE = "openai-compatible"
"""The provider of an endpoint that is none of the catalog's."""

_SHIPPED = Path(__file__).with_name("catalog")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Provider(Model):
    """Somebody who serves models, or a program that does."""

    id: str
    title: str
    provider_class: ProviderClass
    base_url: str = ""
    """Up to and with `/v1`; empty where each user has an address of their own."""
    key: str = ""
    """Name of the environment variable, or of a file in `secrets` of the Omni home; empty: no key is needed."""
    serves: Literal["", "weights"] = ""
    """`weights`: it calls a model as the repository of its weights is called, as vLLM does."""
    source: str
    """URL of the page that says so."""
    daily_tokens: int | None = None
    requests_per_minute: int | None = None
    note: str = ""


class CatalogModel(Model):
    """One model as one provider serves it. None: not known, and not guessed."""

    id: str
    provider: str = ""
    wire_name: str
    """What the provider calls it; empty where nobody is known to serve it."""
    title: str = ""
    family: str = ""
    kind: Literal["chat", "embedding"] = "chat"
    capability: Capability = "fast"
    context: int | None = Field(default=None, gt=0)
    """Tokens of prompt and reply together."""
    tools: bool | None = None
    vision: bool | None = None
    price_prompt: float | None = Field(default=None, ge=0)
    """US dollars for a million tokens; zero on one's own machine."""
    price_completion: float | None = Field(default=None, ge=0)
    vram_gb: float | None = Field(default=None, ge=0)
    """GiB for the weights as `vram_of` says; the context comes on top."""
    vram_of: str = ""
    note: str = ""
    source: str = ""


class Enabled(Model):
    """An endpoint that a person enabled by name: the only kind that is ever asked."""

    name: str
    """As the person calls it, in `--model NAME`."""
    provider: str
    provider_class: ProviderClass
    base_url: str
    keys: tuple[str, ...] = ()
    """References, never values: `omni.models.keys` reads them. Several are used in turn."""
    models: tuple[CatalogModel, ...]
    """With what the person set in place of the catalog's facts."""
    daily_tokens: int | None = None
    requests_per_minute: int | None = None

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine: what may be asked when Omni is told to stay offline."""
        return urlsplit(self.base_url).hostname in _LOOPBACK


class Catalog(Model):
    providers: tuple[Provider, ...]
    models: tuple[CatalogModel, ...]
    """Every model at every provider that is known to serve it."""
    enabled: tuple[Enabled, ...] = ()
    """In the order of the file."""

    def find(self, name: str) -> tuple[tuple[Enabled, CatalogModel], ...]:
        """The enabled models that a person may mean by `name`; none when there is none.

        `name` is an endpoint, a model's id, the provider's name of it, or `endpoint/model` or `provider/model`.
        """
        return tuple((place, model) for place, model in self.offers() if name in _names(place, model))

    def offers(self) -> Iterator[tuple[Enabled, CatalogModel]]:
        """Every enabled model with its endpoint."""
        return ((place, model) for place in self.enabled for model in place.models)

    def known(self, name: str, provider: str = "") -> CatalogModel | None:
        """The catalog's facts of the model that a server calls `name`, as `provider` serves it where that is known."""
        wanted = _plain(name)
        alike = [model for model in self.models if wanted and wanted in (_plain(model.wire_name), _plain(model.id))]
        return next((model for model in alike if model.provider == provider), alike[0] if alike else None)

    def provider(self, name: str) -> Provider | None:
        return next((provider for provider in self.providers if provider.id == name), None)


class EndpointEntry(Model):
    """An endpoint as `models.toml` has it."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    provider: str = OPENAI_COMPATIBLE
    base_url: str
    keys: tuple[Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,64}$")], ...] = ()
    """Names in capitals, so that a key that is pasted in their place is refused."""
    daily_tokens: int | None = None
    requests_per_minute: int | None = None
    models: tuple[ModelEntry, ...] = ()

    @field_validator("base_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not an http or https address")
        if parts.username or parts.password or parts.query:
            raise ValueError('holds a password or a query; keys are given by name (keys = ["NAME"])')
        return value.rstrip("/")

    @model_validator(mode="after")
    def _keys_are_kept_from_others(self) -> EndpointEntry:
        if (
            self.keys
            and not self.base_url.startswith("https:")
            and not _private(urlsplit(self.base_url).hostname or "")
        ):
            raise ValueError("base_url: a key would go unencrypted over a foreign network; use https")
        return self


class ModelEntry(Model):
    """A model as `models.toml` has it: its name on the wire, and what the person knows better than the catalog."""

    wire_name: str
    id: str = ""
    capability: Capability | None = None
    context: int | None = Field(default=None, gt=0)
    tools: bool | None = None
    vision: bool | None = None
    kind: Literal["chat", "embedding"] | None = None
    price_prompt: float | None = Field(default=None, ge=0)
    price_completion: float | None = Field(default=None, ge=0)
    vram_gb: float | None = Field(default=None, ge=0)


class GpuEntry(Model):
    """A GPU as a person declares it, where no tool of this machine can say what it has."""

    name: str
    vram_gb: float = Field(gt=0)
    jobs: int = Field(default=1, ge=1)
    """Calls that a model on it serves at a time: 1, unless its server works on several side by side, as vLLM does."""


class ModelsFile(Model):
    """`models.toml`."""

    endpoint: tuple[EndpointEntry, ...] = ()
    gpu: tuple[GpuEntry, ...] = ()

    @field_validator("endpoint")
    @classmethod
    def _one_name_each(cls, value: tuple[EndpointEntry, ...]) -> tuple[EndpointEntry, ...]:
        names = [entry.name for entry in value]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two endpoints are called {', '.join(sorted(twice))}")
        return value


class _Offer(Model):
    """A model at one provider, where it differs from the model's own facts."""

    name: str
    context: int | None = None
    price_prompt: float | None = None
    price_completion: float | None = None
    source: str = ""


class _ModelFacts(Model):
    """A model in the catalog's files, once, with everybody who serves it."""

    id: str
    title: str
    family: str
    kind: Literal["chat", "embedding"] = "chat"
    capability: Capability
    context: int | None = None
    tools: bool | None = None
    vision: bool | None = None
    vram_gb: float | None = None
    vram_of: str = ""
    weights: str = ""
    """Repository of the weights, where they are published."""
    note: str = ""
    source: str
    at: dict[str, str | _Offer] = Field(default={})
    """Provider → its name of the model, with what else it says."""


class _Facts(Model):
    provider: tuple[Provider, ...] = ()
    model: tuple[_ModelFacts, ...] = ()


def load_catalog(settings: Settings) -> Catalog:
    """The shipped facts, and what is enabled in this Omni home. Raises OmniError (M004) for a bad `models.toml`."""
    shipped = shipped_catalog()
    entries = read_models_file(settings.home / FILE_NAME).endpoint
    return shipped.model_copy(update={"enabled": tuple(_enabled(shipped, entry) for entry in entries)})


@cache
def shipped_catalog() -> Catalog:
    """The facts that come with Omni; nothing is enabled in it."""
    parts = [_Facts.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in sorted(_SHIPPED.glob("*.toml"))]
    providers = tuple(provider for part in parts for provider in part.provider)
    facts = [model for part in parts for model in part.model]
    return Catalog(providers=providers, models=tuple(each for model in facts for each in _offered(model, providers)))


def read_models_file(path: Path) -> ModelsFile:
    """What is enabled; nothing where there is no file. Raises OmniError (M004)."""
    try:
        return ModelsFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return ModelsFile()
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        said = "there is no such field" if problem["type"] == "extra_forbidden" else problem["msg"]
        why = f"{'.'.join(map(str, problem['loc']))}: {said.removeprefix('Value error, ')}"
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = str(error)
    raise OmniError(BAD_MODELS_FILE, why, where=str(path))


def _private(host: str) -> bool:
    """Whether a host is in one's own network: an address of RFC 1918 and the like, or a name without a domain."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _offered(facts: _ModelFacts, providers: tuple[Provider, ...]) -> Iterator[CatalogModel]:
    shared = facts.model_dump(exclude={"at", "weights"})
    by_weights = {each.id: facts.weights for each in providers if each.serves == "weights" and facts.weights}
    for provider, offer in ((by_weights | facts.at) or {"": ""}).items():
        own = {"name": offer} if isinstance(offer, str) else offer.model_dump(exclude_unset=True)
        yield CatalogModel.model_validate(shared | {"provider": provider, "wire_name": own.pop("name")} | own)


def _enabled(shipped: Catalog, entry: EndpointEntry) -> Enabled:
    provider = shipped.provider(entry.provider)
    if provider is None:
        known = ", ".join(sorted(each.id for each in shipped.providers))
        raise OmniError(
            BAD_MODELS_FILE, f"{entry.name}: there is no provider {entry.provider}", fix=f"Use one of: {known}."
        )
    return Enabled(
        name=entry.name,
        provider=provider.id,
        provider_class=provider.provider_class,
        base_url=entry.base_url,
        keys=entry.keys,
        models=tuple(_model(shipped, provider, model) for model in entry.models),
        daily_tokens=entry.daily_tokens or provider.daily_tokens,
        requests_per_minute=entry.requests_per_minute or provider.requests_per_minute,
    )


def _model(shipped: Catalog, provider: Provider, entry: ModelEntry) -> CatalogModel:
    """The catalog's facts, then what the person says; a model of one's own costs nothing a token."""
    known = shipped.known(entry.id or entry.wire_name, provider.id)
    facts = known.model_dump() if known else {"id": _plain(entry.wire_name)}
    if known and known.provider != provider.id:
        facts |= {"price_prompt": None, "price_completion": None}
    if provider.provider_class == "local":
        facts |= {"price_prompt": 0.0, "price_completion": 0.0}
    said = {name: value for name, value in entry.model_dump().items() if value not in (None, "")}
    return CatalogModel.model_validate(facts | {"provider": provider.id} | said)


def _names(place: Enabled, model: CatalogModel) -> tuple[str, ...]:
    short = (model.id, model.wire_name)
    return (place.name, *short, *(f"{whose}/{name}" for whose in (place.name, place.provider) for name in short))


def _plain(name: str) -> str:
    """A model's name without its owner and a `:latest`, in small letters."""
    return name.lower().removesuffix(":latest").rpartition("/")[2]
