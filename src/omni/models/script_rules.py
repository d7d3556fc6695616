"""A script: what the scripted model server answers, as rules in a YAML or TOML file.

The first rule that matches a request and is not used up answers it. Nothing matches: the request is unexpected.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator, model_validator

from omni.kernel.errors import Exit, OmniError, declare
from omni.models.wire import Finish, Model, Usage

BAD_SCRIPT = declare(
    "M020", "The script can't be used", Exit.USAGE, "Correct the file; see docs/tasks/scripted-models.md."
)

Json = Mapping[str, JsonValue]


class Match(Model):
    """What a request has to be. All that is given has to hold; nothing given matches every request."""

    contains: str = ""
    """In the text of the last message."""
    regex: str = ""
    """Found in the text of the last message (Python's `re`, `.` matches line ends)."""
    anywhere: str = ""
    """In the text of any message."""
    system: str = ""
    """In the system message: tells roles apart."""
    model: str = ""
    """The name that is asked for, exactly."""
    key: str = ""
    """The bearer key, exactly."""
    tool: str = ""
    """A tool of this name is offered."""
    result_of: str = ""
    """The last message is the result of a call of this tool, or of the call with this id."""
    turn: Annotated[int, Field(ge=0)] = 0
    """Messages of the assistant so far, plus one: the same request has the same turn, however often it is sent."""
    request: Annotated[int, Field(ge=0)] = 0
    """Chat requests that the server has seen, this one included."""

    @field_validator("regex")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value, re.DOTALL)
        except re.error as problem:
            raise ValueError(f"not a regular expression: {problem}") from problem
        return value


class Call(Model):
    """A tool call. `arguments` as text is sent as it stands, also when it is no JSON."""

    name: str
    arguments: dict[str, JsonValue] | str = Field(default_factory=dict)
    id: str = ""
    """Empty: `call_<turn>_<place>`."""


class Reply(Model):
    """What is answered, how fast, and what goes wrong on the way."""

    text: str = ""
    pieces: tuple[str, ...] = ()
    """The text, cut as it is to be streamed; else it is streamed word by word."""
    tool_calls: tuple[Call, ...] = ()
    refusal: str = ""
    """The model declines, in the words of OpenAI's field of this name."""
    finish: Finish | None = None
    usage: Usage | None = None
    """Else about four characters a token."""
    status: Annotated[int, Field(ge=200, le=599)] = 200
    """Other than 200: an error in OpenAI's shape, with `text` as its message."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Such as `Retry-After`."""
    body: str = ""
    """The whole body, word for word, in place of all that."""
    delay: Annotated[float, Field(ge=0)] = 0.0
    """Seconds before the answer begins."""
    pace: Annotated[float, Field(ge=0)] = 0.0
    """Seconds between two pieces of it."""
    fault: Literal["", "hang", "cut", "garbage"] = ""
    """hang: silence. cut: the connection is closed. garbage: bytes that mean nothing."""
    after: Annotated[int, Field(ge=0)] = 0
    """The fault comes after this many pieces; 0: before the first byte. A reply that isn't streamed has two pieces."""
    seconds: Annotated[float, Field(ge=0)] = 0.0
    """How long a hang takes before the answer goes on; 0: until the client has left."""

    @model_validator(mode="after")
    def _says_something(self) -> Reply:
        said = self.text or self.pieces or self.tool_calls or self.refusal or self.body or self.fault
        if not said and self.status == 200 and self.finish is None:
            raise ValueError("says nothing: give text, pieces, tool_calls, refusal, status, body or fault")
        if self.text and self.pieces:
            raise ValueError("give text or pieces, not both")
        if (self.after or self.seconds) and not self.fault:
            raise ValueError("after and seconds belong to a fault")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """The text as it is streamed."""
        return self.pieces or tuple(re.findall(r"\s*\S+\s*", self.text)) or ((self.text,) if self.text else ())


class Rule(Model):
    match: Match = Match()
    reply: Reply
    times: Annotated[int, Field(ge=0)] = 1
    """How often it answers; 0: without end."""

    @field_validator("reply", mode="before")
    @classmethod
    def _text_alone(cls, value: object) -> object:
        return {"text": value} if isinstance(value, str) else value


class Script(Model):
    rules: tuple[Rule, ...] = ()
    models: tuple[str, ...] = ("scripted",)
    """What `/v1/models` lists."""
    keys: tuple[str, ...] = ()
    """Bearer keys that are let in; none: everybody."""
    dimensions: Annotated[int, Field(ge=1, le=4096)] = 256
    """Of an embedding, if the request names no number."""


