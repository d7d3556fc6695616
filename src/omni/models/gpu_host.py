"""The GPUs of this machine, and Ollama on them: what is there, and the scheduler's decisions carried out.

Cards are read from nvidia-smi or rocm-smi; where neither is there (Apple, a machine elsewhere) they are declared in
`models.toml` as `[[gpu]]`. Ollama loads a model that is asked for with an empty prompt, and unloads it with
`keep_alive` 0 (https://docs.ollama.com/faq, "How do I keep a model loaded in memory or make it unload immediately?").
"""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
from pydantic import JsonValue

from omni.kernel.errors import OmniError
from omni.kernel.processes import run
from omni.kernel.settings import Settings
from omni.models.catalog import FILE_NAME, Catalog, read_models_file
from omni.models.errors import NO_ANSWER
from omni.models.gpu import IDLE, Action, Gpu, Job, Scheduler

NVIDIA = ("nvidia-smi", "--query-gpu=index,name,memory.total,memory.used", "--format=csv,noheader,nounits")
AMD = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")
HEADROOM = 1.1
"""What a model takes beside its weights, for a short context: a tenth more. Long contexts take more than that."""
_SECONDS = 20.0
_LOAD_SECONDS = 600.0


def gpus_of(settings: Settings) -> tuple[Gpu, ...]:
    """The declared GPUs, else those that are found. Raises OmniError (M004) for a bad `models.toml`."""
    declared = read_models_file(settings.home / FILE_NAME).gpu
    return tuple(Gpu(name=each.name, free_gb=each.vram_gb) for each in declared) or detect()


def detect() -> tuple[Gpu, ...]:
    """The GPUs that this machine's own tools report; none where there is no such tool or no card."""
    for argv, read in ((NVIDIA, read_nvidia), (AMD, read_amd)):
        try:
            done = run(argv, timeout=_SECONDS)
        except OmniError:
            continue
        if done.ok and (found := read(done.stdout)):
            return found
    return ()


def read_nvidia(text: str) -> tuple[Gpu, ...]:
    """Lines of `index, name, MiB in all, MiB used`; lines of another shape are no cards."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    return tuple(
        Gpu(name=f"{row[0]}: {row[1]}", free_gb=(int(row[2]) - int(row[3])) / 1024)
        for row in rows
        if len(row) == 4 and row[2].isdigit() and row[3].isdigit()
    )


def read_amd(text: str) -> tuple[Gpu, ...]:
    """`{"card0": {"VRAM Total Memory (B)": "…", "VRAM Total Used Memory (B)": "…", "Card Series": "…"}}`."""
    try:
        cards = json.loads(text)
    except ValueError:
        return ()
    found = []
    for name, card in cards.items() if isinstance(cards, dict) else ():
        total, used = (str(card.get(f"VRAM Total {word}(B)", "")) for word in ("Memory ", "Used Memory "))
        if total.isdigit() and used.isdigit():
            called = card.get("Card Series") or card.get("Card series") or "AMD"
            found.append(Gpu(name=f"{name}: {called}", free_gb=(int(total) - int(used)) / (1 << 30)))
    return tuple(found)


def fitting(catalog: Catalog, gpus: Sequence[Gpu]) -> list[tuple[str, float, str]]:
    """Models of the catalog whose size is known: id, GiB with headroom, and where they fit (empty: nowhere)."""
    sizes = {model.id: model.vram_gb * HEADROOM for model in catalog.models if model.vram_gb}
    whole = sum(gpu.free_gb for gpu in gpus)
    rows = []
    for name, size in sorted(sizes.items(), key=lambda each: each[1]):
        alone = [gpu.name for gpu in gpus if gpu.free_gb >= size]
        rows.append((name, size, alone[0] if alone else f"over {len(gpus)} GPUs" if size <= whole else ""))
    return rows


class OllamaGpus:
    """The scheduler's decisions, carried out on one Ollama server; safe from many threads.

    `tell` hears what happens, as `gpt-oss:20b waits: the GPUs are taken; 0 before it`.
    """

    def __init__(
        self, base_url: str, gpus: Sequence[Gpu], tell: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self._url = base_url.removesuffix("/v1")
        self._scheduler = Scheduler(gpus)
        self._tell = tell
        self._clock = clock
        self._changed = threading.Condition()
        self._refused: dict[str, str] = {}

    @contextmanager
    def using(self, job: Job) -> Iterator[None]:
        """Wait until the job may run, and hold its model while it does. Raises OmniError (M001) if it never can."""
        with self._changed:
            self._carry_out(self._scheduler.submit(job, self._clock()))
        try:
            with self._changed:
                self._changed.wait_for(lambda: job.id in self._refused or job.id in self._scheduler.running())
                if why := self._refused.pop(job.id, ""):
                    raise OmniError(NO_ANSWER, why, where=job.model, fix="Take a smaller model: omni models gpus")
            yield
        finally:
            with self._changed:
                self._carry_out(self._scheduler.finish(job.id, self._clock()))

    def tick(self) -> None:
        """Unload what was idle for too long; to be called now and then."""
        with self._changed:
            self._carry_out(self._scheduler.tick(self._clock()))

    def _carry_out(self, actions: list[Action]) -> None:
        """Each in its turn, so that nothing is loaded before there is room for it."""
        for action in actions:
            match action.kind:
                case "load":
                    self._tell(f"{action.model} is loaded")
                case "start":
                    self._start(action)
                case "unload":
                    self._tell(f"{action.model} is unloaded: {action.why}")
                    self._ask({"model": action.model, "keep_alive": 0})
                case "queue":
                    self._tell(f"{action.model} waits: {action.why}")
                case "preempt":
                    self._tell(f"{action.model} waits again: {action.why}")
                case "refuse":
                    self._refused[action.job] = action.why
        self._changed.notify_all()

    def _start(self, action: Action) -> None:
        """Have the model in memory, and kept there for as long as the scheduler would keep it."""
        if why := self._ask({"model": action.model, "keep_alive": f"{IDLE:.0f}s"}):
            self._refused[action.job] = f"Ollama can't load it: {why}"
            self._carry_out(self._scheduler.failed(action.job, self._clock()))

    def _ask(self, body: Mapping[str, JsonValue]) -> str:
        """Why it did not work; empty: it did."""
        try:
            with httpx.Client(timeout=httpx.Timeout(_LOAD_SECONDS, connect=5.0), trust_env=False) as client:
                answer = client.post(f"{self._url}/api/generate", json={**body, "stream": False})
        except httpx.HTTPError as error:
            return str(error) or type(error).__name__
        return "" if answer.is_success else f"HTTP {answer.status_code}: {answer.text[:200]}"
