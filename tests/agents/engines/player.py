#!/usr/bin/env python3
"""Stands for an engine that can't be installed here: checks that it is called as its documentation says, then works as
that describes. Standard library only; it runs in the sandbox.
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

RECORDING = json.loads(Path(sys.argv[0]).resolve().with_suffix(".json").read_text())


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        print("1.2.3")
        return
    given = ["*" if want == "*" else got for got, want in zip(sys.argv[1:], RECORDING["argv"], strict=False)]
    if given != RECORDING["argv"] or len(sys.argv) - 1 != len(given):
        sys.exit(f"called as {sys.argv[1:]}, documented as {RECORDING['argv']}")
    base = RECORDING["base"].format(*sys.argv, **os.environ)
    messages = [{"role": "user", "content": " ".join(sys.argv[1:])}]
    while True:
        message = _asked(base, messages)
        calls = message.get("tool_calls") or []
        messages.append(message)
        if not calls:
            print(message["content"])
            return
        for call in calls:
            if call["function"]["name"] != RECORDING["tool"]:
                return
            command = json.loads(call["function"]["arguments"])["command"]
            done = subprocess.run(["/bin/sh", "-c", command], capture_output=True)
            said = (done.stdout + done.stderr).decode(errors="replace")
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": said})


def _asked(base: str, messages: list[dict[str, object]]) -> dict[str, object]:
    tool = {"type": "function", "function": {"name": RECORDING["tool"], "parameters": {"type": "object"}}}
    body = json.dumps({"model": "engine", "messages": messages, "tools": [tool]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer omni"}
    request = urllib.request.Request(f"{base}/chat/completions", body, headers)  # noqa: S310 - http alone
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
            return json.load(answer)["choices"][0]["message"]
    except urllib.error.HTTPError as error:
        sys.exit(f"the model does not answer: {error.code}")


if __name__ == "__main__":
    main()
