"""Every model that the requirements name, asked by its name and by what it is for, through the real router."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.models.test_catalog import NAMED

from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import shipped_catalog
from omni.models.gateway import Gateway, open_gateway
from omni.models.probing import route
from omni.models.script import Rule, Script, serve
from omni.models.wire import Attribution, Capability, ChatReply, ChatRequest, ImagePart, Message, TextPart, Want

SERVED = {
    model.id: model.wire_name for model in shipped_catalog().models if model.provider == "vllm" and model.id in NAMED
}
ANSWERS = tuple(
    Rule.model_validate({"match": {"model": name}, "reply": f"I am {name}", "times": 0}) for name in SERVED.values()
)
CLASSES = {"ollama": "local", "groq": "high-speed", "openrouter": "aggregator", "apifreellm": "community"}


def enable(home: Path, **places: tuple[str, str, tuple[str, ...]]) -> Settings:
    """Endpoints by name: provider, address, names on the wire."""
    home.mkdir(exist_ok=True)
    text = ""
    for name, (provider, url, models) in places.items():
        text += f'[[endpoint]]\nname = "{name}"\nprovider = "{provider}"\nbase_url = "{url}"\n'
        text += "".join(f'[[endpoint.models]]\nwire_name = "{model}"\n' for model in models)
    (home / "models.toml").write_text(text)
    return Settings(home=home, database_url=f"sqlite:///{home / 'omni.db'}")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One vLLM with every named model."""
    home = tmp_path_factory.mktemp("named")
    with serve(Script(rules=ANSWERS, models=tuple(SERVED.values()))) as url:
        settings = enable(home, gpu=("vllm", url, tuple(SERVED.values())))
        engine = open_database(settings)
        with open_gateway(settings, engine) as opened:
            yield opened
        engine.dispose()


def ask(gateway: Gateway, want: Want, content: str | tuple[TextPart | ImagePart, ...] = "Who are you?") -> ChatReply:
    request = ChatRequest(messages=(Message(role="user", content=content),))
    return gateway.chat(request, want, Attribution(project="p"))


def test_each_is_answered_by_itself(gateway: Gateway) -> None:
    replies = {name: ask(gateway, Want(model=name)) for name in SERVED}
    assert {name: reply.model for name, reply in replies.items()} == {name: name for name in SERVED}
    assert {name: reply.message.content for name, reply in replies.items()} == {
        name: f"I am {wire}" for name, wire in SERVED.items()
    }
    assert all(reply.fallbacks == () for reply in replies.values())


def test_one_without_weights_is_never_answered_by_another(gateway: Gateway) -> None:
    assert set(NAMED) - set(SERVED) == {"qwen3-coder-235b"}
    with pytest.raises(OmniError) as caught:
        ask(gateway, Want(model="qwen3-coder-235b"))
    assert caught.value.kind.code == "M005"


@pytest.mark.parametrize("capability", ["fast", "balanced", "heavy"])
def test_what_is_asked_for_is_what_answers(gateway: Gateway, capability: Capability) -> None:
    reply = ask(gateway, Want(capability=capability))
    assert (NAMED[reply.model], reply.fallbacks) == (capability, ())


def test_a_capability_that_nobody_has_is_answered_with_a_note(tmp_path: Path) -> None:
    with serve(Script(rules=ANSWERS)) as url:
        settings = enable(tmp_path, gpu=("vllm", url, (SERVED["qwen2.5-72b"],)))
        engine = open_database(settings)
        with open_gateway(settings, engine) as gateway:
            reply = ask(gateway, Want(capability="heavy"))
        engine.dispose()
    assert (reply.model, reply.fallbacks) == ("qwen2.5-72b", ("heavy: no enabled model of this capability answers",))


PICTURE = ImagePart(media_type="image/png", data="iVBORw0KGgo=")


def test_pictures_go_to_who_sees(gateway: Gateway, tmp_path: Path) -> None:
    """Devstral Small 2 and Kimi K2.5 do; GLM-4.7 reads text only, whatever it was named for."""
    reply = ask(gateway, Want(vision=True), (TextPart(text="What is this?"), PICTURE))
    assert reply.model == "devstral-small-2"
    settings = enable(tmp_path, gpu=("vllm", "http://127.0.0.1:9/v1", (SERVED["glm-4.7"],)))
    (only,) = route(settings, Want(vision=True), tokens=10)
    assert (only.place, only.why) == (0, "it sees no pictures")


def test_own_machines_first_then_fast_hosts_then_resellers_then_free_offers(tmp_path: Path) -> None:
    names = {"ollama": "gpt-oss:120b"}
    places = {
        provider: (provider, f"http://127.0.0.1:{9000 + number}/v1", (names.get(provider, "openai/gpt-oss-120b"),))
        for number, provider in enumerate(reversed(CLASSES))
    }
    settings = enable(tmp_path, **places)
    assert [each.endpoint for each in route(settings, Want(), 10)] == [f"{name}/gpt-oss-120b" for name in CLASSES]
    assert shipped_catalog().enabled == (), "and without being enabled, nobody"
