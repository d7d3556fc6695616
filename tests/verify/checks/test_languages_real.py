"""Languages by their own tools, for real: those of a set are installed, those of the machine have to be on PATH."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from omni.kernel.settings import load_settings
from omni.verify.report import CheckResult, Status
from omni.verify.tools import install

Look = Callable[..., CheckResult]
Files = Mapping[str, str | bytes]

pytestmark = pytest.mark.host

RUST = {"Cargo.toml": '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n'}
MAIN = 'fn main() {\n    let v: Vec<i32> = Vec::new();\n    if v.len() == 0 {\n        println!("x");\n    }\n}\n'
GO = {"go.mod": "module demo\n\ngo 1.19\n"}
WRONG_FORMAT = 'package a\n\nimport "fmt"\n\n// F is.\nfunc F() { fmt.Printf("%d", "x") }\n'
WEAK = 'package a\n\nimport "crypto/md5"\n\nvar X = md5.Sum(nil)\n'
WORKFLOW = """on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ matrix.os }}
"""
CHECKSTYLE = """<?xml version="1.0"?>
<!DOCTYPE module PUBLIC "-//Checkstyle//DTD Checkstyle Configuration 1.3//EN"
  "https://checkstyle.org/dtds/configuration_1_3.dtd">
<module name="Checker"><module name="TreeWalker"><module name="NeedBraces"/></module></module>
"""
DIALECT = {".sqlfluff": "[sqlfluff]\ndialect = postgres\nrules = LT01\n"}


def set_of_tools(name: str) -> None:
    settings = load_settings()
    install(name, settings.home, settings.offline, print)


def needs(tool: str) -> None:
    """Skip where the program is not, or is but rustup's stand-in for one that is not."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not on PATH")
    if (
        tool in {"cargo", "rustfmt"}
        and subprocess.run([tool, "--version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"rustup has no {tool}: it has no toolchain")


@pytest.mark.parametrize(
    ("check", "tool", "files", "expected"),
    [
        ("rust-clippy", "cargo", {**RUST, "src/main.rs": MAIN}, ["warning clippy::len_zero src/main.rs:3"]),
        ("rust-clippy", "cargo", {**RUST, "src/main.rs": "fn main() {}\n"}, []),
        ("rust-format", "rustfmt", {**RUST, "src/main.rs": "fn main( ) {}\n"}, ["note unformatted src/main.rs:1"]),
        ("rust-format", "rustfmt", {**RUST, "src/main.rs": "fn main() {}\n"}, []),
        ("go-format", "gofmt", {**GO, "a.go": "package a\n\nvar  x = 1\n"}, ["note unformatted a.go:1"]),
        ("go-format", "gofmt", {**GO, "a.go": "package a\n\nvar x = 1\n"}, []),
        (
            "go-vet",
            "go",
            {**GO, "a.go": 'package a\n\nimport "fmt"\n\nfunc F() { fmt.Printf("%d", "x") }\n'},
            ["error printf a.go:5"],
        ),
        (
            "go-vet",
            "go",
            {"sub/go.mod": GO["go.mod"], "sub/a/a.go": "package a\n\nfunc F() { undefined() }\n"},
            ["error compile sub/a/a.go:3"],
        ),
        (
            "staticcheck",
            "staticcheck",
            {f"sub/{path}": text for path, text in (*GO.items(), ("a.go", WRONG_FORMAT))},
            ["error SA5009 sub/a.go:6"],
        ),
        ("staticcheck", "staticcheck", {**GO, "a.go": "package a\n"}, []),
        ("gosec", "gosec", {**GO, "a.go": WEAK}, ["warning G501 a.go:3", "warning G401 a.go:5"]),
        ("gosec", "gosec", {**GO, "a.go": "package a\n"}, []),
        (
            "actionlint",
            "actionlint",
            {".github/workflows/ci.yml": WORKFLOW},
            ["error expression .github/workflows/ci.yml:6"],
        ),
        (
            "checkstyle",
            "checkstyle",
            {"checkstyle.xml": CHECKSTYLE, "A.java": "class A {\n  int f() { if (true) return 1; return 2; }\n}\n"},
            ["error NeedBraces A.java:2"],
        ),
        ("licensee", "licensee", {"LICENSE": "Do as I say.\n"}, ["warning unknown-licence LICENSE:1"]),
        ("javac", "javac", {"A.java": "class A {\n  int f() { return 1 }\n}\n"}, ["error syntax A.java:2"]),
        ("javac", "javac", {"A.java": "class A {\n  int f() { return 1; }\n}\n"}, []),
        (
            "gcc-analyzer",
            "gcc",
            {"a.c": "#include <stdlib.h>\nint f(char *p)\n{\n  free(p);\n  return *p;\n}\n"},
            ["error -Wanalyzer-use-after-free a.c:5", "warning -Wuse-after-free a.c:5"],
        ),
        (
            "gcc-analyzer",
            "gcc",
            {"a.c": "int f(int a)\n{\n  return a;\n}\n", "b.c": "int g(void)\n{\n  int a;\n  return a;\n}\n"},
            ["warning -Wanalyzer-use-of-uninitialized-value b.c:4", "warning -Wuninitialized b.c:4"],
        ),
        ("gcc-analyzer", "gcc", {"a.c": "int f(int a)\n{\n  return a;\n}\n"}, []),
        (
            "terraform-format",
            "terraform",
            {"main.tf": 'variable "x" {\n type = string\n}\n'},
            ["note unformatted main.tf:1"],
        ),
        (
            "terraform-validate",
            "terraform",
            {"main.tf": 'output "y" {\n  value = var.z\n}\n'},
            ["error reference-to-undeclared-input-variable main.tf:2"],
        ),
    ],
)
def test_of_the_machine(look: Look, check: str, tool: str, files: Files, expected: list[str]) -> None:
    needs(tool)
    result = look(check, files)
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == expected
    assert result.status in {Status.PASS, Status.FAIL}, result.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "toolset", "files", "expected"),
    [
        ("css", "css", {"a.css": "a { colr: red; }\n"}, ["error correctness/noUnknownProperty a.css:1"]),
        ("css", "css", {"a.css": "a { color: red; }\n"}, []),
        ("protobuf", "protobuf", {"a.proto": "message {\n"}, ["error COMPILE a.proto:1", "error COMPILE a.proto:1"]),
        ("protobuf", "protobuf", {"a/v1/a.proto": 'syntax = "proto3";\n\npackage a.v1;\n'}, []),
        (
            "protobuf",
            "protobuf",
            {"a/v1/a.proto": 'syntax = "proto3";\n\npackage a.v1;\n\nmessage foo {}\n'},
            ["note MESSAGE_PASCAL_CASE a/v1/a.proto:5"],
        ),
        (
            "kubernetes",
            "kubernetes",
            {"k.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\nspec:\n  ports:\n    - port: eighty\n"},
            ["error invalid k.yaml:7"],
        ),
        (
            "kubernetes",
            "kubernetes",
            {"k.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\nspec:\n  ports:\n    - port: 80\n"},
            [],
        ),
        (
            "cppcheck",
            "cppcheck",
            {"a.c": "int f(void)\n{\n  int a[2];\n  a[2] = 1;\n  return a[0];\n}\n"},
            ["error arrayIndexOutOfBounds a.c:4"],
        ),
        ("cppcheck", "cppcheck", {"a.c": "int f(int a)\n{\n  return a;\n}\n"}, []),
        ("sqlfluff", "sqlfluff", {**DIALECT, "a.sql": "SELECT a,b FROM t\n"}, ["error LT01 a.sql:1"]),
        ("sqlfluff", "sqlfluff", {**DIALECT, "a.sql": "SELECT a FROM t\n"}, []),
    ],
)
def test_of_a_set(look: Look, check: str, toolset: str, files: Files, expected: list[str]) -> None:
    set_of_tools(toolset)
    result = look(check, files)
    assert [f"{each.severity} {each.rule} {each.path}:{each.line}" for each in result.findings] == expected
    assert result.status in {Status.PASS, Status.FAIL}, result.reason


@pytest.mark.slow
def test_c_that_can_not_be_parsed_is_not_analysed(look: Look) -> None:
    set_of_tools("cppcheck")
    result = look("cppcheck", {"a.c": "int f(void)\n{\n  return (1;\n}\n"})
    assert (result.status, list(result.coverage.failed)) == (Status.INCOMPLETE, ["a.c"])


def test_rust_that_needs_packages_that_are_not_here_is_incomplete(look: Look) -> None:
    needs("cargo")
    manifest = RUST["Cargo.toml"] + '[dependencies]\nno-such-package-at-all = "1"\n'
    result = look("rust-clippy", {"Cargo.toml": manifest, "src/main.rs": "fn main() {}\n"})
    assert (result.status, "no-such-package-at-all" in result.reason) == (Status.INCOMPLETE, True)


def test_a_build_script_can_do_nothing_here(look: Look, tmp_path: Path) -> None:
    """Compiling Rust runs foreign code: it finds neither the host's files nor a network."""
    needs("cargo")
    mark = tmp_path / "escaped"
    script = f'fn main() {{\n    let _ = std::fs::write("{mark}", "x");\n}}\n'
    look("rust-clippy", {**RUST, "build.rs": script, "src/main.rs": "fn main() {}\n"})
    assert not mark.exists()
