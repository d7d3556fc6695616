from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.sandbox.job import Limits
from omni.sandbox.supervise import Ended, Outcome, Output, Supervisor


class _Plain:
    """A process group without walls."""

    def __init__(self, process: subprocess.Popen[bytes], over: Ended | None = None) -> None:
        self.process, self.over = process, over

    def excess(self) -> Ended | None:
        return self.over

    def terminate(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _supervisor(script: str, limits: Limits, over: Ended | None = None) -> Supervisor:
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        ["sh", "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
    )
    return Supervisor(process, _Plain(process, over), limits)


def _watch(script: str, limits: Limits | None = None, stdin: bytes = b"") -> tuple[Outcome, str, str]:
    supervisor = _supervisor(script, limits or Limits())
    return supervisor.run(stdin), supervisor.stdout.text(), supervisor.stderr.text()


def test_streams_and_exit_code_come_back() -> None:
    outcome, stdout, stderr = _watch("cat; echo problem >&2; exit 3", stdin=b"input\n")
    assert (outcome.exit_code, outcome.ended, stdout, stderr) == (3, "exited", "input\n", "problem\n")


def test_a_large_input_is_fed_while_the_output_is_read() -> None:
    outcome, stdout, _ = _watch("cat", stdin=b"x" * 3_000_000)
    assert (outcome.exit_code, len(stdout)) == (0, 3_000_000)


def test_an_input_that_nobody_reads_is_no_error() -> None:
    assert _watch("exit 0", stdin=b"x" * 3_000_000)[0].ended == "exited"


def test_death_by_a_signal_has_no_exit_code() -> None:
    outcome, _, _ = _watch("kill -9 $$")
    assert (outcome.exit_code, outcome.ended) == (None, "signal")


def test_the_time_out_ends_a_deaf_process_and_keeps_what_it_said() -> None:
    started = time.monotonic()
    outcome, stdout, _ = _watch("trap '' TERM; echo said; while :; do sleep 0.05; done", Limits(wall=0.3))
    assert (outcome.exit_code, outcome.ended, stdout) == (None, "timeout", "said\n")
    assert time.monotonic() - started < 3


def test_a_polite_process_may_finish_within_the_grace() -> None:
    outcome, stdout, _ = _watch("trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done", Limits(wall=0.3))
    assert (outcome.ended, stdout) == ("timeout", "bye\n")


def test_an_exceeded_cap_is_the_reason() -> None:
    supervisor = _supervisor("sleep 30", Limits(), "memory")
    assert supervisor.run(b"").ended == "memory"


def test_stop_ends_it_politely_and_is_no_time_out() -> None:
    supervisor = _supervisor("trap 'exit 0' TERM; while :; do sleep 0.05; done", Limits())
    threading.Timer(0.3, supervisor.stop, (5.0,)).start()
    outcome = supervisor.run(b"")
    supervisor.stop(1.0)  # too late, and harmless
    assert (outcome.exit_code, outcome.ended) == (0, "exited")


@given(st.lists(st.binary(max_size=40)), st.integers(min_value=2, max_value=64).map(lambda half: half * 2))
def test_head_and_tail_are_kept(chunks: list[bytes], cap: int) -> None:
    output, said = Output(cap), b"".join(chunks)
    for chunk in chunks:
        output.add(chunk)
    assert output.truncated is (len(said) > cap)
    if output.truncated:
        gap = f"\n… {len(said) - cap} bytes left out …\n".encode()
        said = said[: cap // 2] + gap + said[-(cap // 2) :]
    assert output.text() == said.decode(errors="replace")


@pytest.mark.parametrize("size", [1 << 20, 40 << 20])
def test_memory_stays_bounded_by_the_cap(size: int) -> None:
    supervisor = _supervisor(f"head -c {size} /dev/zero", Limits(output=1))
    supervisor.run(b"")
    assert len(supervisor.stdout.text()) < (1 << 20) + 100


@pytest.mark.parametrize(
    ("code", "ended"), [(0, "exited"), (128, "exited"), (129, "signal"), (192, "signal"), (193, "exited")]
)
def test_a_shells_code_for_a_signal_is_a_signal(code: int, ended: Ended) -> None:
    outcome = _watch(f"exit {code}")[0]
    assert (outcome.exit_code, outcome.ended) == (code if ended == "exited" else None, ended)


def test_an_input_that_is_empty_ends_at_once() -> None:
    started = time.monotonic()
    outcome, stdout, _ = _watch("cat; sleep 0.05; echo done", Limits(wall=60))
    assert (outcome.ended, stdout) == ("exited", "done\n")
    assert 0.05 <= outcome.seconds <= time.monotonic() - started


def test_streams_that_were_closed_early_are_no_end() -> None:
    outcome, stdout, stderr = _watch("echo a; echo b >&2; exec >&- 2>&-; sleep 0.1; exit 4")
    assert (outcome.exit_code, outcome.ended, stdout, stderr) == (4, "exited", "a\n", "b\n")


def test_who_sets_the_event_stops_the_job() -> None:
    asked = threading.Event()
    asked.set()
    pipe = subprocess.PIPE
    process = subprocess.Popen(["sleep", "60"], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True)
    outcome = Supervisor(process, _Plain(process), Limits(), asked).run(b"")
    assert (outcome.exit_code, outcome.ended) == (None, "signal")
