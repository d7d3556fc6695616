"""The images that a project's compose file (https://compose-spec.io) names for services that its tests declare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.check import Context
from omni.verify.deep.declared import IMAGE, Service

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""In the order of the specification; the first that is there counts."""
KINDS = {
    "postgresql": {"postgres", "postgis", "pgvector", "timescaledb"},
    "redis": {"redis", "valkey", "redis-stack-server"},
}
"""Kind → names of images that are one. Mail is not among them: tests look into its box, which containers have not."""


def with_images(context: Context) -> tuple[Service, ...]:
    """The declared services; what names no image gets that of the compose file, so that tests meet what production has.

    Where no engine has it, it is a program of this machine as before.
    """
    services = context.project.services
    if all(service.image or service.kind not in KINDS for service in services):
        return services
    found = tuple(_images(context))
    return tuple(
        service.model_copy(update={"image": next((each for each in found if _name(each) in names), "")})
        if (names := KINDS.get(service.kind)) and not service.image
        else service
        for service in services
    )


def _images(context: Context) -> Iterator[str]:
    import yaml  # only a project with services needs it

    from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml

    file = next((file for name in FILES if (file := context.inventory.by_path.get(name)) and not file.problem), None)
    if file is None:
        return
    try:
        content = yaml.load(bounded_yaml(context.text(file)), YAML_LOADER)  # noqa: S506 - a safe loader
    except (ValueError, yaml.YAMLError, RecursionError):
        return  # `syntax` says that
    services = content.get("services") if isinstance(content, dict) else None
    for service in services.values() if isinstance(services, dict) else ():
        image = service.get("image") if isinstance(service, dict) else None
        if isinstance(image, str) and re.match(IMAGE, image):  # the value of a variable (`$VERSION`) is not known here
            yield image


def _name(image: str) -> str:
    """`ghcr.io/a/postgres:16@sha256:…` → `postgres`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
