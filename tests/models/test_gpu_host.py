from __future__ import annotations

from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.models.catalog import shipped_catalog
from omni.models.gpu import Gpu
from omni.models.gpu_host import detect, fitting, gpus_of, read_amd, read_nvidia

CARD = (Gpu(name="card", free_gb=24),)


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
