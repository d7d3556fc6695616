from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni import __version__
from omni.delivery.provenance import Build, envelope, key_id, verify
from omni.kernel import canonical
from omni.kernel.signing import Signer
from omni.kernel.signing import verify as signature_fits

_SIGNER = Signer.generate()
_KEY = _SIGNER.public_key_pem
_SUBJECTS = {"app.tar.gz": "aa" * 32, "spec.json": "bb" * 32}
_BUILD = Build(
    run_id="r1",
    request="a todo app",
    template="web-app",
    spec_digest="sha256:" + "bb" * 32,
    commit="c0ffee",
    answers={"Q1": "yes"},
    materials={"requirements.lock": "cc" * 32},
    models=("local/coder",),
    isolation="full",
    started=datetime(2026, 11, 21, 9, tzinfo=UTC),
    finished=datetime(2026, 11, 21, 10, tzinfo=UTC),
)
_LINE = envelope(_BUILD, _SUBJECTS, _SIGNER)


def test_the_statement_says_what_came_from_what() -> None:
    statement = json.loads(base64.b64decode(json.loads(_LINE)["payload"]))
    assert statement["predicate"]["runDetails"]["builder"].pop("version") == {"omni": __version__}
    assert statement == snapshot(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "urn:omni:build:v1",
                    "externalParameters": {
                        "answers": {"Q1": "yes"},
                        "request": "a todo app",
                        "template": "web-app",
                    },
                    "internalParameters": {"commit": "c0ffee", "isolation": "full", "models": ["local/coder"]},
                    "resolvedDependencies": [
                        {"digest": {"sha256": "cc" * 32}, "name": "requirements.lock"},
                        {"digest": {"sha256": "bb" * 32}, "name": "spec.json"},
                    ],
                },
                "runDetails": {
                    "builder": {"id": "urn:omni:builder"},
                    "metadata": {
                        "finishedOn": "2026-11-21T10:00:00+00:00",
                        "invocationId": "r1",
                        "startedOn": "2026-11-21T09:00:00+00:00",
                    },
                },
            },
            "predicateType": "https://slsa.dev/provenance/v1",
            "subject": [
                {"digest": {"sha256": "aa" * 32}, "name": "app.tar.gz"},
                {"digest": {"sha256": "bb" * 32}, "name": "spec.json"},
            ],
        }
    )


def test_the_envelope_is_dsse_on_one_line() -> None:
    assert b"\n" not in _LINE
    given = json.loads(_LINE)
    payload = base64.b64decode(given["payload"])
    # DSSE v1, written out by hand: what a verifier of another make computes.
    encoded = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(payload)).encode() + b" " + payload
    assert given["payloadType"] == "application/vnd.in-toto+json"
    assert given["signatures"][0]["keyid"] == key_id(_KEY)
    assert signature_fits(_KEY, encoded, base64.b64decode(given["signatures"][0]["sig"]))
    assert envelope(_BUILD, _SUBJECTS, _SIGNER) == _LINE


def test_it_verifies_for_its_own_subjects_and_key_alone() -> None:
    assert verify(_LINE, _KEY, _SUBJECTS) == ()
    assert verify(_LINE, Signer.generate().public_key_pem, _SUBJECTS) == ("the signature does not fit",)
    other = {"app.tar.gz": "00" * 32, "more": "bb" * 32}
    assert verify(_LINE, _KEY, other) == tuple(
        f"{name}: not the file that was built" for name in ("app.tar.gz", "more", "spec.json")
    )


def test_every_flipped_byte_is_found() -> None:
    for position in range(len(_LINE)):
        for flip in (0x01, 0x02, 0x20, 0x80):
            changed = bytearray(_LINE)
            changed[position] ^= flip
            assert verify(bytes(changed), _KEY, _SUBJECTS), (position, flip)


@given(st.binary() | st.text().map(lambda text: json.dumps({"payload": text, "signatures": []}).encode()))
def test_garbage_is_refused_without_a_crash(line: bytes) -> None:
    assert verify(line, _KEY, {})


@pytest.mark.parametrize("payload", [b"{}", b'{"_type":"https://in-toto.io/Statement/v1"}'])
def test_another_statement_with_a_good_signature_is_no_provenance(payload: bytes) -> None:
    to_sign = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    signature = {"keyid": key_id(_KEY), "sig": base64.b64encode(_SIGNER.sign(to_sign)).decode()}
    line = {"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json"}
    assert verify(canonical.dumps(line | {"signatures": [signature]}), _KEY, {}) == ("it is no SLSA provenance",)
