from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox.engine import Engine
from omni.sandbox.errors import UNAVAILABLE
from omni.sandbox.image import Image
from omni.sandbox.job import Limits
from omni.verify.check import Failed
from omni.verify.deep import contained
from omni.verify.deep.contained import Contained, at_hand, running
from omni.verify.report import Status

ENGINE = Engine(Path("/bin/podman"))
CACHE = Contained("redis", ENGINE, "redis:7", 6379, {"REDIS_URL": "redis://127.0.0.1:{port}/0"}, ready=("ping",))
QUEUE = Contained("container", ENGINE, "rabbit:4", 5672, {"QUEUE": "amqp://{port}"}, ("run",), {"KEY": "v"})


class Fake:
    """A server that can be used at the third look."""

    def __init__(self, port: int, *, lives: bool = True) -> None:
        self.port, self._lives, self.asked = port, lives, 0

    def alive(self) -> bool:
        return self._lives

    def logs(self) -> str:
        return "one\ntwo\nthree\nfour\n"

    def succeeds(self, argv: tuple[str, ...]) -> bool:
        assert argv == ("ping",)
        return self.accepts()

    def accepts(self) -> bool:
        self.asked += 1
        return self._lives and self.asked > 2


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Image | str]:
    """What is started, and ended."""
    told: list[Image | str] = []

    @contextmanager
    def served(host: Engine, image: Image) -> Iterator[Fake]:
        assert host == ENGINE
        if image.name == "refused:1":
            raise OmniError(UNAVAILABLE, "no room")
        told.append(image)
        yield Fake(40000 + len(told), lives=image.name != "broken:1")
        told.append(f"{image.name} ended")

    monkeypatch.setattr("omni.sandbox.image.served", served)
    monkeypatch.setattr(contained, "TICK", 0)
    return told


def test_each_is_started_and_reached_at_its_port(started: list[Image | str]) -> None:
    with running([CACHE, QUEUE], 9.0) as found:
        assert found.gives == {"REDIS_URL": "redis://127.0.0.1:40001/0", "QUEUE": "amqp://40002"}
        assert found.ports == (40001, 40002)
        assert found.logs() == dict.fromkeys(("redis", "container"), "one\ntwo\nthree\nfour\n")
    images = [Image("redis:7", 6379, limits=Limits(wall=9)), Image("rabbit:4", 5672, ("run",), {"KEY": "v"}, Limits(9))]
    assert started == [*images, "rabbit:4 ended", "redis:7 ended"]


def test_one_that_ends_or_is_refused_or_late_is_told_and_the_others_are_ended(started: list[Image | str]) -> None:
    broken = Contained("db", ENGINE, "broken:1", 1, {})
    with pytest.raises(Failed) as failed, running([CACHE, broken], 9.0):
        raise AssertionError
    why = "db (broken:1) can't be had: it ended: two / three / four"
    assert (failed.value.why, failed.value.status) == (why, Status.INCOMPLETE)
    with pytest.raises(Failed) as failed, running([Contained("db", ENGINE, "refused:1", 1, {})], 9.0):
        raise AssertionError
    assert (failed.value.why, failed.value.status) == ("db (refused:1) can't be had: no room", Status.INCOMPLETE)
    with pytest.raises(Failed) as failed, running([Contained("db", ENGINE, "slow:1", 1, {}, seconds=-1)], 9.0):
        raise AssertionError
    assert failed.value.why == "db (slow:1) can't be had: it did not answer within -1 s: two / three / four"


def test_an_image_that_is_not_here_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failed, match=r"redis:7 can't be had: neither `docker` nor `podman` is installed\. Install"):
        at_hand("redis:7")
    client = tmp_path / "podman"
    client.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$1 $4" = "images redis:7" ] && echo 1234 || :\n')
    client.chmod(0o755)
    assert at_hand("redis:7") == Engine(client)
    with pytest.raises(Failed) as failed:
        at_hand("postgres:16")
    said = "the image postgres:16 is not here. Type: podman pull postgres:16"
    assert (failed.value.why, failed.value.status) == (said, Status.INCOMPLETE)
    assert "pull" not in (tmp_path / "asked").read_text()
