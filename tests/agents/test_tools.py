"""The tools, called as a model calls them: by name, with arguments as text."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.agents.tools import TOOLS, Toolbox, ToolResult
from omni.agents.tools.bash import plain
from omni.agents.tools.spec import part
from omni.agents.tools.tool import Tool, cut
from omni.agents.workspace import AgentWorkspace
from omni.kernel.settings import Settings
from omni.models.wire import ToolCall, ToolSpec
from omni.sandbox.bubblewrap import Bubblewrap
from omni.spec.asked import Question, Request
from omni.spec.compiler import compile_request

Events = list[tuple[str, Mapping[str, object]]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("import os\n\n\ndef main(name):\n    return name\n")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_main.py").write_text("def test_main():\n    pass\n")
    return folder


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def toolbox(root: Path, tmp_path: Path, events: Events) -> Toolbox:
    return Toolbox(
        AgentWorkspace(root, ("tests",)),
        Bubblewrap(),
        Settings(home=tmp_path / "home", database_url="sqlite://"),
        tell=lambda kind, data: events.append((kind, data)),
    )


def _call(toolbox: Toolbox, name: str, **arguments: object) -> ToolResult:
    return toolbox.call(ToolCall(id="c1", name=name, arguments=json.dumps(arguments)))


def _written(toolbox: Toolbox, name: str, arguments: str) -> ToolResult:
    return toolbox.call(ToolCall(id="c1", name=name, arguments=arguments))


def test_what_a_model_is_told() -> None:
    assert list(TOOLS) == ["bash", "read", "search", "edit", "write", "verify", "spec", "ask"]
    assert {name for name, tool in TOOLS.items() if tool.writes} == {"bash", "edit", "write", "ask"}
    assert "$ref" not in json.dumps([tool.spec.parameters for tool in TOOLS.values()])
    assert TOOLS["edit"].spec.parameters == snapshot(
        {
            "additionalProperties": False,
            "properties": {
                "path": {"description": "From the top of the project: src/main.py", "type": "string"},
                "edits": {
                    "items": {
                        "additionalProperties": False,
                        "description": "`new` in the place of `old`.",
                        "properties": {
                            "old": {
                                "description": (
                                    "Text of the file, with enough lines around the change that it is there just once."
                                ),
                                "type": "string",
                            },
                            "new": {"description": "What is to be there instead; empty: nothing.", "type": "string"},
                            "times": {
                                "default": 1,
                                "description": "How many places have `old` and are all to be changed.",
                                "maximum": 1000,
                                "minimum": 1,
                                "type": "integer",
                            },
                        },
                        "required": ["old", "new"],
                        "type": "object",
                    },
                    "minItems": 1,
                    "type": "array",
                },
            },
            "required": ["path", "edits"],
            "type": "object",
        }
    )


def test_only_what_is_granted(toolbox: Toolbox, events: Events, root: Path) -> None:
    reviewer = Toolbox(
        toolbox.workspace, toolbox.driver, toolbox.settings, allowed=("read", "search"), tell=toolbox.tell
    )
    assert [spec.name for spec in reviewer.specs] == ["read", "search"]
    result = _call(reviewer, "write", path="src/main.py", content="")
    assert result == ToolResult(text="The tool `write` is not granted for this task. Yours: read, search.", ok=False)
    assert _call(reviewer, "rm_rf").text == "There is no tool `rm_rf`. Yours: read, search."
    assert (root / "src/main.py").read_text().startswith("import os")
    assert events == snapshot(
        [
            (
                "agent.refused",
                {
                    "tool": "write",
                    "refusal": "tool",
                    "why": "The tool `write` is not granted for this task. Yours: read, search.",
                },
            ),
            (
                "agent.refused",
                {"tool": "rm_rf", "refusal": "tool", "why": "There is no tool `rm_rf`. Yours: read, search."},
            ),
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"path": "src/main.py"', "they end too early"),
        ('{"path": "src/ma', "they end too early"),
        ('{"path": "a "quoted" name"}', 'write \\" for a quote'),
        ("path=src/main.py", "are no JSON"),
        ("[1]", "must be one JSON object"),
        ("null", "must be one JSON object"),
        ('{"path": 7}', "path: Input should be a valid string"),
        ('{"file": "x"}', "path: Field required"),
        ('{"path": "x", "first": 0}', "first: Input should be greater than or equal to 1"),
        ("[" * 100_000, "can't be read"),
        ('{"path": ' + "9" * 5000 + "}", "can't be read"),
    ],
)
def test_bad_arguments_get_help(toolbox: Toolbox, events: Events, arguments: str, said: str) -> None:
    result = _written(toolbox, "read", arguments)
    assert not result.ok
    assert said in result.text
    assert [(kind, data["tool"], data["refusal"]) for kind, data in events] == [("agent.refused", "read", "arguments")]


@pytest.mark.parametrize(
    "arguments",
    [
        '{"path": "src/main.py", "first": 4}',
        '```json\n{"path": "src/main.py", "first": 4}\n```',
        '"{\\"path\\": \\"/work/src/main.py\\", \\"first\\": 4}"',
        ' {"path": "./src//main.py", "first": "4"} ',
    ],
)
def test_arguments_are_read_leniently(toolbox: Toolbox, arguments: str) -> None:
    assert _written(toolbox, "read", arguments).text == snapshot("""\
     4	def main(name):
     5	    return name
