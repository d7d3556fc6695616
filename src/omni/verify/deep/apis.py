"""HTTP APIs outside, answered inside the sandbox as omni.toml declares them: by their OpenAPI document, or fixed."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from omni.verify.check import Context, Failed
from omni.verify.deep import stand_in
from omni.verify.deep.declared import Answer, Api
from omni.verify.deep.openapi_model import JSON, Document, Operation, read_document
from omni.verify.deep.play import WORK, Server
from omni.verify.deep.sample import misfits, sample
from omni.verify.report import Model, Status

PORT = 10280
"""Of the proxy; those of the APIs follow."""
FOLDER = "/omni-apis"
"""Where the plan and the certificates are inside."""
CALLS = "omni-deep/calls.jsonl"
LOCAL = "127.0.0.1,localhost,::1"
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where OpenSSL, requests, curl and Node look for certificates that they trust."""


class Call(Model):
    """What the program asked for."""

    host: str
    known: bool
    """Whether that host is declared."""
    method: str
    path: str
    answer: int
    """The number of the answer it got; -1: there is none for it."""
    type: str
    body: str


@dataclass(frozen=True)
class Mocked:
    """A declared API, with what it answers."""

    declared: Api
    document: Document | None

    @cached_property
    def answers(self) -> list[tuple[Operation | None, stand_in.Answer]]:
        """The fixed ones first, then those of the document, paths without parameters before others."""
        fixed = [(None, _fixed(each)) for each in self.declared.answers]
        if self.document is None:
            return list(fixed)
        operations = sorted(self.document.operations.values(), key=lambda each: (each.path.count("{"), each.path))
        base = _base(self.document)
        return [*fixed, *((each, _sampled(self.document, each, base)) for each in operations)]

    def problem(self, call: Call) -> str:
        """Why this call would fail outside; empty when nothing speaks for that."""
        if call.answer < 0:
            return f"{call.method} {call.path} is not in its contract"
        operation, _ = self.answers[call.answer]
        if operation is None or self.document is None or JSON not in operation.body:
            return ""
        if not call.body:
            return "a body is required" if operation.body_required else ""
        if call.type.partition(";")[0].strip().lower() != JSON:
            return "" if len(operation.body) > 1 else f"its body is to be {JSON}"
        try:
            value = json.loads(call.body)
        except ValueError:
            return "its body is no JSON"
        return "; ".join(misfits(self.document, operation.body[JSON], value)[:3])


def mocked(context: Context, apis: Iterable[Api]) -> list[Mocked]:
    """Raises `Failed` when a document can't be read."""
    return [Mocked(api, _document(context, api.openapi) if api.openapi else None) for api in apis]


def answering(context: Context, apis: list[Mocked], folder: Path) -> tuple[Context, Server]:
    """The context that shows a sandbox the `folder`, which is made, and what answers in it by what lies there."""
    from omni.sandbox.job import Mount  # the sandbox is loaded only when something runs in it

    folder.mkdir(mode=0o755)
    return replace(context, mounts=(*context.mounts, Mount(folder, FOLDER))), _server(apis, folder)


def _server(apis: list[Mocked], folder: Path) -> Server:
    public, private = _certificate([each.declared.host for each in apis])
    (folder / "trusted.pem").write_bytes(public)
    (folder / "server.pem").write_bytes(private)
    plan = {
        "port": PORT,
        "calls": f"{WORK}/{CALLS}",
        "certificate": f"{FOLDER}/server.pem",
        "apis": [
            {"host": each.declared.host, "port": PORT + number, "answers": [answer for _, answer in each.answers]}
            for number, each in enumerate(apis, 1)
        ],
    }
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    proxy = f"http://127.0.0.1:{PORT}"
    variables = {each.declared.variable: f"http://127.0.0.1:{PORT + number}" for number, each in enumerate(apis, 1)}
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    trusted = dict.fromkeys(TRUST, f"{FOLDER}/trusted.pem")
    local = {"NO_PROXY": LOCAL, "no_proxy": LOCAL, "NODE_USE_ENV_PROXY": "1"}
    named = {name: url for name, url in variables.items() if name}
    argv = ("python3", "-I", "-S", "-c", inspect.getsource(stand_in), f"{FOLDER}/plan.json")
    return Server("apis", argv, PORT, gives={**proxies, **trusted, **local, **named})


def calls(path: Path) -> Iterator[Call]:
    """What was asked for, as far as it was noted whole."""
    if path.is_file():
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                yield Call.model_validate_json(line)
            except ValidationError:
                continue


def _document(context: Context, path: str) -> Document:
    file = context.inventory.by_path.get(path)
    document = read_document(context.text(file)) if file and not file.problem else None
    if document is None or not document.operations:
        raise Failed(f"{path}, the contract of an API, can't be read, or has no operations", Status.INCOMPLETE)
    return document


def _base(document: Document) -> str:
    """The path of the first server; 2.0 has its own word, which is in the operations' paths already."""
    url = next((each.text("url") for each in document.root.get("servers").items()), "")
    return "" if "{" in url else urlsplit(url).path.rstrip("/")


def _fixed(answer: Answer) -> stand_in.Answer:
    body = answer.text if answer.json_ is None else json.dumps(answer.json_)
    kind = {} if answer.json_ is None else {"Content-Type": JSON}
    headers = {**kind, **answer.headers}
    return _answer(answer.method.upper(), answer.path, answer.status, headers, body)


def _sampled(document: Document, operation: Operation, base: str) -> stand_in.Answer:
    """Its first success, with the example that the document gives, else one that fits the schema."""
    successes = sorted(status for status in operation.responses if status.startswith("2"))
    status = next(iter(successes), "default")
    content = operation.responses.get(status, {})
    media = JSON if JSON in content else next(iter(content), "")
    headers, body = {}, ""
    if media:
        place = document.at(content[media].at[:-1])
        stated = [place.get("example").value, *(each.get("value").value for _, each in place.get("examples").members())]
        given = [each for each in stated if each is not None]
        value = given[0] if given else sample(document, content[media])
        headers = {"Content-Type": media}
        body = value if isinstance(value, str) and media != JSON else json.dumps(value, default=str)
    number = int(status) if status.isdigit() else 200
    return _answer(operation.method.upper(), base + operation.path, number, headers, body)


def _answer(method: str, path: str, status: int, headers: dict[str, str], body: str) -> stand_in.Answer:
    parts = re.split(r"\{[^}]*\}", path)
    pattern = "[^/]+".join(map(re.escape, parts))
    return {"method": method, "path": pattern, "status": status, "headers": headers, "body": body}


def _certificate(hosts: list[str]) -> tuple[bytes, bytes]:
    """(certificate, with its key) for all hosts, signed by itself. The key ends with the run."""
    from cryptography import x509  # brings OpenSSL, which nothing else here needs
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Omni, for one run")])
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(name)
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(identity, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = certificate.public_bytes(pem)
    return public, private + public
