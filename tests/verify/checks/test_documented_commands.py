from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]

PROJECT = {
    "Makefile": ".PHONY: test lint\ntest: lint\n\tpytest\nlint:\n\truff check\nOUT := a\n",
    "package.json": '{"scripts": {"dev": "vite"}}',
    "scripts/setup.sh": "echo $SHOP_URL $SHOP_PORT\n",
    "src/shop/__init__.py": "",
    "src/shop/__main__.py": "",
    "src/shop/config.py": "import os\nclass Settings:\n    page_size: int = 3\nTOKEN = os.environ['SHOP_TOKEN']\n",
}


def block(*lines: str) -> str:
    return "# Shop\n\n```sh\n" + "\n".join(lines) + "\n```\n"


@pytest.mark.parametrize(
    ("readme", "expected"),
    [
        (block("make deploy"), ["error no-such-command README.md:4"]),
        (block("make test", "npm run build"), ["error no-such-command README.md:5"]),
        (block("python -m shop.seed"), ["error no-such-command README.md:4"]),
        (block("bash scripts/install.sh"), ["warning no-such-file README.md:4"]),
        (block("./start.sh"), ["warning no-such-file README.md:4"]),
        ("| `SHOP_SECRET` | the key |\n", ["warning no-such-variable README.md:1"]),
        (
            block(
                "make test lint OUT=b", "npm run dev", "python -m shop", "./scripts/setup.sh", "python -m http.server"
            ),
            [],
        ),
        (block('make test ARGS="list all" lint', "make test ARGS='not closed here"), []),
        (block("git clone https://example.org/a && cd a", "make deploy", "./start.sh"), []),
        (block("$ make test", "make deploy: done"), []),
        (block("python3 ../other.py", "python my/example.py", "bash /opt/a.sh"), []),
        ("| `SHOP_URL` | where |\n| `SHOP_PAGE_SIZE` | rows |\n| `AWS_REGION` | of it |\n", []),
    ],
)
def test_documents(found: Found, readme: str, expected: list[str]) -> None:
    assert found("documented-commands", {**PROJECT, "README.md": readme}) == expected


def test_what_was_once_is_left_alone(found: Found) -> None:
    assert found("documented-commands", {**PROJECT, "CHANGELOG.md": block("make deploy")}) == []


def test_a_page_with_a_makefile_of_its_own(found: Found) -> None:
    page = "```sh\nmake all\n```\n"
    files = {
        "Makefile": "test:\n\ttrue\n",
        "certs/Makefile": "all:\n\ttrue\n",
        "certs/README.md": page,
        "README.md": page,
    }
    assert found("documented-commands", files) == ["error no-such-command README.md:2"]
