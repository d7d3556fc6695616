from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from omni.kernel.database import open_database
from omni.kernel.errors import OmniError
from omni.kernel.settings import Settings
from omni.models.catalog import load_catalog
from omni.models.client import Answer
from omni.models.enabling import Wish, add
from omni.models.ledger import usage
from omni.models.probe import (
    EDIT,
    EDITED,
    Asker,
    Check,
    Finding,
    Report,
    _answers,
    _edits,
    _png,
    _schema,
    _tools,
    haystack,
    lengths,
)
from omni.models.probe_words import fit
from omni.models.probing import probe_enabled, route
from omni.models.script import Call, Record, Reply, Rule, Script, serve
from omni.models.wire import Message, ToolCall, Usage, Want


def rule(reply: str | Reply, **match: object) -> Rule:
    return Rule.model_validate({"match": match, "reply": reply, "times": 0})


ORDER = '{"customer": "Maria Okafor", "items": ["lamp", "chair", "chair"], "paid": false, "total_cents": 21950}'
EDIT_REPLY = '{"old": "return result\\n\\n\\ndef average", "new": "return result\\n\\n\\ndef average"}'
GOOD_EDIT = (
    '```json\n{"old": "def average(prices):\\n    result = 0\\n    for price in prices:\\n        result += price\\n'
    '    return result", "new": "def average(prices):\\n    result = 0\\n    for price in prices:\\n'
    '        result += price\\n    return result / len(prices)"}\n```'
)
TOOL = (
    rule("It answered: 5,821.", result_of="add"),
    rule(Reply(tool_calls=(Call(name="add", arguments={"a": 4104, "b": 1729}),)), tool="add"),
)
REST = (
    rule(ORDER, contains="Maria Okafor"),
    rule("one, two, three, four", contains="numbers from 1 to 60"),
    rule("<think>Which one? blue or red</think>Blue.", contains="colour"),
    rule("ready", contains="one word: ready"),
)
EDITS = rule(f"<think>I copy it</think>{GOOD_EDIT}", contains="prices.py")


def needles(*lengths: int) -> tuple[Rule, ...]:
    """It remembers texts of these lengths."""
    found = []
    for length in lengths:
        words = haystack(length)[1]
        found.append(rule(f"{words[0]} and {words[1]}", contains=f"word: {words[0]}."))
    return tuple(found)


ABLE = (*TOOL, EDITS, *REST, *needles(1000, 2000, 4000, 5000))


def probed(tmp_path: Path, rules: Sequence[Rule], model: str = "m", longest: int = 5000) -> tuple[Report, Settings]:
    settings = Settings(home=tmp_path, database_url="sqlite://")
    with serve(Script(rules=tuple(rules), models=(model,))) as url:
        add(settings, Wish(name="local", base_url=url))
        (report,) = probe_enabled(settings, "local", longest)
    return report, settings


def verdicts(report: Report) -> dict[str, bool | None]:
    return {finding.name: finding.ok for finding in report.findings}


def test_a_model_that_can_all_of_it(tmp_path: Path) -> None:
    report, settings = probed(tmp_path, ABLE)
    assert verdicts(report) == dict.fromkeys(
        ("answers", "streams", "tools", "schema", "edits", "sees", "context"), True
    )
    assert report.fit == snapshot(
        "Fit for building: it calls tools, keeps a schema and edits code where it was told to. "
        "It sees pictures, such as a wireframe."
    )
    assert report.finding("context").context_kept > 4000
    assert (report.calls, report.tokens > 12_000) == (11, True)
    (model,) = load_catalog(settings).enabled[0].models
    assert (model.tools, model.vision, model.context) == (True, True, report.finding("context").context_kept)


