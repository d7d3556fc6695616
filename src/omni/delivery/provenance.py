"""Provenance: how the delivered files came to be, signed.

Formats: in-toto Statement v1 with a SLSA provenance v1 predicate, in a DSSE v1 envelope signed with Ed25519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from omni import __version__
from omni.kernel import canonical, signing
from omni.kernel.canonical import JsonValue
from omni.kernel.signing import Signer

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
PAYLOAD = "application/vnd.in-toto+json"
BUILD_TYPE = "urn:omni:build:v1"


class Build(BaseModel):
    """One run of Omni, as far as the result depends on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    request: str
    template: str
    spec_digest: str
    """`sha256:…` of spec.json."""
    commit: str
    """Of the app's repository."""
    answers: dict[str, str] = {}
    materials: dict[str, str] = {}
    """What went in, beside the specification: name → SHA-256, such as the lock files."""
    models: tuple[str, ...] = ()
    """Who wrote code, as `provider/model`; none: the template alone."""
    isolation: str
    started: datetime
    finished: datetime


def envelope(build: Build, subjects: Mapping[str, str], signer: Signer) -> bytes:
    """One line of JSON: the signed statement that `subjects` (path → SHA-256) came from this build."""
    payload = canonical.dumps(_statement(build, subjects))
    signature = signer.sign(_to_sign(payload))
    return canonical.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD,
            "signatures": [{"keyid": key_id(signer.public_key_pem), "sig": base64.b64encode(signature).decode()}],
        }
    )


def verify(line: bytes, public_key_pem: str, subjects: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with an envelope: its form, its signature, or that it is not about exactly these subjects."""
    try:
        given = json.loads(line)
        # Base64 and JSON have several spellings of one content; only the one that was written counts.
        payload = base64.b64decode(given["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in given["signatures"]]
        spelled = base64.b64encode(payload).decode() == given["payload"] and canonical.dumps(given) == line
        spelled = spelled and [base64.b64encode(one).decode() for one in signatures] == [
            one["sig"] for one in given["signatures"]
        ]
        keys = [one["keyid"] for one in given["signatures"]]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return ("the envelope can't be read",)
    if not spelled or given.keys() != {"payload", "payloadType", "signatures"} or given["payloadType"] != PAYLOAD:
        return ("the envelope is not as it was written",)
    if keys != [key_id(public_key_pem)] or not signing.verify(public_key_pem, _to_sign(payload), signatures[0]):
        return ("the signature does not fit",)
    statement = json.loads(payload)
    if statement.get("_type") != STATEMENT or statement.get("predicateType") != PREDICATE:
        return ("it is no SLSA provenance",)
    stated = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    changed = sorted(name for name in stated.keys() | subjects.keys() if stated.get(name) != subjects.get(name))
    return tuple(f"{name}: not the file that was built" for name in changed)


def key_id(public_key_pem: str) -> str:
    """How a public key is named: `SHA256:` and the hash of its PEM text."""
    return f"SHA256:{hashlib.sha256(public_key_pem.encode()).hexdigest()}"


def _statement(build: Build, subjects: Mapping[str, str]) -> dict[str, JsonValue]:
    dependencies: list[JsonValue] = [
        {"name": name, "digest": {"sha256": digest.removeprefix("sha256:")}}
        for name, digest in sorted({**build.materials, "spec.json": build.spec_digest}.items())
    ]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subjects.items())],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "request": build.request,
                    "template": build.template,
                    "answers": build.answers,
                },
                "internalParameters": {
                    "commit": build.commit,
                    "isolation": build.isolation,
                    "models": list(build.models),
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": "urn:omni:builder", "version": {"omni": __version__}},
                "metadata": {
                    "invocationId": build.run_id,
                    "startedOn": build.started.isoformat(),
                    "finishedOn": build.finished.isoformat(),
                },
            },
        },
    }


def _to_sign(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
