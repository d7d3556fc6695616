"""What is declared, added and dropped, without another byte changed."""

from __future__ import annotations

from omni.pipeline.change.dependencies import add, declared, drop, name_of, unknown

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


def test_names() -> None:
    assert name_of("SQLAlchemy[asyncio]>=2") == "sqlalchemy"
    assert unknown(["fastapi", "fastapy-that-nobody-knows"]) == ("fastapy-that-nobody-knows",)