def test_a_model_that_talks_and_no_more(tmp_path: Path) -> None:
    report, settings = probed(tmp_path, [rule("Sure! I would be glad to help.")])
    assert {
        finding.name: finding.said for finding in report.findings if finding.name not in ("answers", "streams")
    } == (
        snapshot(
            {
                "tools": "it called no tool and said “Sure! I would be glad to help.”",
                "schema": "not kept (customer: Field required): “Sure! I would be glad to help.”",
                "edits": "no edit: “Sure! I would be glad to help.”",
                "sees": "it called a blue picture “Sure! I would be glad to help.”",
                "context": "forgotten in a text of about 1,000 tokens: “sure! i would be glad to help.”",
            }
        )
    )
    assert report.fit == snapshot(
        "Fit for testing the way to a model, and for nothing else: it doesn't find what stands in a short text."
    )
    (model,) = load_catalog(settings).enabled[0].models
    assert (model.tools, model.vision, model.context) == (False, False, None)


def test_a_window_that_is_cut_without_a_word_is_measured_and_noted(tmp_path: Path) -> None:
    forgets = rule("I see no code words.", contains="code words stand")
    report, settings = probed(tmp_path, (*TOOL, EDITS, *REST, *needles(1000, 2000), forgets), model="qwen3-coder:30b")
    context = report.finding("context")
    assert (context.ok, context.context_kept in range(1900, 2300), context.context_lost) == (False, True, 4000)
    assert "OLLAMA_CONTEXT_LENGTH" in report.fit
    assert load_catalog(settings).enabled[0].models[0].context == context.context_kept
    assert report.finding("sees").said == "not tried: it is said to read text only"
    (place,) = route(settings, Want(), tokens=3000)
    assert (place.place, place.why) == (0, f"about 3005 tokens don't fit into its {context.context_kept}")


def test_one_miss_is_chance(tmp_path: Path) -> None:
    first = Rule.model_validate({"match": {"contains": "code words"}, "reply": "Hm?", "times": 1})
    again = haystack(1000, again=True)[1]
    more = rule(f"{again[0]}, {again[1]}", contains=f"word: {again[0]}.")
    report, _ = probed(tmp_path, (first, more, *ABLE))
    assert report.finding("context").ok


def call(name: str, arguments: str) -> Message:
    return Message(role="assistant", tool_calls=(ToolCall(id="1", name=name, arguments=arguments),))


@pytest.mark.parametrize(
    ("check", "reply", "said"),
    [
        (_tools, call("add", '{"a": 1729'), "arguments that do not keep the schema"),
        (_tools, call("add", '{"a": 1, "b": 2}'), "a wrong call"),
        (_tools, call("sum", '{"a": 1729, "b": 4104}'), "a wrong call"),
        (_tools, call("add", '{"a": 1729, "b": 4104}'), "it ignored the result"),
        (_schema, '{"customer": "M", "items": [], "paid": "no", "total_cents": 1}', "not kept"),
        (_edits, '{"old": "return result", "new": "x"}', "the text to replace is 2 times in the file"),
        (_edits, '{"old": "return  result", "new": "x"}', "the text to replace is not in the file"),
        (_edits, EDIT_REPLY, "it changed something else"),
        (_edits, '{"old": "return result"}', "no edit"),
    ],
)
def test_what_goes_wrong_is_said(check: Check, reply: str | Message, said: str) -> None:
    message = Message(role="assistant", content=reply) if isinstance(reply, str) else reply
    answer = Answer(message=message, finish="stop", usage=Usage(), estimated=True, seconds=1, first_piece=0.5)
    found = check(Asker(lambda *_: answer))
    assert isinstance(found, tuple)
    assert (found[0], found[1].partition(":")[0].startswith(said)) == (False, True), found


def test_right_form_and_wrong_values_is_said_too() -> None:
    reply = Message(role="assistant", content=ORDER.replace("21950", "219"))
    answer = Answer(message=reply, finish="stop", usage=Usage(), estimated=True, seconds=1, first_piece=0.5)
    found = _schema(Asker(lambda *_: answer))
    assert found[0]
    assert found[1].startswith("kept, but with wrong values: ")


def test_one_that_only_thinks_does_not_answer() -> None:
    thought = Message(role="assistant", content="<think>Hm, ready or")
    answer = Answer(message=thought, finish="length", usage=Usage(), estimated=True, seconds=1, first_piece=0.5)
    found = _answers(Asker(lambda *_: answer))
    assert found == (False, "after 2,048 tokens of thought it had not begun to answer")


