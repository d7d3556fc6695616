"""The driver on this machine, as whoever runs the tests, and as an ordinary user when that is root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from omni.kernel.errors import OmniError
from omni.sandbox import bubblewrap, cgroup, python_mounts
from omni.sandbox.bubblewrap import Bubblewrap, advice
from omni.sandbox.errors import NOT_STARTED
from omni.sandbox.job import Job, JobResult, Limits, Mount

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"),
]
PYTHON = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}
MOUNTS = python_mounts(Path(sys.prefix))
SERVER = """
import http.server, pathlib, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200); self.send_header("Content-Length", str(len(data))); self.end_headers()
        self.wfile.write(data[::-1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
def end(*_):
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
server.serve_forever()
"""


def _sh(script: str, workspace: Path, *collect: str, into: Path | None = None) -> JobResult:
    return Bubblewrap().run(Job(("sh", "-c", script), workspace, collect=collect, into=into))


def test_a_command_works_on_a_copy_and_its_artifacts_come_back(workspace: Path, tmp_path: Path) -> None:
    (workspace / ".git").mkdir()
    result = _sh(
        "ls -A; sub/run; echo new > sub/out; rm a.txt; echo problem >&2; exit 3", workspace, "sub/out", into=tmp_path
    )
    assert result == JobResult(
        3, "exited", "a.txt\nsub\nran\n", "problem\n", False, result.seconds, "full", ("sub/out",), ()
    )
    assert (tmp_path / "sub/out").read_text() == "new\n"
    assert (workspace / "a.txt").exists()
    assert not (workspace / "sub/out").exists()


def test_no_command_line_of_the_host_shows_a_jobs_variables(workspace: Path) -> None:
    job = Job(("sh", "-c", 'echo "$KEY"; sleep 20'), workspace, {"KEY": f"canary-{os.getpid()}"})
    with ThreadPoolExecutor(1) as pool:
        over = Event()
        ended = pool.submit(Bubblewrap().run, replace(job, stop=over))
        lines: list[bytes] = []
        while not ended.done() and not any(b"sleep\x0020" in line for line in lines):
            lines = [_command_line(process) for process in Path("/proc").glob("[0-9]*")]
        over.set()
        assert ended.result().stdout == f"canary-{os.getpid()}\n"
    assert not [line for line in lines if f"canary-{os.getpid()}".encode() in line]


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it is over
        return b""


def test_a_variable_may_be_empty(workspace: Path) -> None:
    job = Job(("sh", "-c", 'echo "[$A][${B-unset}]"'), workspace, {"A": "1", "B": ""})
    assert Bubblewrap().run(job).stdout == "[1][]\n"


def test_the_guest_sees_a_clean_small_system(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary")
    result = Bubblewrap().run(Job(("sh", "-c", "id -u; pwd; env | sort; ls /; cat /etc/hosts"), workspace, {"A": "1"}))
    names = ["bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "tmp", "usr", "work"]
    here = [name for name in names if name[:3] not in ("lib", "sbi", "bin") or Path("/", name).exists()]
    env = ["A=1", "HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin", "PWD=/work", "TZ=UTC"]
    expected = ["1000", "/work", *env, *here, "127.0.0.1 localhost", "::1 localhost"]
    assert [line for line in result.stdout.splitlines() if line not in ("lib32", "libx32")] == expected


def test_standard_input_reaches_the_command(workspace: Path) -> None:
    assert Bubblewrap().run(Job(("cat",), workspace, stdin=b"go\nhello")).stdout == "go\nhello"


def test_this_python_and_its_packages_work_inside(workspace: Path) -> None:
    job = Job(("python", "-c", "import pydantic, sys; print(sys.prefix)"), workspace, PYTHON, MOUNTS)
    assert Bubblewrap().run(job).stdout == f"{sys.prefix}\n"


def test_mounts_are_readable_below_a_closed_folder_and_never_writable(workspace: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "data").mkdir(parents=True)
    (closed / "data/file").write_text("data\n")
    closed.chmod(0o700)
    mounts = (Mount(closed / "data"), Mount(closed / "data/file", "/opt/file"))
    script = f"cat {closed}/data/file /opt/file; touch {closed}/data/new || echo held; echo > /opt/file || echo held"
    result = Bubblewrap().run(Job(("sh", "-c", script), workspace, mounts=mounts))
    assert result.stdout == "data\ndata\nheld\nheld\n"


def test_the_time_out_is_told_and_kept(workspace: Path) -> None:
    started = time.monotonic()
    result = Bubblewrap().run(Job(("sleep", "60"), workspace, limits=Limits(wall=0.5)))
    assert (result.exit_code, result.ended) == (None, "timeout")
    assert time.monotonic() - started < 3


def test_too_much_memory_is_told(workspace: Path) -> None:
    job = Job(
        ("python3", "-c", "b = bytearray(400 << 20); import time; time.sleep(5)"), workspace, limits=Limits(memory=64)
    )
    assert Bubblewrap().run(job).ended == "memory"


def test_a_command_that_is_not_there(workspace: Path) -> None:
    result = Bubblewrap().run(Job(("no-such-command",), workspace))
    assert (result.exit_code, "no-such-command: not found" in result.stderr) == (127, True)


def test_a_workspace_larger_than_the_disk_cap_is_an_error(workspace: Path) -> None:
    (workspace / "large").write_bytes(bytes(3 << 20))
    with pytest.raises(OmniError) as caught:
        Bubblewrap().run(Job(("true",), workspace, limits=Limits(disk=2)))
    assert caught.value.kind.code == "SB005"


def test_a_mount_that_is_not_there_is_an_error_in_the_sandboxs_words(workspace: Path) -> None:
    with pytest.raises(OmniError) as caught:
        Bubblewrap().run(Job(("true",), workspace, mounts=(Mount(Path("/no/such/folder")),)))
    assert (caught.value.kind.code, caught.value.why) == (
        "SB002",
        "/no/such/folder is to be mounted and is not there",
    )
    files = {path.name for path in Path("/proc/self/fd").iterdir()}
    with pytest.raises(OmniError):
        Bubblewrap().serve(Job(("true",), workspace, mounts=(Mount(Path("/no/such/folder")),)), 8000)
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == files


def test_the_probe_makes_an_empty_sandbox_and_waits_no_longer_than_one_takes() -> None:
    jobs: list[Job] = []

    class Noting(Bubblewrap):
        def run(self, job: Job, *, trusted: bool = False) -> JobResult:
            jobs.append(job)
            return super().run(job, trusted=trusted)

    probe = Noting().probe()
    assert [(job.argv, job.limits) for job in jobs] == [(("true",), Limits(wall=20))]
    assert (probe.driver, probe.isolation) == ("bubblewrap", "full")
    assert probe.problems == (() if cgroup.available() else (bubblewrap.NO_CGROUP,))


def test_nothing_is_left_behind(workspace: Path) -> None:
    groups = {base: set(base.glob("omni-sandbox-*")) for base in cgroup.ROOT.glob("*")}
    mounted = Path("/proc/self/mountinfo").read_text()
    files = {path.name for path in Path("/proc/self/fd").iterdir()}
    _sh("sleep 30 & setsid sleep 30 & true", workspace)
    assert {base: set(base.glob("omni-sandbox-*")) for base in cgroup.ROOT.glob("*")} == groups
    assert Path("/proc/self/mountinfo").read_text() == mounted
    assert {path.name for path in Path("/proc/self/fd").iterdir()} == files


def test_a_service_is_reachable_from_here_and_ends_politely(workspace: Path) -> None:
    job = Job(("python3", "-c", SERVER), workspace, PYTHON, MOUNTS)
    with Bubblewrap().serve(job, 8000) as service:
        body = os.urandom(300_000)
        for _ in range(3):
            assert _post(service.url, body) == body[::-1]
        assert (service.alive(), service.logs().splitlines()[0]) == (True, "up")
        result = service.stop()
        assert (result.exit_code, result.ended, result.stdout) == (0, "exited", "up\nbye\n")
        assert not service.alive()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(service.url, timeout=5)  # noqa: S310 - our own server


def test_a_service_that_fails_at_once_says_why(workspace: Path) -> None:
    with Bubblewrap().serve(Job(("no-such-command",), workspace, PYTHON, MOUNTS), 8000) as service:
        while service.alive():
            time.sleep(0.02)
        result = service.stop()
    assert (result.exit_code, result.stderr) == (127, "no-such-command: No such file or directory\n")


def _post(url: str, body: bytes) -> bytes:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(url, body, timeout=10) as answer:  # noqa: S310 - our own server
                data: bytes = answer.read()
                return data
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_process_survives_when_omni_is_killed(workspace: Path, moment: float, end: signal.Signals) -> None:
    mark = f"61.{os.getpid()}{end}{int(moment * 100)}"
    source = (
        "import pathlib; from omni.sandbox.bubblewrap import Bubblewrap; from omni.sandbox.job import Job\n"
        f"job = Job(('sh', '-c', 'setsid sleep {mark} & sleep {mark}'), pathlib.Path('{workspace}'))\n"
        "print('go', flush=True); Bubblewrap().run(job)"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", source], stdout=pipe, stderr=pipe) as omni:
        assert omni.stdout is not None
        omni.stdout.readline()
        time.sleep(moment)
        omni.send_signal(end)
        omni.communicate(timeout=10)
    deadline = time.monotonic() + 5
    while _processes(mark) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _processes(mark) == []
    cgroup.sweep()
    assert list(cgroup.ROOT.glob(f"*/**/omni-sandbox-{omni.pid}-*")) == []


def _processes(mark: str) -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"sleep\0{mark}\0".encode() in file.read_bytes():
                found.append(str(file))
        except OSError:
            continue
    return found


def test_many_at_once_do_not_disturb_each_other(workspace: Path) -> None:
    def run(number: int) -> str:
        return _sh(f"echo {number} > mine; cat mine", workspace).stdout

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(run, range(18))) == [f"{number}\n" for number in range(18)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_all_of_it_works_for_an_ordinary_user(tmp_path: Path) -> None:
    places = [parent for parent in (Path(sys.prefix), Path(__file__)) for parent in parent.parents]
    if not all(place.stat().st_mode & 0o005 == 0o005 for place in places):
        pytest.skip("this checkout or its environment is below a folder that others can't read")
    home = Path("/tmp", f"omni-test-{os.getpid()}")  # others can't reach the folders of a root's pytest
    home.mkdir()
    try:
        os.chown(home, 1000, 1000)
        user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--"]
        pytest_again = [
            sys.executable,
            "-B",
            "-m",
            "pytest",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            f"--basetemp={home}/t",
        ]
        env = {"PATH": os.environ["PATH"], "HOME": str(home), "OMNI_HOME": str(home)}
        done = subprocess.run([*user, *pytest_again, __file__], capture_output=True, text=True, env=env, cwd=home)
        assert done.returncode == 0, done.stdout
    finally:
        shutil.rmtree(home)


@pytest.mark.parametrize(
    ("said", "advised"),
    [
        ("bwrap: No permissions to create new namespace", "seccomp=unconfined"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "user.max_user_namespaces"),
        ("bwrap: setting up uid map: Permission denied", "apparmor_restrict_unprivileged_userns=0"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", "apparmor_restrict_unprivileged_userns=0"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths=unconfined"),
    ],
)
def test_the_advice_fits_what_bubblewrap_said(said: str, advised: str) -> None:
    assert advised in advice(OmniError(NOT_STARTED, said))


def test_without_bubblewrap_it_says_what_to_type(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    probe = Bubblewrap().probe()
    assert (probe.isolation, "apt install bubblewrap" in probe.problems[0]) == (None, True)
