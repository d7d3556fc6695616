from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.models.listening import listen

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import ModelEntry, load_catalog, shipped_catalog
from omni.models.discovery import address, discover
from omni.models.enabling import Wish, add, doctor_row, note, remove
from omni.models.script import Script, serve


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate({"home": tmp_path, "database_url": "sqlite://", **more})


def listed(owner: str, *names: str, **more: object) -> dict[str, object]:
    return {"object": "list", "data": [{"id": name, "owned_by": owner, **more} for name in names]}


def found(answers: dict[str, object]) -> tuple[str, list[dict[str, Any]]]:
    with listen(answers) as url:
        provider, models = discover(f"{url}/v1", None, shipped_catalog())
    return provider, [each.model_dump(exclude_none=True, exclude_defaults=True) for each in models]


def test_ollama_is_known_and_no_more_context_is_believed_than_it_keeps() -> None:
    answers = {
        "/v1/models": listed("library", "qwen3-coder:30b", "gemma3:12b", "tuned:latest", "nomic-embed-text:latest"),
        "/api/ps": {"models": [{"name": "gemma3:12b", "context_length": 16384}]},
        "/api/show": {"capabilities": ["completion", "tools"], "parameters": "temperature 0.7\nnum_ctx     8192\n"},
    }
    provider, models = found(answers)
    assert provider == "ollama"
    assert models[:2] == [
        {"wire_name": "qwen3-coder:30b", "context": 8192, "tools": True, "vision": False},
        {"wire_name": "gemma3:12b", "context": 16384, "tools": True, "vision": False},
    ]
    embeds = {"capabilities": ["embedding"]}
    assert found({"/v1/models": listed("library", "x"), "/api/show": embeds})[1] == [
        {"wire_name": "x", "context": 4096, "tools": False, "vision": False, "kind": "embedding"}
    ]
    assert found({"/v1/models": listed("library", "x")})[1] == [{"wire_name": "x", "context": 4096}]


def test_the_others_are_known_by_how_they_sign() -> None:
    model = "Qwen/Qwen3-Coder-30B-A3B-Instruct"
    assert found({"/v1/models": listed("vllm", model, max_model_len=65536)}) == (
        "vllm",
        [{"wire_name": model, "context": 65536}],
    )
    assert found({"/v1/models": listed("sglang", model, max_model_len=32768)})[0] == "sglang"
    props = {"default_generation_settings": {"n_ctx": 12288}}
    assert found({"/v1/models": listed("llamacpp", "m.gguf"), "/props": props}) == (
        "llama-cpp",
        [{"wire_name": "m.gguf", "context": 12288}],
    )
    health = {"status": "connected", "litellm_version": "1.109.1"}
    assert found({"/v1/models": listed("openai", "a"), "/health/readiness": health})[0] == "litellm"
    assert found({"/v1/models": listed("openai", "a")}) == ("openai-compatible", [{"wire_name": "a"}])
    assert found({"/v1/models": listed("organization_owner", "b")})[0] == "openai-compatible"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("<html>", "its answer is no JSON"),
        ([1, 2], "it answers, but not with a list of models"),
        ({"data": "none"}, "it answers, but not with a list of models"),
        (401, "it wants another key (HTTP 401)"),
        (500, "HTTP 500"),
        (302, "HTTP 302"),
    ],
    ids=str,
)
def test_what_is_no_list_of_models(answer: object, why: str) -> None:
    with pytest.raises(OmniError) as caught:
        found({"/v1/models": answer})
    assert caught.value.kind.code == "M030"
    assert caught.value.why.startswith(why)


def test_hostile_names_are_left_out() -> None:
    data: list[object] = [{"id": "a\x1b[2J"}, {"id": 7}, {"id": ""}, "x", {"id": "x" * 201}, {"id": 'a"b'}]
    assert found({"/v1/models": {"data": data}})[1] == [{"wire_name": 'a"b'}]


def test_addresses_as_people_write_them() -> None:
    given = ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/", " https://x.example/api/v2?a=b ")
    assert [address(each) for each in given] == [
        "http://127.0.0.1:11434/v1",
        "http://127.0.0.1:11434/v1",
        "https://x.example/api/v2",
    ]


