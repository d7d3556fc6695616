"""What a forge says (webhooks) and is told (statuses, comments). Gitea, Forgejo and GitHub.

https://docs.gitea.com/usage/webhooks and https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import httpx

from omni.kernel.errors import Exit, OmniError, declare
from omni.server.config import Forge
from omni.server.jobs import Job, Origin
from omni.verify.outputs.comment import MARK

BAD_SIGNATURE = declare(
    "G007", "The webhook can't be believed", Exit.NOT_ALLOWED, "Give the forge the secret of gate-engine.toml."
)
BAD_EVENT = declare("G008", "The webhook is not understood", Exit.USAGE, "Send pushes and pull requests, as JSON.")

LARGEST = 5 << 20
"""Bytes of a webhook's body."""
SECONDS = 10.0
CONTEXT = "omni/verify"


@dataclass(frozen=True)
class Event:
    """One that asks for a verification."""

    url: str
    commit: str
    origin: Origin


def believed(forge: Forge, body: bytes, headers: Mapping[str, str]) -> None:
    """Compare the body's signature (HMAC-SHA256 with the forge's secret) in constant time. Raises `G007`."""
    expected = hmac.new(forge.secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    name = "x-gitea-signature" if forge.kind == "gitea" else "x-hub-signature-256"
    given = headers.get(name, "").removeprefix("sha256=")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise OmniError(BAD_SIGNATURE, "the signature is missing or another one")


def read(forge: Forge, kind: str, body: bytes) -> Event | None:
    """The commit that a push or a pull request is about; None for events that need no answer. Raises `G008`."""
    try:
        data = _object(json.loads(body))
        full = str(_object(data["repository"])["full_name"])
        if kind == "push":
            commit, number = str(data["after"]), None
        elif kind == "pull_request" and data.get("action") in {"opened", "reopened", "synchronize", "synchronized"}:
            request = _object(data["pull_request"])
            commit, number = str(_object(request["head"])["sha"]), int(str(request["number"]))
        else:
            return None
    except (ValueError, KeyError, TypeError) as problem:
        raise OmniError(BAD_EVENT, f"it lacks what such an event has: {problem}") from problem
    if set(commit) == {"0"}:
        return None  # a branch was deleted
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", commit) or not re.fullmatch(r"[\w.-]+/[\w.-]+", full):
        raise OmniError(BAD_EVENT, "it names no commit or no repository")
    return Event(f"{forge.url}/{full}.git", commit, Origin(host=forge.host, repository=full, pull_request=number))


def header(forge: Forge) -> str:
    """For git over HTTP; empty without a token."""
    token = forge.token.get_secret_value()
    if not token:
        return ""
    import base64  # only with a token

    pair = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return f"Authorization: Basic {pair}"


def answer(forge: Forge, job: Job, commit: str, comment: str, link: str) -> str:
    """Post the verdict as a status, and on a pull request the comment (in place of the last one).

    Returns what went wrong, in words; empty when nothing did or nothing is to be posted.
    """
    token = forge.token.get_secret_value()
    if not token or job.origin is None:
        return ""
    base = _api(forge)
    client = httpx.Client(
        base_url=f"{base}/repos/{quote(job.origin.repository)}",
        headers={"Authorization": f"{'Bearer' if forge.kind == 'github' else 'token'} {token}"},
        timeout=SECONDS,
        follow_redirects=False,
    )
    try:
        with client:
            client.post(f"/statuses/{commit}", json=_status(job, link)).raise_for_status()
            if job.origin.pull_request is not None and comment:
                _comment(client, job.origin.pull_request, comment)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError) as problem:  # and what is not its API
        return f"{urlsplit(base).netloc}: {type(problem).__name__}: {problem}"
    return ""


def _api(forge: Forge) -> str:
    """GitHub's own address, that of GitHub Enterprise Server, or Gitea's."""
    if forge.kind == "gitea":
        return f"{forge.url}/api/v1"
    return "https://api.github.com" if forge.host == "github.com" else f"{forge.url}/api/v3"


def _status(job: Job, link: str) -> dict[str, str]:
    state = "success" if job.passed else "pending" if job.passed is None else "failure"
    about = "is being verified" if job.passed is None else f"{job.verdict}: {len(job.reasons)} reasons"
    return {"state": state, "context": CONTEXT, "description": about, **({"target_url": link} if link else {})}


def _comment(client: httpx.Client, number: int, text: str) -> None:
    """One comment a pull request: the last one of ours is changed."""
    found = client.get(f"/issues/{number}/comments", params={"per_page": 100, "limit": 100})
    found.raise_for_status()
    comments = [_object(each) for each in found.json()]
    ours = [each["id"] for each in comments if str(each.get("body", "")).startswith(MARK)]
    if ours:
        client.patch(f"/issues/comments/{ours[-1]}", json={"body": text}).raise_for_status()
    else:
        client.post(f"/issues/{number}/comments", json={"body": text}).raise_for_status()


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return value
