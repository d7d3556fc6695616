"""The GPUs of this machine, and what fits into them.

Cards are read from nvidia-smi or rocm-smi; where neither is there (Apple, a machine elsewhere) they are declared in
`models.toml` as `[[gpu]]`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence

from omni.kernel.errors import OmniError
from omni.kernel.processes import run
from omni.kernel.settings import Settings
from omni.models.catalog import FILE_NAME, Catalog, read_models_file
from omni.models.gpu import Gpu

NVIDIA = ("nvidia-smi", "--query-gpu=index,name,memory.total,memory.used", "--format=csv,noheader,nounits")
AMD = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--json")
HEADROOM = 1.1
"""What a model takes beside its weights, for a short context: a tenth more. Long contexts take more than that."""
_SECONDS = 20.0


def gpus_of(settings: Settings) -> tuple[Gpu, ...]:
    """The declared GPUs, else those that are found. Raises OmniError (M004) for a bad `models.toml`."""
    return declared_gpus(settings) or detect()


def declared_gpus(settings: Settings) -> tuple[Gpu, ...]:
    """Those of `models.toml`: calls of models that run on them are queued for."""
    declared = read_models_file(settings.home / FILE_NAME).gpu
    return tuple(Gpu(name=each.name, free_gb=each.vram_gb, jobs=each.jobs) for each in declared)


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