def test_add_note_and_remove(tmp_path: Path) -> None:
    here = settings(tmp_path)
    (tmp_path / "models.toml").write_text('[[gpu]]\nname = "card"\nvram_gb = 24\n')
    with serve(Script(models=("qwen3-coder:30b", 'odd "name" \\ ü'))) as url:
        place = add(here, Wish(name="local", base_url=url))
        add(here, Wish(name="other", base_url=url, models=("qwen3-coder:30b",)))
        assert add(here, Wish(name="local", base_url=url)) == place
    assert [model.id for model in place.models] == ["qwen3-coder-30b", 'odd "name" \\ ü']
    note(here, "local", "qwen3-coder:30b", ModelEntry(wire_name="qwen3-coder:30b", context=9000, tools=False))
    again = load_catalog(here)
    assert [each.name for each in again.enabled] == ["other", "local"]
    noted = again.enabled[1].models[0]
    assert (noted.context, noted.tools, again.enabled[0].models[0].context) == (9000, False, 262144)
    assert (tmp_path / "models.toml").stat().st_mode & 0o777 == 0o600
    assert '[[gpu]]\nname = "card"\nvram_gb = 24.0\n' in (tmp_path / "models.toml").read_text()
    remove(here, "local")
    assert [each.name for each in load_catalog(here).enabled] == ["other"]
    with pytest.raises(OmniError, match="no endpoint is called local"):
        remove(here, "local")


def refused(here: Settings, **wish: object) -> tuple[str, str]:
    with pytest.raises(OmniError) as caught:
        add(here, Wish.model_validate({"name": "local", **wish}))
    assert load_catalog(here).enabled == ()
    return caught.value.kind.code, caught.value.why


def test_what_is_not_enabled(tmp_path: Path) -> None:
    here = settings(tmp_path)
    with serve(Script(models=("a", "b"))) as url:
        assert refused(here, base_url=url, models=("c",)) == ("M032", "c is not among its models")
        assert refused(here, base_url=url, name="No Name")[0] == "M032"
        assert refused(here, base_url=url, provider="nobody") == ("M032", "there is no provider nobody")
        assert refused(here, base_url=url, keys=("ABSENT",)) == ("M032", "there is no key called ABSENT")
    with serve(Script(models=())) as url:
        assert refused(here, base_url=url) == ("M032", "it has no models yet")
    assert refused(here, base_url=url)[0] == "M030", "nobody listens there any more"
    assert refused(here) == ("M032", "local has no address")
    assert refused(here, base_url="ftp://x")[1] == "base_url: is not an http or https address"
    away = settings(tmp_path, offline=True)
    assert refused(away, base_url="https://api.example/v1") == ("M032", "Omni is told to stay offline")


def test_a_key_goes_to_its_endpoint_alone_and_into_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-canary")
    asked: list[tuple[str, str, Any]] = []
    with listen({"/v1/models": listed("x", "m")}, asked) as url:
        place = add(settings(tmp_path), Wish(name="mine", base_url=url, keys=("MY_KEY",)))
    assert asked == [("GET", "/v1/models sk-canary", "")]
    assert place.keys == ("MY_KEY",)
    assert "sk-canary" not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    for wrong in (
        Wish(name="far", base_url="http://models.example/v1", keys=("MY_KEY",)),
        Wish(name="far", base_url="https://models.example/v1", keys=("sk-proj-canary",)),
    ):
        with pytest.raises(OmniError) as caught:
            add(settings(tmp_path), wrong)
        assert (caught.value.kind.code, "canary" in str(caught.value)) == ("M032", False)
    assert [each.name for each in load_catalog(settings(tmp_path)).enabled] == ["mine"]


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    here = settings(tmp_path)
    with listen({"/v1/models": listed("x", "m")}) as url:
        threads = [
            threading.Thread(target=add, args=(here, Wish(name=f"place-{number}", base_url=url))) for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(each.name for each in load_catalog(here).enabled) == [f"place-{number}" for number in range(6)]


def test_the_doctor(tmp_path: Path) -> None:
    here = settings(tmp_path)
    none = doctor_row(here)
    assert (none.ok, none.required, none.found) == (True, False, "none enabled, which is fine: templates need none")
    with serve(Script(models=("a", "b"))) as url:
        add(here, Wish(name="local", base_url=url))
    assert doctor_row(here).found == "local (2 at openai-compatible)"
    (tmp_path / "models.toml").write_text("[[")
    assert (doctor_row(here).ok, str(tmp_path / "models.toml") in doctor_row(here).found) == (False, True)