(lines 4-5 of 5)\
""")


keys = st.sampled_from(["path", "old", "new", "edits", "content", "first", "question", "part"])
values = st.none() | st.text() | st.integers() | st.lists(st.text(), max_size=2)


@given(
    name=st.sampled_from(["read", "edit", "write", "spec", "ask", "x"]),
    arguments=st.text() | st.dictionaries(keys, values).map(json.dumps),
)
@settings(max_examples=80, deadline=None)
def test_nothing_that_a_model_writes_raises(
    tmp_path_factory: pytest.TempPathFactory, name: str, arguments: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    events: Events = []
    settings_ = Settings(home=folder / "home", database_url="sqlite://")
    box = Toolbox(AgentWorkspace(folder), Bubblewrap(), settings_, tell=lambda kind, data: events.append((kind, data)))
    result = _written(box, name, arguments)
    json.dumps([result.text, events]).encode()
    result.text.encode()
    assert result.ok or events or name == "spec"


def test_read(toolbox: Toolbox, root: Path) -> None:
    assert _call(toolbox, "read", path="src/main.py", first=4, last=9).text == snapshot("""\
     4	def main(name):
     5	    return name
(lines 4-5 of 5)\
""")
    assert _call(toolbox, "read", path=".").text == "src/\ntests/"
    (root / "empty").touch()
    (root / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    (root / "picture").write_bytes(b"\x89PNG\0\0")
    (root / "long").write_text("x" * 5000 + "\n" + "line\n" * 3000)
    assert _call(toolbox, "read", path="empty").text == "(the file is empty)"
    assert _call(toolbox, "read", path="dos.txt").text == "     1\tone\n     2\ttwo\n(lines end with CRLF)"
    assert (
        _call(toolbox, "read", path="picture").text == "picture is binary: 6 bytes, beginning with 89 50 4e 47 00 00."
    )
    long = _call(toolbox, "read", path="long").text.split("\n")
    assert (long[0][-24:], long[-1]) == ("… (3000 characters more)", "(lines 1-1000 of 3001)")
    assert _call(toolbox, "read", path="long", first=4000).text == "(the file has 3001 lines)"


def test_search(toolbox: Toolbox, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("def main(): canary\n")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    (root / "linked").symlink_to(tmp_path)
    (root / ".git").mkdir()
    (root / ".git" / "x.py").write_text("def main\n")
    assert _call(toolbox, "search", pattern=r"def \w+", files="*.py").text == snapshot("""\
src/main.py:4:def main(name):
tests/test_main.py:1:def test_main():\
""")
    assert _call(
        toolbox, "search", pattern="MAIN(", literal=True, ignore_case=True, files="src/**/*.py", around=1
    ).text == snapshot("""\
src/main.py-3-
src/main.py:4:def main(name):
src/main.py-5-    return name\
""")
    assert _call(toolbox, "search", pattern="canary").text == "No match in 2 files."
    assert "no regular expression" in _call(toolbox, "search", pattern="(").text


def test_a_search_that_takes_for_ever_is_stopped(toolbox: Toolbox, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omni.agents.tools.search.SECONDS", 0.5)
    (root / "evil").write_text("a" * 60 + "b\n")
    result = _call(toolbox, "search", pattern="(a+)+$")
    assert (result.ok, result.text[:34]) == (False, "Stopped after 0 s: the pattern tak")


def test_edit(toolbox: Toolbox, root: Path, events: Events) -> None:
    edits = [
        {"old": "return name\n", "new": "return name.title()\n"},
        {"old": "def start(name):\n", "new": "def begin(name):\n"},
    ]
    result = _call(toolbox, "edit", path="src/main.py", edits=edits)
    assert result == snapshot(
        ToolResult(
            text="""\
