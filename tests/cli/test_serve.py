"""Services as a person starts them: the address is said once somebody listens there, a taken one is an error."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx


def test_a_service_says_where_it_is_and_a_taken_address_is_refused(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OMNI_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "omni", "serve", "gate-engine", "--port"]
    with subprocess.Popen([*command, "0"], stderr=subprocess.PIPE, text=True, env=environ) as first:
        assert first.stderr
        said = first.stderr.readline()
        found = re.fullmatch(r"gate engine on (http://127\.0\.0\.1:(\d+)); the token is in (\S+)\n", said)
        assert found, said
        assert Path(found[3]).stat().st_mode & 0o777 == 0o600
        assert httpx.get(f"{found[1]}/health", timeout=60, trust_env=False).status_code == 200
        second = subprocess.run([*command, found[2]], capture_output=True, text=True, env=environ)
        assert second.returncode == 3
        assert f"where: 127.0.0.1:{found[2]}\n" in second.stderr
        assert "Traceback" not in second.stderr
        first.send_signal(signal.SIGINT)
        assert (first.wait(60), first.stderr.read()) == (0, "")
