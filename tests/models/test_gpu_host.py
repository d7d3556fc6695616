from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.models.listening import listen

from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import shipped_catalog
from omni.models.gpu import Gpu, Job
from omni.models.gpu_host import OllamaGpus, detect, fitting, gpus_of, read_amd, read_nvidia

CARD = (Gpu(name="card", free_gb=24),)
CODER = Job(id="a", model="qwen3-coder:30b", vram_gb=19)
OSS = Job(id="b", model="gpt-oss:20b", vram_gb=14)


def test_what_nvidia_says() -> None:
    said = "0, NVIDIA GeForce RTX 4090, 24564, 1024\n1, NVIDIA RTX A6000, 49140, 0\n"
    assert [(gpu.name, round(gpu.free_gb, 1)) for gpu in read_nvidia(said)] == [
        ("0: NVIDIA GeForce RTX 4090", 23.0),
        ("1: NVIDIA RTX A6000", 48.0),
    ]
    assert read_nvidia("No devices were found\n") == ()
    assert read_nvidia("0, NVIDIA GB10, [N/A], [N/A]\n") == ()


def test_what_amd_says() -> None:
    said = (
        '{"card0": {"Card Series": "Radeon RX 7900 XTX", "VRAM Total Memory (B)": "25753026560",'
        ' "VRAM Total Used Memory (B)": "1073741824"}, "system": {}}'
    )
    assert [(gpu.name, round(gpu.free_gb, 1)) for gpu in read_amd(said)] == [("card0: Radeon RX 7900 XTX", 23.0)]
    assert (read_amd("no JSON"), read_amd('{"card0": {"VRAM Total Memory (B)": "N/A"}}'), read_amd("[]")) == (
        (),
        (),
        (),
    )


def test_the_tools_of_the_machine_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, database_url="sqlite://")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, Tesla T4, 15360, 1024'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert gpus_of(settings) == (Gpu(name="0: Tesla T4", free_gb=14.0),)
    program.write_text("#!/bin/sh\nexit 9\n")
    assert detect() == ()
    (tmp_path / "models.toml").write_text('[[gpu]]\nname = "Mac"\nvram_gb = 48\n')
    assert gpus_of(settings) == (Gpu(name="Mac", free_gb=48.0),)


def test_what_fits() -> None:
    rows = {name: where for name, _, where in fitting(shipped_catalog(), (*CARD, Gpu(name="other", free_gb=16)))}
    names = ("gpt-oss-20b", "qwen3-coder-30b", "qwen3-32b", "devstral-2")
    assert [rows[name] for name in names] == ["card", "card", "card", ""]
    two = fitting(shipped_catalog(), (Gpu(name="one", free_gb=30), Gpu(name="two", free_gb=30)))
    assert {name: where for name, _, where in two}["qwen2.5-72b"] == "over 2 GPUs"


def test_ollama_loads_waits_and_unloads() -> None:
    """Two jobs and one GPU: the second is told that it waits, and starts when the first is over."""
    asked: list[tuple[str, str, Any]] = []
    said: list[str] = []
    now = [0.0]
    order: list[str] = []
    with listen({"/api/generate": {"done": True}}, asked) as url:
        gpus = OllamaGpus(f"{url}/v1", CARD, said.append, lambda: now[0])

        def second() -> None:
            with gpus.using(OSS):
                order.append("second")

        with gpus.using(CODER):
            other = threading.Thread(target=second)
            other.start()
            while "gpt-oss:20b waits: the GPUs are taken; 0 before it" not in said:
                other.join(0.01)
            order.append("first")
        other.join()
        now[0] = 599.0
        gpus.tick()
        assert said[-1] == "gpt-oss:20b is loaded"
        now[0] = 600.0
        gpus.tick()
    assert order == ["first", "second"]
    assert [body for _, _, body in asked] == [
        {"model": "qwen3-coder:30b", "keep_alive": "600s", "stream": False},
        {"model": "qwen3-coder:30b", "keep_alive": 0, "stream": False},
        {"model": "gpt-oss:20b", "keep_alive": "600s", "stream": False},
        {"model": "gpt-oss:20b", "keep_alive": 0, "stream": False},
    ]
    assert said[-1] == "gpt-oss:20b is unloaded: idle for 600 s"


def test_what_never_fits_or_can_not_be_loaded_raises() -> None:
    with listen({"/api/generate": 500}) as url:
        gpus = OllamaGpus(url, CARD, lambda _: None, lambda: 0.0)
        with pytest.raises(OmniError, match="it needs 75 GB"), gpus.using(OSS.model_copy(update={"vram_gb": 75})):
            pytest.fail("it runs")
        with pytest.raises(OmniError, match="Ollama can't load it: HTTP 500"), gpus.using(OSS):
            pytest.fail("it runs")
    with pytest.raises(OmniError, match="Ollama can't load it"), gpus.using(OSS):
        pytest.fail("it runs")