def test_an_error_of_the_server_is_said(tmp_path: Path) -> None:
    wrong = rule(Reply(status=400, text="json_schema is not supported"), contains="prices.py")
    report, _ = probed(tmp_path, (wrong, *ABLE), longest=1000)
    assert report.finding("edits").said == "HTTP 400: json_schema is not supported"


def test_a_model_without_temperature_is_asked_without(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="sqlite://")
    wrong = Rule.model_validate({"reply": {"status": 400, "text": "Unsupported parameter: temperature"}, "times": 1})
    record = Record()
    with serve(Script(rules=(wrong, *ABLE), models=("m",)), record) as url:
        add(settings, Wish(name="local", base_url=url))
        (report,) = probe_enabled(settings, "", 1000)
    bodies = [each.request for each in record.asked if isinstance(each.request, dict)]
    assert ["temperature" in body for body in bodies] == [True] + [False] * (len(bodies) - 1)
    assert report.finding("answers").ok


def test_what_a_probe_takes_is_in_the_ledger(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/omni.db")
    with serve(Script(rules=tuple(ABLE), models=("m",))) as url:
        add(settings, Wish(name="local", base_url=url))
        (report,) = probe_enabled(settings, "local", 1000)
    engine = open_database(settings)
    (row,) = usage(engine, ("stage", "role", "provider", "model"))
    engine.dispose()
    assert row.key == ("probe", "probe", "local", "m")
    assert (row.calls, row.prompt + row.completion) == (report.calls, report.tokens)
    assert row.gpu_seconds > 0


def test_nobody_there(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="sqlite://")
    with serve(Script(models=("m",))) as url:
        add(settings, Wish(name="local", base_url=url))
    (report,) = probe_enabled(settings, "local", 1000)
    assert list(verdicts(report).values()) == [False] + [None] * 6
    assert report.fit.startswith("It can't be used: ")
    with pytest.raises(OmniError, match="kimi-k2 is not enabled"):
        next(probe_enabled(settings, "kimi-k2", 1000))


def findings(**ok: bool) -> list[Finding]:
    names = ("answers", "streams", "tools", "schema", "edits", "sees", "context")
    return [
        Finding(name=name, ok=ok.get(name, True), said="", context_kept=32000, tokens_per_second=4.0) for name in names
    ]


def test_in_plain_words() -> None:
    said = [
        fit(findings(sees=False)),
        fit(findings(edits=False, sees=False)),
        fit(findings(tools=False, sees=False)),
        fit(findings(schema=False, edits=False)),
        fit(findings(tools=False, edits=False)),
    ]
    assert [each.partition(" It is slow")[0] for each in said] == snapshot(
        [
            "Fit for building: it calls tools, keeps a schema and edits code where it was told to.",
            "Fit for reading and judging; for writing code only with luck, since its edit went wrong.",
            "Fit for single edits and documents; not for building, which needs tools that it doesn't call.",
            "Fit for talking to tools; documents and edits of its own can't be relied on.",
            "Fit for sorting and summarising into forms; not for code.",
        ]
    )
    assert said[0].partition(" It is slow")[2] == snapshot(
        ", 4 tokens a second: a small application would take about 83 minutes."
    )


def test_texts_of_a_length() -> None:
    assert list(lengths(1000)) == [1000]
    assert list(lengths(5000)) == [1000, 2000, 4000, 5000]
    for length in (1000, 4000):
        text, words = haystack(length)
        assert length * 4 <= len(text) < length * 4 + 80
        assert text.index(words[0]) < 60
        assert abs(text.index(words[1]) - len(text) / 2) < 80
        assert haystack(length) == (text, words) != haystack(length, again=True)
    assert EDIT.count("return result") == 2
    assert EDITED.count("return result / len(prices)") == 1


def test_the_picture_is_a_picture() -> None:
    png = _png((0, 0, 255), 4)
    assert (png[:8], png[16:24]) == (b"\x89PNG\r\n\x1a\n", b"\0\0\0\x04\0\0\0\x04")
    data = png[png.index(b"IDAT") + 4 : -16]
    assert zlib.decompress(data) == (b"\0" + b"\0\0\xff" * 4) * 4
