"""The analysis of a small project, and what hostile or broken files do to it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from textwrap import dedent

from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.code.analysis import analyse
from omni.code.document import diagram, render
from omni.code.python import read_python

SHOP = {
    "pyproject.toml": dedent(
        """\
        [project]
        name = "shop"
        [project.scripts]
        shop = "shop.cli:main"
        """
    ),
    "README.md": dedent(
        """\
        # Shop

        See `src/shop/orders.py`, [the guide](docs/guide.md) and `shop.orders.total()`.
        Once there was `src/shop/gone.py`, and `shop.orders.refund`.
        """
    ),
    "src/shop/__init__.py": dedent(
        '''\
        """A shop."""
        '''
    ),
    "src/shop/cli.py": dedent(
        '''\
        """The command line."""
        from shop.orders import total


        def main() -> None:
            print(total([1, 2]))
        '''
    ),
    "src/shop/orders.py": dedent(
        '''\
        """Orders and what they cost."""
        from __future__ import annotations

        from typing import TYPE_CHECKING

        import requests

        from . import rates

        if TYPE_CHECKING:
            from shop.web import page


        def total(prices: list[int]) -> int:
            return rates.with_tax(sum(prices))


        def forgotten() -> None:
            requests.get('https://example.org')


        def on_paid() -> str:
            return 'paid'


        def called(name: str) -> object:
            return getattr(__name__, name)


        def handler_cash() -> None:
            called(f"handler_{1}")
        '''
    ),
    "src/shop/rates.py": dedent(
        """\
        TAX = 2


        def with_tax(amount: int) -> int:
            # TODO: by country
            return amount * TAX
        """
    ),
    "src/shop/web.py": dedent(
        """\
        from flask import Flask

        from shop.orders import total

        app = Flask(__name__)


        @app.get("/total")
        def page() -> str:
            return str(total([3]))
        """
    ),
    "tests/test_orders.py": dedent(
        """\
        from shop.orders import total


        def test_total() -> None:
            assert total([1]) == 2
        """
    ),
}


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


def test_what_a_project_is(tmp_path: Path) -> None:
    found = analyse(written(tmp_path, SHOP))
    assert {file.path: file.purpose for file in found.files} == snapshot(
        {
            "README.md": "Shop",
            "pyproject.toml": "the project's name, dependencies and tools",
            "src/shop/__init__.py": "A shop.",
            "src/shop/cli.py": "The command line.",
            "src/shop/orders.py": "Orders and what they cost.",
            "src/shop/rates.py": "defines with_tax",
            "src/shop/web.py": "defines page",
            "tests/test_orders.py": "1 tests of orders",
        }
    )
    assert found.imports == snapshot(
        {
            "src/shop/cli.py": ("src/shop/orders.py",),
            "src/shop/orders.py": ("src/shop/__init__.py", "src/shop/rates.py"),
            "src/shop/web.py": ("src/shop/orders.py",),
            "tests/test_orders.py": ("src/shop/orders.py",),
        }
    )
    assert found.outside == {"flask": ("src/shop/web.py",), "requests": ("src/shop/orders.py",)}
    assert [(each.kind, each.what, each.path, each.symbol) for each in found.entry_points] == snapshot(
        [("route", "GET /total", "src/shop/web.py", "page"), ("command", "shop", "src/shop/cli.py", "main")]
    )
    assert found.trace is not None
    assert [(call.depth, call.name, call.place) for call in found.trace.calls] == snapshot(
        [
            (0, "page", "src/shop/web.py:9"),
            (1, "total", "src/shop/orders.py:14"),
            (2, "with_tax", "src/shop/rates.py:4"),
        ]
    )
    assert [(each.kind, each.path, each.line, each.what) for each in found.problems] == snapshot(
        [
            ("dead", "src/shop/orders.py", 18, "forgotten"),
            ("marked", "src/shop/rates.py", 5, "by country"),
            ("untested", "src/shop/cli.py", 1, "defines 1"),
            ("untested", "src/shop/web.py", 1, "defines 1"),
        ]
    )
    assert [(each.path, each.tests, each.covers) for each in found.tests] == snapshot(
        [("tests/test_orders.py", 1, ("src/shop/orders.py",))]
    )
    assert (found.documents, found.claims, [each.what for each in found.stale]) == snapshot(
        (1, 5, ["docs/guide.md", "src/shop/gone.py", "shop.orders.refund"])
    )
    assert list(diagram(found)) == snapshot(
        [
            "flowchart LR",
            '  n0["src/shop/__init__.py"]',
            '  n1["src/shop/cli.py"]',
            '  n2["src/shop/orders.py"]',
            '  n3["src/shop/rates.py"]',
            '  n4["src/shop/web.py"]',
            "  n1 -->|1| n2",
            "  n2 -->|1| n0",
            "  n2 -->|1| n3",
            "  n4 -->|1| n2",
        ]
    )


def test_the_page_has_all_eight_steps(tmp_path: Path) -> None:
    page = render(analyse(written(tmp_path, SHOP)), "shop")
    assert [line for line in page.splitlines() if line.startswith("## ")] == snapshot(
        [
            "## 1. Every file, and what it is for",
            "## 2. What depends on what",
            "## 3. Where something comes in",
            "## 4. One request, traced",
            "## 5. How it is built",
            "## 6. Problems",
            "## 7. Tests",
            "## 8. Whether the documents are accurate",
        ]
    )
    assert page.count("```mermaid") == 1


def test_a_dead_function_is_named_and_one_that_only_a_text_names_is_kept(tmp_path: Path) -> None:
    source = "".join(
        f"def {name}():\n    return {len(name)}\n\n\n" for name in ("dead", "by_text", "do_save", "_unused")
    )
    source += "def main(name):\n    return getattr(main, 'by_text'), getattr(main, f'do_{name}')\n"
    found = analyse(written(tmp_path, {"app.py": source}))
    dead = [each for each in found.problems if each.kind == "dead"]
    assert [each.what for each in dead] == ["dead", "_unused"]
    assert dead[1].why == "its name stands nowhere else in 1 files, quoted texts included"
    assert "look for users elsewhere" in dead[0].why


def test_files_that_depend_on_each_other_are_one_group(tmp_path: Path) -> None:
    ring = {f"p/m{number}.py": f"from p import m{(number + 1) % 40}\n" for number in range(40)}
    found = analyse(written(tmp_path, ring | {"p/__init__.py": "", "p/alone.py": "from p import m0\n"}))
    assert [len(group) for group in found.cycles] == [40]


def test_what_can_not_be_read_says_why(tmp_path: Path) -> None:
    root = written(tmp_path, {"bad.py": "def (:\n", "deep.py": "(" * 5000})
    (root / "zero.py").write_bytes(b"x = '\0'\n")
    (root / "link.py").symlink_to("/etc/passwd")
    (root / "latin.py").write_bytes("# gr\u00fc\u00dfe aus der gro\u00dfen Stadt\n".encode("latin-1"))
    found = analyse(root, ["bad.py", "deep.py", "zero.py", "link.py", "latin.py", "gone.py"])
    assert {each.path: each.why.split(":")[0].split(" (")[0] for each in found.problems} == snapshot(
        {
            "bad.py": "can't be parsed",
            "deep.py": "can't be parsed",
            "gone.py": "No such file or directory",
            "link.py": "a link",
            "zero.py": "not text",
        }
    )
    assert "root:" not in render(found, "x")


def test_a_relative_import_that_leads_out_is_nobody(tmp_path: Path) -> None:
    assert analyse(written(tmp_path, {"a/b.py": "from .... import c\nfrom . import d\n", "a/d.py": ""})).imports == {
        "a/b.py": ("a/d.py",)
    }


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("import from def class as . ,:()\n\t'\"#x=%{}[]@1\\")))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(SyntaxError, ValueError, RecursionError):
        read_python(text, "x.py")


WEB = """
from flask import Flask
app = Flask(__name__)

@app.route("/login", methods=["GET", "POST"])
def login(): ...

@app.route("/")
def start(): ...

@app.post("/out")
def out(): ...
"""


def test_a_route_is_told_by_its_method(tmp_path: Path) -> None:
    (tmp_path / "web.py").write_text(WEB)
    assert [each.what for each in analyse(tmp_path).entry_points] == ["GET /login", "POST /login", "GET /", "POST /out"]
