from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from omni.kernel.errors import OmniError
from omni.kernel.processes import clean_env, run

_PY = sys.executable


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def _wait_gone(*pids: int) -> bool:
    deadline = time.monotonic() + 5
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(_alive(pid) for pid in pids)


def test_it_reports_what_happened() -> None:
    done = run([_PY, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], timeout=20)
    assert (done.exit_code, done.ended, done.stdout, done.stderr) == (3, "exited", "out\n", "err\n")
    assert (done.truncated, done.ok) == (False, False)
    assert 0 < done.cpu_seconds <= done.seconds + 0.5


def test_cpu_time_counts_children_that_were_waited_for() -> None:
    burn = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    done = run([_PY, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"], timeout=20)
    assert done.cpu_seconds >= 0.3


def test_input_reaches_it_and_more_than_a_pipe_holds_flows_both_ways() -> None:
    data = os.urandom(1 << 20).hex().encode()
    assert run(["cat"], stdin=data, timeout=20).stdout.encode() == data


def test_input_that_nobody_reads_is_no_error() -> None:
    assert run(["true"], stdin=b"x" * (1 << 20), timeout=20).ok


def test_without_input_it_reads_end_of_file() -> None:
    assert run(["cat"], timeout=20).stdout == ""


def test_garbage_bytes_become_replacement_characters() -> None:
    done = run([_PY, "-c", "import sys; sys.stdout.buffer.write(b'a\\xff\\x00b')"], timeout=20)
    assert done.stdout == "a\ufffd\x00b"


def test_huge_output_keeps_its_head_and_tail() -> None:
    script = "import sys; w = sys.stdout.buffer.write; w(b'H' * 50); w(b'x' * 30_000_000); w(b'T' * 50)"
    done = run([_PY, "-c", script], timeout=60, output_limit=100)
    assert done.stdout == "H" * 50 + "\n… 30000000 bytes cut …\n" + "T" * 50
    assert done.truncated


def test_output_of_exactly_the_limit_is_whole() -> None:
    done = run([_PY, "-c", "print('x' * 99)"], timeout=20, output_limit=100)
    assert (done.stdout, done.truncated) == ("x" * 99 + "\n", False)


def test_a_time_out_kills_grandchildren_too_even_deaf_ones() -> None:
    script = (
        "import os, signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(os.getpid(), child.pid, flush=True); time.sleep(60)"
    )
    done = run([_PY, "-c", script], timeout=1)
    assert (done.exit_code, done.ended) == (None, "timeout")
    assert done.seconds < 5
    assert _wait_gone(*map(int, done.stdout.split()))


def test_what_it_leaves_in_the_background_is_killed() -> None:
    done = run(["sh", "-c", "sleep 60 & echo $!"], timeout=20)
    assert done.ok
    assert done.seconds < 5
    assert _wait_gone(int(done.stdout))


def test_a_daemon_that_left_the_group_and_holds_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    # The command ends only when the daemon has a session of its own; before that, it is rightly killed with the group.
    script = "setsid sh -c 'echo $$; : > away; exec sleep 60' & until [ -e away ]; do sleep 0.01; done"
    done = run(["sh", "-c", script], cwd=tmp_path, timeout=20)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.ok
    assert done.seconds < 5


def test_death_by_signal_is_told_apart() -> None:
    done = run(["sh", "-c", "kill -SEGV $$"], timeout=20)
    assert (done.exit_code, done.ended) == (None, "signal")


def test_ctrl_c_kills_the_group_and_is_passed_on() -> None:
    script = (
        "import sys; from omni.kernel.processes import run\n"
        "run(['sh', '-c', 'sleep 60 & echo $! $$ >&2; cat /proc/$$/status > /dev/null; wait'], timeout=50)"
    )
    with subprocess.Popen([_PY, "-c", script]) as caller:
        children = _children(caller.pid, "sh")
        caller.send_signal(signal.SIGINT)
        assert caller.wait(10) != 0
    assert _wait_gone(*children)


def test_the_command_dies_with_a_killed_omni() -> None:
    script = "from omni.kernel.processes import run\nrun(['sleep', '60'], timeout=50)"
    with subprocess.Popen([_PY, "-c", script]) as caller:
        children = _children(caller.pid, "sleep")
        caller.kill()
    assert _wait_gone(*children)


def _children(pid: int, command: str) -> list[int]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # Just forked it is still Python, then the leash; it is under way when it has become the command itself.
        if found and Path(f"/proc/{found[0]}/comm").read_text().strip() == command:
            return [int(child) for child in found]
        time.sleep(0.01)
    raise AssertionError("no child came up")


@pytest.mark.parametrize("name", ["no-such-program", "/no/such/program", "/etc/passwd", "/etc", "./x"])
def test_a_program_that_can_not_be_started_is_one_clear_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="A program can't be started: " + name.replace(".", r"\.")):
        run([name], timeout=5, cwd=tmp_path)


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OmniError, match="No such file or directory"):
        run(["true"], timeout=5, cwd=tmp_path / "missing")


def test_secrets_of_the_environment_stay_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    assert "hunter2" not in run(["env"], timeout=5).stdout
    assert run(["env"], timeout=5, env={"PATH": "/usr/bin", "A": "b"}).stdout == "PATH=/usr/bin\nA=b\n"
    assert clean_env(X="1")["X"] == "1"


def test_the_program_is_found_on_the_path_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "tool").chmod(0o755)
    assert run(["tool"], timeout=5, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}).stdout == "here\n"
    assert run(["./tool"], timeout=5, cwd=tmp_path).stdout == "here\n"
