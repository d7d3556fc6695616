from __future__ import annotations

from collections.abc import Callable

from omni.verify.report import CheckResult

Look = Callable[..., CheckResult]
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