src/main.py:
Edit 1 of 2: applied at line 5.
Edit 2 of 2: refused: `old` is not in the file. Did you mean line 4? (83% alike; `-` is the file's, `+` is yours)
- def main(name):
+ def start(name):
Copy the file's lines into `old` and try again.
1 of 2 are done and stay; send only the refused.\
""",
            ok=False,
        )
    )
    assert (root / "src/main.py").read_text().endswith("    return name.title()\n")
    assert [(kind, data["refusal"]) for kind, data in events] == [("agent.refused", "edit")]


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "src/main.py", "old": "import os", "new": "import re"},
        {"path": "src/main.py", "edits": {"old": "import os", "new": "import re"}},
        {"path": "src/main.py", "edits": '[{"old": "import os", "new": "import re"}]'},
    ],
)
def test_edit_in_other_forms(toolbox: Toolbox, root: Path, arguments: dict[str, object]) -> None:
    assert _call(toolbox, "edit", **arguments).text == "src/main.py:\napplied at line 1."
    assert (root / "src/main.py").read_text().startswith("import re\n")


def test_edit_keeps_bytes_that_are_no_utf8(toolbox: Toolbox, root: Path) -> None:
    (root / "latin").write_bytes(b"caf\xe9 = 1\nnext = 2\n")
    assert _call(toolbox, "edit", path="latin", old="next = 2", new="next = 3").ok
    assert (root / "latin").read_bytes() == b"caf\xe9 = 1\nnext = 3\n"
    assert "not UTF-8" in _call(toolbox, "edit", path="latin", old="next = 3", new="thé = 3").text
    (root / "wide").write_bytes("next = 2\n".encode("utf-16"))
    assert "binary (or UTF-16)" in _call(toolbox, "edit", path="wide", old="next", new="last").text


def test_edit_and_write_leave_protected_files_alone(toolbox: Toolbox, root: Path, events: Events) -> None:
    _call(toolbox, "edit", path="tests/test_main.py", old="pass", new="assert False")
    _call(toolbox, "write", path="tests/test_new.py", content="")
    assert [data["refusal"] for _, data in events] == ["protected", "protected"]
    assert (root / "tests/test_main.py").read_text() == "def test_main():\n    pass\n"
    assert [each.name for each in (root / "tests").iterdir()] == ["test_main.py"]


def test_write(toolbox: Toolbox, root: Path) -> None:
    assert _call(toolbox, "write", path="docs/a.md", content="# A\n").text == "docs/a.md: made, 1 lines."
    assert _call(toolbox, "write", path="docs/a.md", content="# B\n\n").text == "docs/a.md: replaced, 2 lines."
    lost = _call(toolbox, "write", path="src/main.py", content="import os\n# ... rest of the code ...\n")
    assert not lost.ok
    assert "would lose what it stands for" in lost.text
    assert "half a character" in _call(toolbox, "write", path="x", content="\ud800").text


def test_spec(toolbox: Toolbox) -> None:
    assert "no specification" in _call(toolbox, "spec").text
    built = Toolbox(
        toolbox.workspace,
        toolbox.driver,
        toolbox.settings,
        compile_request(Request(text="a todo app")),
        tell=toolbox.tell,
    )
    assert _call(built, "spec").text.startswith("# ")
    assert _call(built, "spec", part="data").text.startswith("## Data\n")
    assert "Headings: " in _call(built, "spec", part="Antimatter").text


def test_part_of_a_document() -> None:
    document = "# T\n\n## Data\n\nrows\n\n### Todo\n\ntitle\n\n## Criteria\n\n- C1 one\n- C12 two Todo\n"
    assert part(document, "Data") == "## Data\n\nrows\n\n### Todo\n\ntitle\n\n"
    assert part(document, "C1") == "## Criteria\n- C1 one\n"
    assert part(document, "C3") == ""


def test_ask(toolbox: Toolbox, events: Events) -> None:
    assumed = _call(toolbox, "ask", question="Which colour?", default="blue", options=["blue", "red"])
    assert assumed.text == "Nobody is there to answer. Assumed and written down: blue"
    asked: list[Question] = []

    def person(question: Question) -> str:
        asked.append(question)
        return " red "

    there = Toolbox(toolbox.workspace, toolbox.driver, toolbox.settings, tell=toolbox.tell, person=person)
    assert _call(there, "ask", question="Which colour?", default="blue").text == "The answer: red"
    assert asked[0].default == "blue"
    assert [(kind, data["answer"], data["assumed"]) for kind, data in events] == [
        ("agent.asked", "blue", True),
        ("agent.asked", "red", False),
    ]


def test_reading_calls_run_side_by_side_and_writing_ones_in_order(
    toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3)
    order: list[str] = []

    def meet(_given: object, _toolbox: Toolbox) -> ToolResult:
        together.wait(timeout=30)  # passes only when three are here at once
        return ToolResult(text="met")

    def note(given: object, _toolbox: Toolbox) -> ToolResult:
        assert isinstance(given, dict)
        order.append(str(given["path"]))
        return ToolResult(text=str(given["path"]))

    spec = ToolSpec(name="x", description="", parameters={})
    tools = {**TOOLS, "read": Tool(spec, meet, writes=False), "write": Tool(spec, note, writes=True)}
    monkeypatch.setattr("omni.agents.tools.toolbox.TOOLS", tools)
    names = ["write", "read", "read", "read", "write", "write"]
    calls = [
        ToolCall(id=str(number), name=name, arguments=json.dumps({"path": str(number)}))
        for number, name in enumerate(names)
    ]
    assert [result.text for result in toolbox.calls(calls)] == ["0", "met", "met", "met", "4", "5"]
    assert order == ["0", "4", "5"]


def test_output_is_cut_in_the_middle() -> None:
    text = "".join(f"line {number}\n" for number in range(1000))
    short = cut(text, 200)
    assert short.startswith("line 0\n")
    assert short.endswith("line 999\n")
    assert "characters left out" in short
    assert len(short) < 300
    assert cut("short", 200) == "short"


def test_output_without_colours_and_progress_bars() -> None:
    assert plain("\x1b[31mred\x1b[0m\n 10%\r 50%\r100%\r\nend\r\n") == "red\n100%\nend\n"


@pytest.mark.host
def test_bash(toolbox: Toolbox, root: Path, events: Events) -> None:
    script = "head -1 src/main.py; echo wrong >&2; echo new > new.txt; rm src/main.py; touch tests/x; ln -s / l; exit 3"
    result = _call(toolbox, "bash", command=script)
    shown = result.text.split("\n")
    assert (result.ok, shown[:2], shown[2][:12], shown[3:]) == snapshot(
        (
            False,
            ["import os", "wrong"],
            "[exit code 3",
            [
                "Changed: new.txt",
                "Deleted: src/main.py",
                "Not brought back: l: symbolic link, tests/x: protected by the task; it stays as it is",
            ],
        )
    )
    assert (root / "new.txt").read_text() == "new\n"
    assert not (root / "src/main.py").exists()
    assert [data["refusal"] for _, data in events] == ["protected"]


@pytest.mark.host
def test_bash_says_when_time_is_over(toolbox: Toolbox) -> None:
    result = _call(toolbox, "bash", command="echo begun; sleep 30", seconds=1)
    assert (result.ok, result.text) == snapshot(
        (
            False,
            """\
begun
[stopped: it took longer than 1 s. Give it less to do, or more `seconds`]\
""",
        )
    )


@pytest.mark.host
def test_bash_has_no_network_and_no_secrets(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_CANARY", "canary")
    script = "env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'; (echo > /dev/tcp/1.1.1.1/53) 2>&1 | tail -1"
    text = _call(toolbox, "bash", command=script).text
    assert "canary" not in text
    assert "unreachable" in text


@pytest.mark.host
@pytest.mark.slow
def test_verify(toolbox: Toolbox, root: Path) -> None:
    (root / "src/main.py").write_text("def main(name):\n    return nme\n")
    result = _call(toolbox, "verify", tier=1)
    assert not result.ok
    assert result.text.startswith("fail: ")
    assert "src/main.py:2 error ruff-lint/F821: Undefined name `nme`" in result.text