def load(path: Path) -> Script:
    """The script in a file: TOML where it ends so, else YAML. Raises `M020` with the rule's number and why."""
    try:
        text = path.read_text("utf-8")
        content: object = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
        return Script.model_validate(content)
    except ValidationError as problem:
        raise OmniError(BAD_SCRIPT, _explained(problem), where=str(path)) from problem
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError) as problem:
        raise OmniError(BAD_SCRIPT, str(problem), where=str(path)) from problem


def _explained(problem: ValidationError) -> str:
    """The first problem: `rule 3, reply.delay: …`."""
    error = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    match error["loc"]:
        case ("rules", int(index), *rest):
            place = ", ".join(filter(None, (f"rule {index + 1}", ".".join(map(str, rest)))))
        case rest:
            place = ".".join(map(str, rest)) or "the script"
    why = "there is no such field" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    return f"{place}: {why}"


class Question(Model):
    """A chat request as rules see it. What a client sends is read leniently: a field of another type is absent."""

    number: int
    key: str
    body: dict[str, JsonValue]

    @property
    def messages(self) -> list[Json]:
        return [each for each in _items(self.body.get("messages")) if isinstance(each, dict)]

    @property
    def model(self) -> str:
        return _text(self.body.get("model"))

    @property
    def turn(self) -> int:
        return 1 + sum(each.get("role") == "assistant" for each in self.messages)

    @property
    def last(self) -> str:
        return _text(self.messages[-1].get("content")) if self.messages else ""

    @property
    def tools(self) -> list[str]:
        offered = [each for each in _items(self.body.get("tools")) if isinstance(each, dict)]
        return [_text(_field(each.get("function"), "name")) for each in offered]

    def texts(self, role: str = "") -> str:
        """The text of all messages, or of those of a role."""
        chosen = (each for each in self.messages if role in ("", each.get("role")))
        return "\n".join(_text(each.get("content")) for each in chosen)

    def answered(self) -> list[str]:
        """Names and ids of the calls whose results stand at the end."""
        found = []
        calls = [call for each in self.messages for call in _items(each.get("tool_calls"))]
        names = {_text(_field(call, "id")): _text(_field(_field(call, "function"), "name")) for call in calls}
        for each in reversed(self.messages):
            if each.get("role") != "tool":
                break
            call = _text(each.get("tool_call_id"))
            found += [call, names.get(call, "")]
        return found


def _items(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


def _field(value: JsonValue, name: str) -> JsonValue:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: JsonValue) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(value, list):
        return "\n".join(_text(_field(part, "text")) for part in value)
    return value if isinstance(value, str) else ""


def misses(rule: Rule, question: Question, used: int) -> list[str]:
    """Why a rule does not answer a question; empty: it does."""
    want = rule.match
    conditions = (
        (not rule.times or used < rule.times, f"it has answered {used} of {rule.times} times"),
        (not want.model or want.model == question.model, f"the model is “{question.model}”, not “{want.model}”"),
        (not want.key or want.key == question.key, "the key is another"),
        (not want.turn or want.turn == question.turn, f"this is turn {question.turn}, not {want.turn}"),
        (not want.request or want.request == question.number, f"this is request {question.number}, not {want.request}"),
        (want.contains in question.last, f"the last message lacks “{want.contains}”"),
        (bool(re.search(want.regex, question.last, re.DOTALL)), f"the last message does not match “{want.regex}”"),
        (want.anywhere in question.texts(), f"no message has “{want.anywhere}”"),
        (want.system in question.texts("system"), f"the system message lacks “{want.system}”"),
        (not want.tool or want.tool in question.tools, f"no tool “{want.tool}” is offered"),
        (
            not want.result_of or want.result_of in question.answered(),
            f"the last message is no result of “{want.result_of}”",
        ),
    )
    return [why for holds, why in conditions if not holds]


def choose(rules: Sequence[Rule], question: Question, used: Mapping[int, int]) -> tuple[int, str]:
    """The number of the rule that answers (from 1); or 0 and which one almost did, and why not."""
    closest = (99, 0, "the script has no rules")
    for number, rule in enumerate(rules, 1):
        why = misses(rule, question, used.get(number, 0))
        if not why:
            return number, ""
        closest = min(closest, (len(why), number, f"rule {number} almost matched, but {' and '.join(why)}"))
    return 0, closest[2]
