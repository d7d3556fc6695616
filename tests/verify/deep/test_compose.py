from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.verify.played import context_of

from omni.verify.config import ProjectConfig
from omni.verify.deep.compose import with_images
from omni.verify.deep.declared import Service

Write = Callable[[Mapping[str, str]], Path]
COMPOSE = """\
services:
  app: {build: .}
  cache: {image: "valkey/valkey:8"}
  old: {image: "postgres:${VERSION}"}
  db: {image: "registry.example:5000/pgvector/pgvector:pg17@sha256:00"}
  other: {image: "postgres:9"}
"""


def images(write: Write, files: Mapping[str, str], *services: Service) -> list[str]:
    context = context_of(write({"a.py": "", **files}), "integration-tests", project=ProjectConfig(services=services))
    return [service.image for service in with_images(context)]


def test_what_names_no_image_gets_that_of_the_compose_file(write: Write) -> None:
    services = (Service(kind="redis"), Service(kind="smtp"), Service(kind="postgresql"))
    database = "registry.example:5000/pgvector/pgvector:pg17@sha256:00"
    assert images(write, {"compose.yaml": COMPOSE}, *services) == ["valkey/valkey:8", "", database]


def test_the_first_file_counts_and_a_named_image_stays(write: Write) -> None:
    files = {"docker-compose.yml": COMPOSE, "compose.yml": "services: {db: {image: redis}}\n"}
    own = Service(kind="postgresql", image="postgres:16")
    assert images(write, files, own, Service(kind="redis"), Service(kind="postgresql")) == ["postgres:16", "redis", ""]


@pytest.mark.parametrize("text", ["", "services: [", "services: [a]", "services: {a: b, c: {image: 3}}", "[1]", "a: b"])
def test_without_a_compose_file_that_can_be_read_nothing_changes(write: Write, text: str) -> None:
    assert images(write, {"compose.yaml": text} if text else {}, Service(kind="redis")) == [""]
