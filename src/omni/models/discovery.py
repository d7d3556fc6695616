"""Who listens at an address, and which models it has: asked of the server itself, read leniently.

Ollama, vLLM, SGLang and llama.cpp sign their lists of models (`owned_by`); LiteLLM says so at `/health/readiness`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import JsonValue, SecretStr

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.catalog import OPENAI_COMPATIBLE, Catalog, ModelEntry

SILENT = declare(
    "M030", "The endpoint does not answer", Exit.INCOMPLETE, "Start it, and check its address: curl BASE_URL/models"
)
SIGNATURES = {"library": "ollama", "vllm": "vllm", "sglang": "sglang", "llamacpp": "llama-cpp"}
"""`owned_by` in a list of models → who writes it."""
OLLAMA_CONTEXT = 4096
"""Tokens that Ollama keeps of a prompt unless it is told otherwise (https://docs.ollama.com/context-length); the rest
is cut without a word, so nothing more is believed until `omni models probe` has measured it."""

_SECONDS = 15.0
_MOST_BYTES = 16 << 20
_MOST_DETAILS = 64

Json = Mapping[str, JsonValue]


def address(given: str) -> str:
    """A base URL as a person gives it: `/v1` is added where there is no path, since that is where servers listen."""
    parts = urlsplit(given.strip())
    path = parts.path.rstrip("/") or "/v1"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def discover(base_url: str, key: SecretStr | None, catalog: Catalog) -> tuple[str, tuple[ModelEntry, ...]]:
    """The provider that listens at `base_url`, and the models it lists.

    Raises OmniError (M030) when nobody answers, or not with a list of models.
    """
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    own = _host(base_url) in _OWN
    with httpx.Client(headers=headers, timeout=_SECONDS, trust_env=not own) as client:
        listed = _listed(client, base_url)
        provider = _provider(client, base_url, listed, catalog)
        if provider == "ollama":
            return provider, tuple(_of_ollama(client, base_url, listed))
        window = _llama_cpp_window(client, base_url) if provider == "llama-cpp" else None
        return provider, tuple(_entry(each, window) for each in listed)


_OWN = ("localhost", "127.0.0.1", "::1")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _listed(client: httpx.Client, base_url: str) -> list[Json]:
    answer = _ask(client, "GET", f"{base_url}/models")
    data = answer.get("data")
    if not isinstance(data, list):
        raise OmniError(SILENT, "it answers, but not with a list of models", where=f"{base_url}/models")
    return [each for each in data if isinstance(each, dict) and _printable(each.get("id"))]


def _printable(name: JsonValue) -> bool:
    return isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable()


def _provider(client: httpx.Client, base_url: str, listed: list[Json], catalog: Catalog) -> str:
    """By its address where that is a hosted provider's, else by how it signs."""
    for provider in catalog.providers:
        if provider.provider_class != "local" and _host(provider.base_url) == _host(base_url):
            return provider.id
    owners = {str(each.get("owned_by")) for each in listed}
    if len(owners) == 1 and (signed := SIGNATURES.get(owners.pop())):
        return signed
    if listed and all(each.get("owned_by") == "openai" for each in listed):
        health = _try(client, "GET", f"{_root(base_url)}/health/readiness")
        if "litellm_version" in health:
            return "litellm"
    return OPENAI_COMPATIBLE


def _entry(listed: Json, window: int | None) -> ModelEntry:
    context = window or _number(listed.get("max_model_len")) or _number(listed.get("context_length"))
    return ModelEntry(wire_name=str(listed["id"]), context=context)


def _of_ollama(client: httpx.Client, base_url: str, listed: list[Json]) -> Iterator[ModelEntry]:
    """With what Ollama says of each: https://docs.ollama.com/api (show, ps)."""
    running = _try(client, "GET", f"{_root(base_url)}/api/ps").get("models")
    loaded = {each.get("name"): each for each in running if isinstance(each, dict)} if isinstance(running, list) else {}
    for each in listed[:_MOST_DETAILS]:
        name = str(each["id"])
        shown = _try(client, "POST", f"{_root(base_url)}/api/show", {"model": name})
        said = shown.get("capabilities")
        abilities = said if isinstance(said, list) else None
        set_by_hand = re.search(r"^num_ctx\s+(\d+)", str(shown.get("parameters", "")), re.MULTILINE)
        window = _number(loaded.get(name, {}).get("context_length")) or (int(set_by_hand[1]) if set_by_hand else None)
        yield ModelEntry(
            wire_name=name,
            context=window or OLLAMA_CONTEXT,
            tools=None if abilities is None else "tools" in abilities,
            vision=None if abilities is None else "vision" in abilities,
            kind="embedding" if abilities is not None and "embedding" in abilities else None,
        )


def _llama_cpp_window(client: httpx.Client, base_url: str) -> int | None:
    """Tokens of one slot, as `/props` has it (llama.cpp, tools/server/README.md)."""
    settings = _try(client, "GET", f"{_root(base_url)}/props").get("default_generation_settings")
    return _number(settings.get("n_ctx")) if isinstance(settings, dict) else None


def _number(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _root(base_url: str) -> str:
    return base_url.removesuffix("/v1")


def _try(client: httpx.Client, method: str, url: str, body: Json | None = None) -> Json:
    """What would be good to know, and is left where it can't be had."""
    try:
        return _ask(client, method, url, body)
    except OmniError:
        return {}


def _ask(client: httpx.Client, method: str, url: str, body: Json | None = None) -> Json:
    """A JSON object. Redirects are not followed: the key is for this address only. Raises OmniError (M030)."""
    try:
        with client.stream(method, url, json=body) as response:
            content = bytearray()
            for piece in response.iter_bytes():
                content += piece
                if len(content) > _MOST_BYTES:
                    raise OmniError(SILENT, f"its answer is larger than {_MOST_BYTES >> 20} MiB", where=url)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise OmniError(SILENT, str(problem) or type(problem).__name__, where=url) from problem
    if response.status_code in (401, 403):
        fix = "Give the name of the variable that holds your key: --key-env NAME"
        raise OmniError(SILENT, f"it wants another key (HTTP {response.status_code})", where=url, fix=fix)
    if not response.is_success:
        raise OmniError(SILENT, f"HTTP {response.status_code}", where=url)
    try:
        answer = json.loads(content)
    except ValueError as problem:
        raise OmniError(SILENT, f"its answer is no JSON: {problem}", where=url) from problem
    return answer if isinstance(answer, dict) else {}
