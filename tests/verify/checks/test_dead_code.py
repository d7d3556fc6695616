from __future__ import annotations

from collections.abc import Callable

from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]
Told = Callable[..., str]
Found = Callable[..., list[str]]

CODE = """import framework


def used():
    return 1


def dead():
    return 2


def by_name():
    return 3


def by_entry_point():
    return 4


@framework.route
def decorated():
    return 5


def only_tested():
    return 6


class Handler(framework.Base):
    def on_message(self):
        return used()


def main(kind):
    return getattr(kind, "by_name")(), Handler
"""


def test_unused(found: Found) -> None:
    files = {
        "app/a.py": CODE,
        "tests/test_a.py": "from app.a import only_tested\n\ndef test_a():\n    assert only_tested() == 6\n",
        "pyproject.toml": '[project]\nname = "a"\n[project.scripts]\na = "app.a:main"\nb = "app.a:by_entry_point"\n',
    }
    assert found("dead-code", files) == ["warning unused app/a.py:8", "note unused app/a.py:25"]


def test_a_library_offers_what_it_does_not_use(found: Found) -> None:
    files = {
        "lib.py": "def offered():\n    return 1\n\n\ndef _dead():\n    return 2\n",
        "pyproject.toml": '[project]\nname = "a"\n',
    }
    assert found("dead-code", files) == ["note unused lib.py:1", "warning unused lib.py:5"]


def test_message(look: Look) -> None:
    result = look("dead-code", {"a.py": "def dead():\n    return 2\n"})
    assert [each.message for each in result.findings] == [
        "function `dead` is used nowhere: no code and no text has its name"
    ]
    assert result.metrics == {"dead_code.unused": 1}


def test_what_may_be_called_from_outside_is_not_judged(told: Told) -> None:
    """A hook, a decorated class, a method that a base may call; what is imported and not used is another check's."""
    source = (
        "import json\n\nLIMIT = 3\n\n\n@register\nclass Route:\n    def dead(self):\n        return 1\n\n\n"
        "class Gone:\n    @property\n    def size(self):\n        return 1\n\n    def length(self):\n"
        "        return 1\n\n\ndef pytest_configure():\n    return 1\n\n\n"
        "def outer():\n    def inner():\n        return 1\n\n    return 2\n    return 3\n"
    )
    assert told("dead-code", {"app/a.py": source, "app/broken.py": "def unread(:\n"}) == snapshot("""\
warning unused app/a.py:8: method `dead` is used nowhere: no code and no text has its name
    def dead(self):
warning unused app/a.py:12: class `Gone` is used nowhere: no code and no text has its name
    class Gone:
warning unused app/a.py:17: method `length` is used nowhere: no code and no text has its name
    def length(self):
warning unused app/a.py:25: function `outer` is used nowhere: no code and no text has its name
    def outer():
warning unused app/a.py:26: function `inner` is used nowhere: no code and no text has its name
    def inner():
""")


def test_where_the_name_of_a_thing_counts_as_a_use(told: Told) -> None:
    """Anywhere in the program, also in what is left out of the analysis; in tests it makes no use."""
    code = "def {0}():\n    return 1\n"
    names = ("in_text", "in_left_out", "in_test", "in_tests", "in_word", "in_script", "nowhere", "twice")
    files = {
        "app/a.py": "".join(code.format(name) for name in names),
        "README.md": "Call `in_text`. Not in_words.\n",
        "build/index.html": "<a onclick='in_left_out()'>",
        "omni.toml": '[[verify.exclude]]\npath = "build/**"\nbecause = "It is made by the build."\n',
        "app/test_a.py": "in_test()\n",
        "tests/data.txt": "in_tests\n",
        "scripts/run.py": "def only_here():\n    in_script()\n",
        "benchmarks/run.py": "def only_there():\n    return 1\n",
        "app/b.py": code.format("twice"),
        "-odd.py": code.format("at_the_top"),
    }
    assert told("dead-code", files) == snapshot("""\
warning unused -odd.py:1: function `at_the_top` is used nowhere: no code and no text has its name
    def at_the_top():
note unused app/a.py:5: function `in_test` is used nowhere, except by tests: no code and no text has its name
    def in_test():
note unused app/a.py:7: function `in_tests` is used nowhere, except by tests: no code and no text has its name
    def in_tests():
warning unused app/a.py:9: function `in_word` is used nowhere: no code and no text has its name
    def in_word():
warning unused app/a.py:13: function `nowhere` is used nowhere: no code and no text has its name
    def nowhere():
""")


def test_a_program_offers_nothing_but_its_commands(replay: Callable[..., CheckResult]) -> None:
    scripts = '[project]\nname = "a"\n[project.scripts]\na = "app:main"\n'
    said = "app.py:1: unused function 'dead' (60% confidence)\n"
    for manifest, severity in (({"setup.py": ""}, "note"), ({"pyproject.toml": scripts}, "warning")):
        result = replay("dead-code", {"app.py": "def dead():\n    return 1\n", **manifest}, said, 3)
        assert [(each.severity, each.path, each.line) for each in result.findings] == [(severity, "app.py", 1)]


def test_nothing_to_look_at(look: Look) -> None:
    result = look("dead-code", {"tests/test_a.py": "def test_a():\n    assert f()\n", "scripts/a.py": "x = 1\n"})
    assert (result.status, result.reason) == (Status.SKIPPED, "there is no Python beside tests and scripts")


def test_a_tool_that_breaks_finds_nothing(replay: Callable[..., CheckResult]) -> None:
    result = replay("dead-code", {"a.py": "def dead():\n    return 1\n"}, "it\n  broke\n", 2)
    assert (result.status, result.reason) == (Status.ERROR, "vulture failed: it broke")
    said = "a.py:1: unused function 'dead' (60% confidence)\nno finding\na.py:1: unused variable 'b' (60% confidence)\n"
    for exit_code in (0, 1, 3):
        result = replay("dead-code", {"a.py": f"def dead():\n    return {exit_code}\n"}, said, exit_code)
        assert [each.message.partition(" is ")[0] for each in result.findings] == ["function `dead`"]
