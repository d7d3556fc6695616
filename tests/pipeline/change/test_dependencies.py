"""What is declared, added and dropped, without another byte changed."""

from __future__ import annotations

import pytest

from omni.pipeline.change.dependencies import add, against, declared, declaring, drop, name_of, unknown

LIST = "# what it needs\nFlask==3.0.3  # the web\npytest\n-r other.txt\n"
PROJECT = '[project]\nname = "flask"\ndependencies = [\n    "flask>=3",\n    "rich",\n]\n'


def test_what_is_there_is_not_added_twice() -> None:
    texts = {"requirements.txt": LIST}
    assert declared(texts) == {"flask", "pytest"}
    assert add(texts, ["flask", "fastapi", "httpx>=0.27"]) == {"requirements.txt": f"{LIST}fastapi\nhttpx>=0.27\n"}
    assert add(texts, ["Flask"]) == {}
    assert add({}, ["fastapi"]) == {}


def test_a_project_that_declares_in_pyproject_gets_it_there() -> None:
    added = PROJECT.replace("dependencies = [\n", 'dependencies = [\n    "fastapi",\n')
    assert add({"pyproject.toml": PROJECT}, ["fastapi"]) == {"pyproject.toml": added}
    short = '[project]\ndependencies = ["rich"]\n'
    assert declared(add({"pyproject.toml": short}, ["fastapi"])) == {"rich", "fastapi"}


def test_a_list_with_hashes_is_left_to_what_made_it() -> None:
    locked = "flask==3.0.3 \\\n    --hash=sha256:00\n"
    texts = {"requirements.txt": locked, "requirements.in": "flask\n"}
    assert add(texts, ["fastapi"]) == {"requirements.in": "flask\nfastapi\n"}


def test_only_the_line_of_a_package_is_dropped() -> None:
    assert drop({"requirements.txt": LIST}, ["flask"]) == {
        "requirements.txt": LIST.replace("Flask==3.0.3  # the web\n", "")
    }
    assert drop({"pyproject.toml": PROJECT}, ["flask"]) == {"pyproject.toml": PROJECT.replace('    "flask>=3",\n', "")}
    assert drop({"requirements.txt": "flask-login\n"}, ["flask"]) == {}


def test_lines_in_single_quotes_are_dropped() -> None:
    setup = "import setuptools\n\nsetuptools.setup(\n    install_requires=[\n        'flask>=3',\n    ],\n)\n"
    assert drop({"setup.py": setup}, ["flask"]) == {"setup.py": setup.replace("        'flask>=3',\n", "")}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "flask==3.0.3 \\\n    --hash=sha256:00\nrich==13 \\\n    --hash=sha256:11\n"),
        ("requirements.txt", "flask==3.0.3 --hash=sha256:00\n"),
        ("requirements.txt", "flask==3.0.3 \\\n    ; python_version < '3.13'\nrich\n"),
        ("pyproject.toml", '[project]\ndependencies = ["flask", "rich"]\n'),
        ("pyproject.toml", '[project]\ndependencies = [\n    "flask", "rich",\n]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3"\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\nflask = { git = "https://example.org/flask" }\n'),
    ],
)
def test_what_does_not_stand_alone_is_left_and_named(path: str, text: str) -> None:
    assert drop({path: text}, ["flask"]) == {}
    assert declaring({path: text, "requirements-dev.txt": "flask-login\n"}, "flask") == (path,)


def test_a_line_that_declares_nothing_is_no_matter_of_packages() -> None:
    assert drop({"pyproject.toml": '[project]\nkeywords = [\n    "flask",\n]\n'}, ["flask"]) == {}


@pytest.mark.parametrize(
    ("line", "excludes"),
    [
        ("sqlalchemy==1.4.52", True),
        ("SQLAlchemy[asyncio]<2  # for now", True),
        ("sqlalchemy~=1.4", True),
        ("sqlalchemy==1.4.*", True),
        ('    "sqlalchemy>=1.4,<2",', True),
        ("sqlalchemy==1.4.52 \\", True),
        ("sqlalchemy==1.4.52 --hash=sha256:00", True),
        ('sqlalchemy==1.4.52 ; python_version >= "3.8"', True),
        ("    \"sqlalchemy<2; python_version < '3.13'\",", True),
        ("sqlalchemy==2.0.30", False),
        ("sqlalchemy>=1.4", False),
        ("sqlalchemy", False),
        ("sqlalchemy @ https://example.org/sqlalchemy.whl", False),
        ("sqlalchemy-utils==0.41", False),
        ("flask<2", False),
    ],
)
def test_a_line_that_allows_no_such_version(line: str, *, excludes: bool) -> None:
    texts = {"requirements.txt": f"{line}\n", "README.md": "sqlalchemy==1.4\n"}
    assert against(texts, "sqlalchemy>=2") == (("requirements.txt",) if excludes else ())


def test_names() -> None:
    assert name_of("SQLAlchemy[asyncio]>=2") == "sqlalchemy"
    assert unknown(["fastapi", "fastapy-that-nobody-knows"]) == ("fastapy-that-nobody-knows",)
