"""What the engine is asked for; and the driver for real where an engine answers."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from omni.sandbox import cgroup, python_mounts
from omni.sandbox.docker import Docker, arguments, image_name, seccomp_profile
from omni.sandbox.engine import LABEL, Engine, find
from omni.sandbox.job import Job, Limits, Mount
from omni.sandbox.selftest import attacks

engine = pytest.mark.usefixtures("container_engine")


def test_a_container_gets_no_network_no_rights_and_every_cap(workspace: Path) -> None:
    limits = Limits(memory=300, disk=20, processes=30)
    job = Job(("a", "b c"), workspace, {"KEY": "v"}, (Mount(Path("/data"), "/there"),), limits)
    argv = arguments(Engine(Path("/bin/docker")), job, "omni-1", Path("/profile.json"), ["--env-file", "/file"])
    options, command = argv[2 : argv.index(image_name())], argv[argv.index(image_name()) + 1 :]
    alone = {"--interactive", "--init", "--read-only"}
    assert alone <= set(options)
    pairs = [option for option in options if option not in alone]
    given: dict[str, list[str]] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        given.setdefault(key, []).append(value)
    assert given["--network"] == ["none"]
    assert given["--cap-drop"] == ["ALL"]
    assert given["--security-opt"] == ["no-new-privileges", "seccomp=/profile.json"]
    assert given["--user"][0].split(":")[0] != "0"
    assert (given["--memory"], given["--memory-swap"], given["--pids-limit"]) == (["300m"], ["300m"], ["32"])
    assert [value.split(",")[0] for value in given["--tmpfs"]] == ["/work:size=20m", "/tmp:size=20m"]
    assert given["--shm-size"] == ["20m"]
    assert given["--mount"][-1] == "type=bind,source=/data,target=/there,readonly"
    assert all(mount.endswith(",readonly") for mount in given["--mount"])
    assert given["--env-file"] == ["/file"]
    assert "KEY=v" not in argv
    assert command[-2:] == ["a", "b c"]


def test_the_filter_is_the_same_as_bubblewraps() -> None:
    rules = json.loads(seccomp_profile())["syscalls"]
    assert {"io_uring_setup", "keyctl", "ptrace", "unshare"} <= set(rules[0]["names"])
    assert {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38} in rules
    flags = sum(rule["args"][0]["value"] for rule in rules if rule["names"] == ["clone"])
    assert flags == 0x7E020000
    arguments = {
        (rule["names"][0], rule["args"][0]["index"], rule["args"][0]["op"]) for rule in rules if "args" in rule
    }
    assert arguments == {
        ("clone", 0, "SCMP_CMP_MASKED_EQ"),
        ("ioctl", 1, "SCMP_CMP_EQ"),
        ("socket", 0, "SCMP_CMP_EQ"),
    }
    refused = {rule["args"][0]["value"] for rule in rules if rule["names"] == ["socket"]}
    assert (40 in refused, refused & {1, 2, 10, 16}) == (True, set())


def test_without_the_command_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    problem = "neither `docker` nor `podman` is installed. Install Docker Engine 20.10 or Podman 4.3, or newer."
    assert Docker().probe().problems == (problem,)


def test_without_an_engine_it_says_what_the_client_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    client.chmod(client.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    (problem,) = Docker().probe().problems
    assert problem.startswith("Cannot connect to the Docker daemon. Start the engine (`systemctl start docker`)")


@pytest.mark.host
@engine
def test_a_job_for_real(workspace: Path, tmp_path: Path) -> None:
    job = Job(
        ("sh", "-c", "cat; cat a.txt; sub/run; echo new > out"),
        workspace,
        stdin=b"in\n",
        collect=("out",),
        into=tmp_path,
    )
    result = Docker().run(job)
    assert (result.exit_code, result.ended, result.stdout) == (0, "exited", "in\na\nran\n")
    assert (tmp_path / "out").read_text() == "new\n"
    assert Docker().run(Job(("sleep", "60"), workspace, limits=Limits(wall=0.5))).ended == "timeout"


@pytest.mark.host
@pytest.mark.slow
@engine
def test_every_attack_is_held() -> None:
    assert [result for result in attacks(Docker()) if not result.held] == []


@pytest.mark.host
@engine
def test_a_service_for_real(workspace: Path) -> None:
    env = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
    argv = ("python3", "-m", "http.server", "8000", "--bind", "127.0.0.1")
    with Docker().serve(Job(argv, workspace, env, python_mounts(Path(sys.prefix))), 8000) as service:
        deadline = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{service.url}/a.txt", timeout=5) as answer:  # noqa: S310 - our own
                    assert answer.read() == b"a\n"
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.mark.host
@engine
def test_containers_of_a_dead_omni_are_removed(workspace: Path) -> None:
    namespace = cgroup.owner().split("-")[0]
    name = f"omni-{namespace}-{os.getpid()}-1-0a"  # our pid, another start
    Docker().probe()  # so that the image is there
    host = find()
    host.ask("create", "--name", name, "--label", LABEL, image_name(), "true")
    Docker().run(Job(("true",), workspace))
    assert name not in host.ask("ps", "--all", "--format", "{{.Names}}")


@pytest.mark.host
@engine
def test_the_environment_for_real(workspace: Path) -> None:
    env = {"TOKEN": "hush = # 'x'", "PATH": os.environ["PATH"]}
    assert Docker().run(Job(("sh", "-c", 'printf %s "$TOKEN"'), workspace, env)).stdout == "hush = # 'x'"
