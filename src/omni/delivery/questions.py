"""What a running app is asked, and whether its answers are right."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

HEADERS = ("x-content-type-options", "content-security-policy", "referrer-policy")
"""Every answer to a browser must carry these."""
TIMEOUT = 10.0
_UNAUTHORISED = {"401", "403"}


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Model):
    """One HTTP request of the smoke test."""

    path: str
    status: int = 200
    contains: str = ""
    body: dict[str, str] = {}
    """Sent as JSON with POST."""
    form: dict[str, str] = {}
    """Typed into the form on this page and sent as a browser does, with the form's hidden fields."""

    @property
    def name(self) -> str:
        return f"{'POST' if self.body or self.form else 'GET'} {self.path}"


class Observation(Model):
    """Something that was tried, and whether it was as it should be."""

    name: str
    ok: bool
    detail: str


def visitor(url: str) -> httpx.Client:
    """A client without a past. It sends cookies marked Secure over plain HTTP too: in staging the app believes that
    TLS ends before it, and here that place is ours.
    """

    def keep(_: httpx.Response) -> None:
        for cookie in client.cookies.jar:
            cookie.secure = False

    client = httpx.Client(base_url=url, timeout=TIMEOUT, event_hooks={"response": [keep]})
    return client


def ask(client: httpx.Client, question: Question) -> Observation:
    """Ask once. No answer at all is an observation too."""
    try:
        response = _send(client, question)
    except httpx.HTTPError as error:
        return Observation(name=question.name, ok=False, detail=str(error) or type(error).__name__)
    if response.status_code != question.status:
        return Observation(name=question.name, ok=False, detail=f"{response.status_code}, not {question.status}")
    found = question.contains in response.text
    detail = str(response.status_code) if found else f"{response.status_code} without {question.contains!r}"
    return Observation(name=question.name, ok=found, detail=detail)


def headers(client: httpx.Client, path: str) -> Observation:
    """The security headers of one page."""
    try:
        response = client.get(path)
    except httpx.HTTPError as error:
        return Observation(name=f"headers of {path}", ok=False, detail=str(error) or type(error).__name__)
    missing = [name for name in HEADERS if name not in response.headers]
    detail = f"missing: {', '.join(missing)}" if missing else ", ".join(HEADERS)
    return Observation(name=f"headers of {path}", ok=not missing, detail=detail)


def _send(client: httpx.Client, question: Question) -> httpx.Response:
    if question.body:
        return client.post(question.path, json=question.body)
    if question.form:
        return client.post(question.path, data=hidden_fields(client.get(question.path).text) | question.form)
    return client.get(question.path)


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden inputs of an HTML page (CSRF tokens and the like), by name."""
    reader = _Hidden()
    reader.feed(page)
    return reader.fields


class _Hidden(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden" and (name := given.get("name")):
            self.fields[name] = given.get("value") or ""


class _Operation(BaseModel):
    responses: dict[str, object] = {}


class _Path(BaseModel):
    get: _Operation | None = None


class _Description(BaseModel):
    """The few parts of an OpenAPI document that are read here (spec.openapis.org/oas/v3.1)."""

    openapi: str = Field(pattern=r"^3\.")
    paths: dict[str, _Path] = {}


def ask_as_described(client: httpx.Client, path: str) -> Iterator[Observation]:
    """Read the app's own OpenAPI document at `path` and ask every GET that needs no id: the answer's status must be
    one that the document names, or say that a log-in is missing.
    """
    name = f"description at {path}"
    try:
        description = _Description.model_validate_json(client.get(path).content)
    except (httpx.HTTPError, ValidationError) as error:
        yield Observation(name=name, ok=False, detail=str(error).splitlines()[0])
        return
    asked = {each: item.get for each, item in description.paths.items() if item.get and "{" not in each}
    wrong: list[str] = []
    for each, operation in asked.items():
        try:
            status = str(client.get(each).status_code)
        except httpx.HTTPError as error:
            status = str(error) or type(error).__name__
        if status not in operation.responses.keys() | _UNAUTHORISED and "default" not in operation.responses:
            wrong.append(f"GET {each} answered {status}")
    detail = "; ".join(wrong) or f"{len(asked)} of {len(asked)} GET operations answer as described"
    yield Observation(name=name, ok=not wrong and bool(asked), detail=detail)
