"""What counts as a fuzz target, and the commands that build and run it; test_fuzzing_real.py runs them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest
from inline_snapshot import snapshot
from tests.verify.fuzzing.boxed import Box

from omni.sandbox.job import Job, Mount
from omni.verify import machine
from omni.verify.check import Context, Failed
from omni.verify.config import Fuzzing, ProjectConfig
from omni.verify.fuzzing.engine import Target
from omni.verify.fuzzing.languages import CHECKED, ENGINES, PYTHON, RUSTFLAGS
from omni.verify.fuzzing.runner import Plan

Seen = Callable[..., Context]

C = '#include "../src/a.h"\nint LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n{\n  return 0;\n}\n'
GO = 'package a\n\nimport "testing"\n\nfunc FuzzOne(f *testing.F) {\n}\n\nfunc FuzzTwo(f *testing.F) {\n}\n'
CARGO = (
    '[package]\nname = "a-fuzz"\n\n[package.metadata]\ncargo-fuzz = true\n\n'
    '[[bin]]\nname = "parse"\npath = "fuzz_targets/parse.rs"\n\n[[bin]]\nname = "gone"\n'
)
JAVA = "package com.shop;\n\nclass OrdersFuzzer {\n  public static void fuzzerTestOneInput(byte[] data) {}\n}\n"
FILES = {
    "fuzz/fuzz_parse.c": C,
    "fuzz/url_fuzzer.cc": f'extern "C" {C}',
    "fuzz/help.c": "int help(void) { return 1; }\n",
    "vendor/lib/fuzz.c": C,
    "src/declares.h": "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);\n",
    "src/a.h": "int a(void);\n",
    "src/a.c": "int a(void) { return 1; }\n",
    "src/main.c": "int APP_API main(void) { return 0; }\n",
    "tests/test_a.c": "int b(void) { return 1; }\n",
    "go.mod": "module example.org/a\n",
    "a/a_test.go": GO,
    "fuzz/Cargo.toml": CARGO,
    "fuzz/fuzz_targets/parse.rs": "#![no_main]\n",
    "Cargo.toml": '[package]\nname = "a"\n\n[[bin]]\nname = "a"\npath = "fuzz/fuzz_targets/parse.rs"\n',
    "broken/Cargo.toml": "[package\n",
    "fuzz/corpus/parse/one": "1",
    "fuzz/order.fuzz.ts": "export async function fuzz(data: Buffer): Promise<void> {}\n",
    "fuzz/url.js": "module.exports.fuzz = (data) => {};\n",
    "fuzz/no.js": "const fuzz = 1;\n",
    "src/test/java/com/shop/OrdersFuzzer.java": JAVA,
    "src/test/java/com/shop/OrdersTest.java": "package com.shop;\nclass OrdersTest {}\n",
    "src/main/java/com/shop/Orders.java": "package com.shop;\nclass Orders {}\n",
    "lib/more.jar": "x",
    "fuzz/fuzz_orders.py": "import atheris\n",
}  # fmt: skip


def test_targets_are_found_by_the_conventions_of_their_language(seen: Seen) -> None:
    found = {name: list(engine.targets(seen(f"fuzzing-{name}", FILES))) for name, engine in ENGINES.items()}
    found["python"] = list(PYTHON.targets(seen("fuzzing", FILES)))
    assert found == snapshot(
        {
            "c": [
                Target(path="fuzz/fuzz_parse.c", name="parse", kept="c/fuzz/fuzz_parse.c"),
                Target(path="fuzz/url_fuzzer.cc", name="url", kept="c/fuzz/url_fuzzer.cc"),
            ],
            "go": [
                Target(path="a/a_test.go", name="FuzzOne", kept="go/a/FuzzOne"),
                Target(path="a/a_test.go", name="FuzzTwo", kept="go/a/FuzzTwo"),
            ],
            "rust": [Target(path="fuzz/fuzz_targets/parse.rs", name="parse", kept="rust/fuzz/parse")],
            "javascript": [
                Target(path="fuzz/order.fuzz.ts", name="order", kept="javascript/fuzz/order.fuzz.ts"),
                Target(path="fuzz/url.js", name="url", kept="javascript/fuzz/url.js"),
            ],
            "java": [
                Target(
                    path="src/test/java/com/shop/OrdersFuzzer.java",
                    name="OrdersFuzzer",
                    kept="java/src/test/java/com/shop/OrdersFuzzer.java",
                )
            ],
            "python": [Target(path="fuzz/fuzz_orders.py", name="orders")],
        }
    )


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find", lambda name: Path("/opt/compilers/bin", name))
    monkeypatch.setattr(machine, "mounts", lambda program: (Mount(program),))
    monkeypatch.setattr(machine, "environment", lambda name: {"CARGO_HOME": "/c"} if name == "cargo" else {})


def job_of(context: Context, language: str, name: str) -> tuple[Job, Plan]:
    engine = ENGINES[language]
    target = next(each for each in engine.targets(context) if each.name == name)
    job = engine.job(context, target, 7)
    plan: Plan = json.loads(job.stdin)
    return job, plan


LIBFUZZER = ["-timeout=10", "-rss_limit_mb=1600", "-print_final_stats=1"]
FUZZED = ["-max_total_time=7", "-artifact_prefix=/work/reports/omni-fuzz/found/", "/work/reports/omni-fuzz/corpus"]


@pytest.mark.usefixtures("on_path")
def test_c_is_compiled_with_all_sources_but_programs_tests_and_other_targets(seen: Seen) -> None:
    job, plan = job_of(seen("fuzzing-c", FILES), "c", "parse")
    compiled = [each for each in plan["build"] if "-c" in each]
    assert [(each[0], each[each.index("-c") + 1]) for each in compiled] == [
        ("clang", "/work/fuzz/fuzz_parse.c"),
        ("clang", "/work/fuzz/help.c"),
        ("clang", "/work/src/a.c"),
    ]
    assert {"-I/work", "-I/work/src", *CHECKED} <= set(compiled[0])
    program = "/tmp/omni-fuzz/fuzz_parse"
    assert plan["build"][-1][0] == "clang"
    assert plan["build"][-1][plan["build"][-1].index("-o") + 1] == program
    assert plan["fuzz"] == [program, *LIBFUZZER, *FUZZED]
    assert plan["replay"] == [program, *LIBFUZZER, "/tmp/omni-fuzz/input"]
    assert plan["known"] == ["/corpus/corpus", "/work/fuzz/corpus/parse"]
    assert job.argv == ("python3", "-S", "-m", "omni.verify.fuzzing.runner")
    assert job.env["PATH"] == "/opt/compilers/bin:/usr/bin"
    assert [mount.target for mount in job.mounts if mount.target] == ["/omni-fuzz/omni/verify/fuzzing"]


@pytest.mark.usefixtures("on_path")
def test_cpp_is_linked_as_such(seen: Seen) -> None:
    _, plan = job_of(seen("fuzzing-c", FILES), "c", "url")
    compilers = {each[each.index("-c") + 1]: each[0] for each in plan["build"] if "-c" in each}
    assert (compilers["/work/fuzz/url_fuzzer.cc"], compilers["/work/src/a.c"]) == ("clang++", "clang")
    assert plan["build"][-1][0] == "clang++"


@pytest.mark.usefixtures("on_path")
def test_a_project_that_says_how_it_is_built_is_built_so(seen: Seen) -> None:
    config = ProjectConfig(fuzzing=Fuzzing(build="make fuzz"))
    _, plan = job_of(seen("fuzzing-c", FILES, project=config), "c", "parse")
    assert plan["build"] == [["mkdir", "-p", "/tmp/omni-fuzz"], ["sh", "-euc", "make fuzz"]]
    assert plan["env"]["LIB_FUZZING_ENGINE"] == "-fsanitize=fuzzer"
    assert (plan["env"]["OUT"], plan["env"]["SRC"]) == ("/tmp/omni-fuzz", "/work")
    assert "-fsanitize=address,undefined" in plan["env"]["CFLAGS"]


@pytest.mark.usefixtures("on_path")
def test_go_makes_inputs_small_itself_and_has_them_in_its_own_folder(seen: Seen) -> None:
    _, plan = job_of(seen("fuzzing-go", FILES), "go", "FuzzTwo")
    assert plan["build"][-1] == ["go", "test", "-c", "-fuzz=^FuzzTwo$", "-o", "/tmp/omni-fuzz/target", "."]
    assert plan["build"][-2] == ["ln", "-s", "/work/reports/omni-fuzz/corpus", "/tmp/omni-fuzz/go/FuzzTwo"]
    assert (plan["cwd"], plan["smaller"]) == ("/work/a", False)
    assert plan["found"] == "/work/a/testdata/fuzz/FuzzTwo"
    assert plan["input"] == "/work/a/testdata/fuzz/FuzzTwo/omni-input"
    assert {"-test.fuzz=^FuzzTwo$", "-test.fuzztime=7s", "-test.fuzzcachedir=/tmp/omni-fuzz/go"} < set(plan["fuzz"])
    assert plan["replay"][-2:] == ["-test.run=^FuzzTwo$/^omni-input$", "-test.timeout=10s"]


@pytest.mark.usefixtures("on_path")
def test_rust_is_built_as_cargo_fuzz_builds_it(seen: Seen) -> None:
    job, plan = job_of(seen("fuzzing-rust", FILES), "rust", "parse")
    build, triple = plan["build"][-1], f"{platform.machine()}-unknown-linux-gnu"
    assert build[build.index("--manifest-path") + 1] == "/work/fuzz/Cargo.toml"
    assert build[-2:] == ["--bin", "parse"]
    assert (plan["env"]["RUSTFLAGS"], plan["env"]["RUSTC_BOOTSTRAP"]) == (RUSTFLAGS, "1")
    assert plan["fuzz"][0] == f"/tmp/omni-fuzz/target/{triple}/release/parse"
    assert plan["traced"][1:] == [*LIBFUZZER, "-detect_leaks=1", "-runs=4", "/tmp/omni-fuzz/input"]
    assert plan["known"] == ["/corpus/corpus", "/work/fuzz/corpus/parse"]
    assert job.env["CARGO_HOME"] == "/c"


def test_javascript_is_bundled_and_waited_for_where_it_is_asynchronous(seen: Seen, box: Box) -> None:
    context = seen("fuzzing-javascript", FILES)
    job, plan = job_of(context, "javascript", "order")
    assert plan["build"][-1][:2] == [f"{box.node}/.bin/esbuild", "/work/fuzz/order.fuzz.ts"]
    cli = f"{box.node}/@jazzer.js/core/dist/cli.js"
    jazzer = ["node", cli, "/tmp/omni-fuzz/target.js", "--timeout=10000"]
    assert plan["fuzz"] == [*jazzer, FUZZED[2], "--", *LIBFUZZER, *FUZZED[:2]]
    assert plan["replay"] == [*jazzer, "--", *LIBFUZZER, "/tmp/omni-fuzz/input"]
    assert Mount(box.node, str(box.node)) in job.mounts
    _, at_once = job_of(context, "javascript", "url")
    assert at_once["replay"] == [*jazzer, "--sync", "--", *LIBFUZZER, "/tmp/omni-fuzz/input"]


@pytest.mark.usefixtures("on_path")
def test_java_is_compiled_with_the_product_and_what_jazzer_brings(
    seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("jazzer", "jazzer_standalone.jar"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(machine, "find", lambda name: tmp_path / name)
    _, plan = job_of(seen("fuzzing-java", FILES), "java", "OrdersFuzzer")
    jars = f"/tmp/omni-fuzz/classes:{tmp_path}/jazzer_standalone.jar:/work/lib/more.jar"
    assert plan["build"][-1] == [
        "javac", "-g", "-nowarn", "-d", "/tmp/omni-fuzz/classes", "-cp", jars,
        "/work/src/main/java/com/shop/Orders.java", "/work/src/test/java/com/shop/OrdersFuzzer.java",
    ]  # fmt: skip
    assert plan["fuzz"][:3] == ["jazzer", f"--cp={jars}", "--target_class=com.shop.OrdersFuzzer"]
    monkeypatch.setattr(machine, "find", lambda _name: None)
    with pytest.raises(Failed, match="jazzer is not on PATH"):
        ENGINES["java"].job(seen("fuzzing-java", FILES), Target("src/test/java/com/shop/OrdersFuzzer.java", "x"), 7)
