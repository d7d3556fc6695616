"""What the router costs and what it saves: beside a direct call and beside the LiteLLM proxy, in turns, in one run.

.venv/bin/python benchmarks/router.py [calls]

Every way asks the same scripted provider, a process of its own, over real connections. LiteLLM comes pinned into an
environment that is thrown away; where it can't be had, its column says so.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx

from omni.kernel.database import open_database
from omni.kernel.processes import clean_env
from omni.kernel.settings import Settings
from omni.models.budget import Budget
from omni.models.catalog import Catalog, CatalogModel, Enabled
from omni.models.gateway import AsyncGateway, open_async_gateway
from omni.models.tokens import token
from omni.models.wire import Attribution, ChatRequest, Message, Want

LITELLM = "litellm[proxy]==1.106.2"
PROVIDER = Path(__file__).with_name("router_provider.py")
FAULTS = ("refuse", "500", "hang", "late")
"""Nobody listens; HTTP 500; silence from the first question on; silence after twenty good answers."""
GOOD_BEFORE_LATE = 20
AT_ONCE = 100

Ask = Callable[[], Awaitable[None]]


def body(model: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True}


def client() -> httpx.AsyncClient:
    """It keeps as many connections as there are streams, as the router does."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    return httpx.AsyncClient(trust_env=False, timeout=60, limits=limits)


async def read_direct(http: httpx.AsyncClient, base: str, key: str, model: str) -> None:
    """A streamed call as a program makes it that knows one provider: each event is parsed, the text is joined."""
    text = []
    headers = {"Authorization": f"Bearer {key}"}
    async with http.stream("POST", f"{base}/chat/completions", json=body(model), headers=headers) as response:
        if response.status_code != 200:
            raise SystemExit(f"{base} {model}: HTTP {response.status_code} {(await response.aread())[:300]!r}")
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                if "error" in event:
                    raise SystemExit(f"{base} {model}: {line}")
                text.append((event["choices"] or [{}])[0].get("delta", {}).get("content") or "")
    if not "".join(text):
        raise SystemExit(f"{base} {model}: an empty answer")


