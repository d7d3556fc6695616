"""The worker: what it delivers, what it says it doesn't, and that what comes out is green."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.templates.generated import check_generated, generate
from tests.templates.tool_specs import fetcher, orders, post_office

from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request
from omni.templates.catalog import get
from omni.templates.render import render

SENTENCES = (
    "a worker that sends emails from a queue",
    "a background worker that processes orders",
    "an uptime monitor that checks URLs every 5 minutes",
)


@pytest.mark.parametrize("make", [orders, fetcher, post_office])
def test_every_criterion_has_a_test_or_a_reason(make: type[Specification]) -> None:
    spec = make()
    project = render(spec, get("worker"))
    named = {item.ref for item in project.undelivered}
    assert {criterion.id for criterion in spec.criteria} == set(project.trace) | (named & {c.id for c in spec.criteria})


def test_what_no_worker_can_do_is_named() -> None:
    project = render(post_office(), get("worker"))
    assert [(item.ref, item.why) for item in project.undelivered][:2] == [
        ("operation:run.scan_it", "The worker template has no step read:files."),
        ("job:remind_messages", "The worker template has no jobs with effect remind."),
    ]


def test_only_what_applies_is_rendered() -> None:
    paths = set(render(orders(), get("worker")).files)
    assert "src/orders/tasks/jobs.py" in paths
    assert not {"src/orders/mail.py", "src/orders/outbound.py", "src/orders/tasks/runs.py"} & paths
    paths = set(render(fetcher(), get("worker")).files)
    assert "src/fetcher/outbound.py" in paths
    assert not {"src/fetcher/mail.py", "src/fetcher/records.py", "src/fetcher/tasks/jobs.py"} & paths


def test_rendering_is_the_same_to_the_byte() -> None:
    assert render(post_office(), get("worker")) == render(post_office(), get("worker"))


@pytest.mark.slow
@pytest.mark.parametrize("make", [orders, fetcher, post_office])
def test_what_comes_out_is_green(make: type[Specification], tmp_path: Path) -> None:
    check_generated(generate(make(), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_becomes_a_worker(sentence: str, tmp_path: Path) -> None:
    spec = compile_request(parse_request(sentence))
    assert spec.template == "worker"
    written = generate(spec, tmp_path)
    check_generated(written)
