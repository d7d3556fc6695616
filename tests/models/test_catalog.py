from __future__ import annotations

from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import Catalog, load_catalog, shipped_catalog
from omni.models.keys import read_key

NAMED = {
    "kimi-k2.5": "heavy",
    "deepseek-v3.2": "heavy",
    "deepseek-v3.2-exp": "heavy",
    "devstral-2": "heavy",
    "qwen3-coder-235b": "heavy",
    "glm-4.6": "balanced",
    "minimax-m2": "balanced",
    "gpt-oss-120b": "balanced",
    "devstral-small-2": "balanced",
    "glm-4.7": "balanced",
    "qwen3-coder-30b": "fast",
    "qwen2.5-72b": "fast",
    "deepseek-coder-v2": "fast",
}
"""Every model that the requirements name, with what it is asked for."""


def home(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "models.toml").write_text(text)
    return Settings(home=tmp_path, database_url="sqlite://")


def test_the_shipped_facts_hold_together() -> None:
    catalog = shipped_catalog()
    providers = {provider.id: provider for provider in catalog.providers}
    assert len(providers) == len(catalog.providers) >= 50
    assert {"ollama", "vllm", "sglang", "litellm", "llama-cpp"} <= {
        each.id for each in catalog.providers if each.provider_class == "local"
    }
    classes = {name: providers[name].provider_class for name in ("groq", "gemini", "mistral", "openrouter", "together")}
    assert set(classes.values()) == {"high-speed", "aggregator"}
    assert providers["apifreellm"].provider_class == "community"
    for provider in catalog.providers:
        assert provider.source.startswith("https://"), provider.id
        assert provider.base_url == provider.base_url.rstrip("/"), provider.id
        if provider.provider_class != "local":
            assert provider.key, f"{provider.id}: where is its key?"
            assert not provider.base_url.startswith("http:"), provider.id
    for model in catalog.models:
        assert model.source.startswith("https://"), model.id
        assert not model.provider or model.provider in providers, model.id
    assert len({(model.id, model.provider) for model in catalog.models}) == len(catalog.models)
    assert catalog.enabled == ()


def test_every_model_that_is_asked_for_is_listed_with_what_it_is_for() -> None:
    found = {model.id: model.capability for model in shipped_catalog().models}
    assert {name: found[name] for name in NAMED} == NAMED
    kinds = {model.id: model.kind for model in shipped_catalog().models}
    assert {kinds[name] for name in ("nomic-embed-code", "starencoder", "codebert")} == {"embedding"}
    sees = {model.id: model.vision for model in shipped_catalog().models}
    assert (sees["devstral-small-2"], sees["glm-4.7"], sees["glm-4.6v"]) == (True, False, True)


def test_nothing_is_enabled_without_a_file(tmp_path: Path) -> None:
    assert load_catalog(Settings(home=tmp_path, database_url="sqlite://")).enabled == ()


TWO = """
[[endpoint]]
name = "local"
provider = "ollama"
base_url = "http://127.0.0.1:11434/v1/"
[[endpoint.models]]
wire_name = "qwen3-coder:30b"
context = 32768
[[endpoint.models]]
wire_name = "somebody/My-Own:latest"

[[endpoint]]
name = "fast"
provider = "groq"
base_url = "https://api.groq.com/openai/v1"
keys = ["GROQ_API_KEY", "GROQ_SECOND"]
requests_per_minute = 30
[[endpoint.models]]
wire_name = "openai/gpt-oss-120b"
"""


def test_what_is_enabled_has_the_facts_of_the_catalog_and_what_the_person_says(tmp_path: Path) -> None:
    local, fast = load_catalog(home(tmp_path, TWO)).enabled
    assert (local.base_url, local.loopback, local.provider_class) == ("http://127.0.0.1:11434/v1", True, "local")
    coder, own = local.models
    assert (coder.id, coder.context, coder.tools, coder.price_prompt) == ("qwen3-coder-30b", 32768, True, 0)
    assert (own.id, own.context, own.tools, own.capability) == ("my-own", None, None, "fast")
    (oss,) = fast.models
    assert (fast.loopback, fast.keys, fast.requests_per_minute) == (False, ("GROQ_API_KEY", "GROQ_SECOND"), 30)
    assert (oss.id, oss.price_prompt, oss.price_completion) == ("gpt-oss-120b", 0.15, 0.6)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("local", ["qwen3-coder-30b", "my-own"]),
        ("qwen3-coder-30b", ["qwen3-coder-30b"]),
        ("qwen3-coder:30b", ["qwen3-coder-30b"]),
        ("local/qwen3-coder-30b", ["qwen3-coder-30b"]),
        ("ollama/qwen3-coder-30b", ["qwen3-coder-30b"]),
        ("groq/openai/gpt-oss-120b", ["gpt-oss-120b"]),
        ("fast/qwen3-coder-30b", []),
        ("kimi-k2.5", []),
    ],
)
def test_a_name_means_enabled_models_only(tmp_path: Path, name: str, meant: list[str]) -> None:
    catalog: Catalog = load_catalog(home(tmp_path, TWO))
    assert [model.id for _, model in catalog.find(name)] == meant


def bad(tmp_path: Path, text: str) -> tuple[str, str]:
    with pytest.raises(OmniError) as caught:
        load_catalog(home(tmp_path, text))
    return caught.value.kind.code, caught.value.why


def test_a_bad_file_says_what_is_wrong(tmp_path: Path) -> None:
    place = '[[endpoint]]\nname = "a"\nbase_url = '
    found = [
        bad(tmp_path, "[[endpoint]"),
        bad(tmp_path, f'{place}"ftp://x"'),
        bad(tmp_path, f'{place}"http://me:secret@x/v1"'),
        bad(tmp_path, f'{place}"http://x/v1?key=secret"'),
        bad(tmp_path, f'{place}"http://x"\nprovider = "nobody"'),
        bad(tmp_path, f'{place}"http://x"\nkey = "sk-secret"'),
        bad(tmp_path, f'{place}"http://x"\n{place}"http://y"'),
    ]
    assert all("secret" not in why for _, why in found)
    assert [(code, why.partition(" (at")[0][:75]) for code, why in found] == snapshot(
        [
            ("M004", "Expected ']]' at the end of an array declaration"),
            ("M004", "endpoint.0.base_url: is not an http or https address"),
            ("M004", "endpoint.0.base_url: holds a password or a query; keys are given by name (k"),
            ("M004", "endpoint.0.base_url: holds a password or a query; keys are given by name (k"),
            ("M004", "a: there is no provider nobody"),
            ("M004", "endpoint.0.key: there is no such field"),
            ("M004", "endpoint: two endpoints are called a"),
        ]
    )


def test_keys_are_found_by_name_and_kept_from_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "GROQ").write_text("from-file\n")
    (folder / "GROQ").chmod(0o600)
    (folder / "OPEN").write_text("seen")
    (folder / "OPEN").chmod(0o640)
    (folder / "LINK").symlink_to(folder / "GROQ")
    found = read_key(tmp_path, "GROQ", {})
    assert found is not None
    assert (found.get_secret_value(), "from-file" in repr(found)) == ("from-file", False)
    said = read_key(tmp_path, "GROQ", {"GROQ": "from-environment"})
    assert said is not None
    assert said.get_secret_value() == "from-environment"
    assert read_key(tmp_path, "ABSENT", {}) is None
    for name in ("OPEN", "LINK", "../secrets/GROQ", "/etc/passwd", "", "..", "a/b"):
        with pytest.raises(OmniError) as caught:
            read_key(tmp_path, name, {})
        assert caught.value.kind.code == "M006"