@contextmanager
def process(argv: list[str], ready: str, seconds: float = 300, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, from the moment it answers at `ready`."""
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(argv, stdout=log, stderr=log, env=clean_env(**more))
        try:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    if httpx.get(ready, trust_env=False, timeout=2).status_code < 500:
                        break
                except httpx.HTTPError:
                    if running.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        raise SystemExit(f"{argv[0]} did not start:\n{log.read().decode()[-2000:]}") from None
                    time.sleep(0.05)
            yield running
        finally:
            running.terminate()
            running.wait()


def places(fault: str, provider: str) -> tuple[Enabled, ...]:
    """The bad one on one's own machine, the good one outside, so that the bad one is always asked first."""
    good = _place("good", "groq", f"{provider}/good/v1")
    where = "http://127.0.0.1:9/v1" if fault == "refuse" else f"{provider}/{fault}/v1"
    return (_place("bad", "vllm", where), good) if fault else (good,)


def _place(name: str, provider: str, url: str) -> Enabled:
    model = CatalogModel(id="m", wire_name="m", capability="balanced")
    kind = "local" if provider == "vllm" else "high-speed"
    return Enabled(name=name, provider=provider, provider_class=kind, base_url=url, models=(model,))


@contextmanager
def omni_served(fault: str, provider: str, folder: Path) -> Iterator[tuple[int, Ask]]:
    """`omni serve models` over the places of a fault: its process, and a call."""
    home, port = folder / f"home-{fault or 'good'}", _free_port()
    home.mkdir()
    (home / "models.toml").write_text(
        "".join(
            f'[[endpoint]]\nname = "{each.name}"\nprovider = "{each.provider}"\nbase_url = "{each.base_url}"\n'
            f'models = [{{wire_name = "m", id = "m", capability = "balanced"}}]\n\n'
            for each in places(fault, provider)
        )
    )
    settings = Settings(home=home, database_url=f"sqlite:///{home}/omni.db")
    key, http = token(settings), client()
    argv = [str(Path(sys.executable).with_name("omni")), "serve", "models", "--port", str(port)]
    with process(argv, f"http://127.0.0.1:{port}/health", OMNI_HOME=str(home)) as running:
        yield running.pid, lambda: read_direct(http, f"http://127.0.0.1:{port}/v1", key, "auto")


def litellm_environment(folder: Path) -> Path | None:
    """The folder of LiteLLM's programs; None, and why, where it can't be had."""
    uv = str(Path(sys.executable).with_name("uv"))
    for argv in (
        [uv, "venv", "-q", "--python", "3.11", str(folder)],
        [uv, "pip", "install", "-q", "--python", str(folder / "bin/python"), LITELLM],
    ):
        done = subprocess.run(argv, check=False, capture_output=True, text=True)  # with the user's own package index
        if done.returncode:
            print(f"LiteLLM is left out, it can't be installed:\n{done.stderr.strip()}")
            return None
    return folder / "bin"


@contextmanager
def litellm_served(programs: Path, provider: str, folder: Path) -> Iterator[tuple[int, Callable[[str], Ask]]]:
    """The LiteLLM proxy over the same places, `fault` falling back to `good`; no repetitions, 2 s until it gives up."""
    port, config = _free_port(), folder / "litellm.yaml"
    names = ("good", *FAULTS)
    urls = {name: f"{provider}/peer/{name}/v1" for name in names} | {"refuse": "http://127.0.0.1:9/v1"}
    models = [
        {"model_name": name, "litellm_params": {"model": "openai/m", "api_base": urls[name], "api_key": "none"}}
        for name in names
    ]
    fallbacks = [{name: ["good"]} for name in FAULTS]
    routing = {"num_retries": 0, "timeout": 2, "fallbacks": fallbacks}
    config.write_text(json.dumps({"model_list": models, "router_settings": routing}))
    argv = [str(programs / "litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    http, key = client(), f"sk-{secrets.token_hex(16)}"
    more = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": key}
    with process(argv, f"http://127.0.0.1:{port}/health/liveliness", **more) as running:
        yield running.pid, lambda model: lambda: read_direct(http, f"http://127.0.0.1:{port}/v1", key, model)


def gateway_call(gateway: AsyncGateway, run: str = "") -> Ask:
    request = ChatRequest(messages=(Message(role="user", content="hi"),))

    async def ask() -> None:
        await gateway.ask(request, Want(), Attribution(run=run))

    return ask


def router_call(gateway: AsyncGateway) -> Ask:
    request = ChatRequest(messages=(Message(role="user", content="hi"),))

    async def ask() -> None:
        await gateway.router.ask(request, Want())

    return ask


async def milliseconds(ask: Ask) -> float:
    began = time.perf_counter()
    await ask()
    return (time.perf_counter() - began) * 1000


async def overhead(ways: dict[str, Ask], calls: int) -> None:
    """Each way in turn, so that a busy moment of the machine meets all of them."""
    for ask in ways.values():
        for _ in range(5):
            await ask()
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(calls):
        for name, ask in ways.items():
            took[name].append(await milliseconds(ask))
    print(f"\nA streamed call, {calls} in turns   p50 ms   p99 ms   more than direct: p50      p99    p50 of direct")
    base = _percentiles(took["direct httpx"])
    for name, times in took.items():
        p50, p99 = _percentiles(times)
        more = f"{p50 - base[0]:18.2f} {p99 - base[1]:8.2f} {p50 / base[0]:15.2f}"
        print(f"{name:34} {p50:8.2f} {p99:8.2f}   {more}")


async def failover(ways: dict[str, dict[str, Ask]]) -> None:
    print("\nThe first endpoint fails, ms      first call    then: median      worst")
    for fault in FAULTS:
        for name, ask in ((name, asks[fault]) for name, asks in ways.items()):
            if fault == "late":
                for _ in range(GOOD_BEFORE_LATE):
                    await ask()
            times = [await milliseconds(ask) for _ in range(6)]
            then = times[1:]
            print(f"{fault:8} {name:24} {times[0]:10.1f} {median(then):15.1f} {max(then):10.1f}")


async def throughput(ways: dict[str, Ask]) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):
        for name, ask in ways.items():
            began = time.perf_counter()
            await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
            rates[name].append(AT_ONCE / (time.perf_counter() - began))
    direct = median(rates["direct httpx"])
    print(f"\n{AT_ONCE} streams at once             streams/s    of direct")
    for name, measured in rates.items():
        print(f"{name:34} {median(measured):6.1f}    {median(measured) / direct:8.2f}")


def memory(pids: dict[str, int]) -> None:
    print("\nMemory after all of it                  MiB")
    for name, pid in pids.items():
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
        print(f"{name:34} {kib / 1024:8.1f}")


async def measure(calls: int, provider: str, folder: Path, stack: ExitStack) -> None:
    settings = Settings(home=folder, database_url=f"sqlite:///{folder}/omni.db")
    engine = open_database(settings)
    programs = litellm_environment(folder / "litellm")
    served = {fault: stack.enter_context(omni_served(fault, provider, folder)) for fault in ("", *FAULTS)}
    peer = stack.enter_context(litellm_served(programs, provider, folder)) if programs else None
    http = client()
    known = Catalog(providers=(), models=(), enabled=places("", provider))
    Budget.open(engine, "benchmark", None)
    async with open_async_gateway(settings, engine, known) as gateway:
        ways: dict[str, Ask] = {
            "direct httpx": lambda: read_direct(http, f"{provider}/good/v1", "none", "m"),
            "Omni's router in the process": router_call(gateway),
            "with ledger and budget": gateway_call(gateway, "benchmark"),
            "omni serve models": served[""][1],
        }
        if peer:
            ways["LiteLLM proxy"] = peer[1]("good")
        await overhead(ways, calls)
        await throughput(ways)
    inside: dict[str, Ask] = {}
    async with (
        open_async_gateway(settings, engine, _broken("refuse", provider)) as refused,
        open_async_gateway(settings, engine, _broken("500", provider)) as failing,
        open_async_gateway(settings, engine, _broken("hang", provider)) as hanging,
        open_async_gateway(settings, engine, _broken("late", f"{provider}/again")) as late,
    ):
        inside |= {"refuse": router_call(refused), "500": router_call(failing)}
        inside |= {"hang": router_call(hanging), "late": router_call(late)}
        broken = {"router in the process": inside, "omni serve models": {f: served[f][1] for f in FAULTS}}
        if peer:
            broken["LiteLLM proxy"] = {fault: peer[1](fault) for fault in FAULTS}
        await failover(broken)
    memory({"omni serve models": served[""][0]} | ({"LiteLLM proxy": peer[0]} if peer else {}))


def _broken(fault: str, provider: str) -> Catalog:
    return Catalog(providers=(), models=(), enabled=places(fault, provider))


def _percentiles(times: list[float]) -> tuple[float, float]:
    cuts = quantiles(times, n=100)
    return cuts[49], cuts[98]


def _free_port() -> int:
    import socket  # once, here

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        provider = f"http://127.0.0.1:{port}"
        stack.enter_context(process([sys.executable, str(PROVIDER), str(port)], f"{provider}/health"))
        asyncio.run(measure(calls, provider, Path(folder), stack))


if __name__ == "__main__":
    main()
