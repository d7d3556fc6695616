"""Runs inside the sandbox, with pact-python: each Pact file against the provider that is served there.

Arguments: the file to write, the provider's URL, the URL of its state handler (or empty), headers as JSON, and the Pact
files. What it writes is JSON: file → the results of Pact's verifier, or `{"problem": why it could not be read}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main(out: str, url: str, states: str, headers: str, *files: str) -> None:
    results = {file: verify(file, url, states, json.loads(headers)) for file in files}
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text(json.dumps(results), "utf-8")


def verify(file: str, url: str, states: str, headers: dict[str, str]) -> object:
    # omni: allow undeclared-import because it runs in the sandbox, in the tool set that brings it
    from pact import Verifier  # type: ignore[import-not-found]  # only inside the sandbox

    provider = json.loads(Path(file).read_text("utf-8"))["provider"]["name"]
    verifier = Verifier(provider, host=urlsplit(url).hostname).add_transport(url=url).add_source(file)
    verifier.set_request_timeout(10000).add_custom_headers(headers)
    if states:
        verifier.state_handler(states, body=True)
    problem = ""
    try:
        verifier.verify()
    except RuntimeError as error:
        problem = str(error)  # also for a mismatch, which the results name
    try:
        return verifier.results
    except RuntimeError:
        return {"problem": problem}


if __name__ == "__main__":
    main(*sys.argv[1:])
