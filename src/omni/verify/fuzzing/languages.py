"""The engine of each language: targets are found by its conventions, and built and run by its own tools."""

from __future__ import annotations

import json
import platform
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from omni.sandbox.job import Job, Mount
from omni.verify import machine
from omni.verify.analysis.places import BESIDE_THE_PRODUCT, TESTS
from omni.verify.check import Context, Failed
from omni.verify.files import File, matches
from omni.verify.fuzzing import guest
from omni.verify.fuzzing.engine import (
    BUILT,
    CORPUS,
    FOREIGN,
    FOUND,
    KEPT,
    LIMITS,
    REPORT,
    START,
    Commands,
    Engine,
    Target,
    by_commands,
    own_files,
    seeds,
)
from omni.verify.fuzzing.guest import HANG
from omni.verify.interpreter import WORK, guest_environment
from omni.verify.report import Status

# Python: Atheris, whose guest tries inputs in one process.

ATHERIS = re.compile(r"^[ \t]*(import atheris\b|from atheris\b)", re.MULTILINE)


def _python_targets(context: Context) -> Iterator[Target]:
    for file in own_files(context, ATHERIS, "python"):
        yield Target(file.path, PurePosixPath(file.path).stem.removeprefix("fuzz_").removesuffix("_fuzzer"))


def _python_job(context: Context, target: Target, seconds: int) -> Job:
    tools, env = guest_environment(context, "fuzz")
    command = ("python", "-c", Path(guest.__file__).read_text("utf-8"))
    job: guest.Job = {
        "harness": f"{WORK}/{target.path}",
        "seconds": seconds,
        "corpora": [CORPUS, f"{KEPT}/corpus", f"{KEPT}/broken", *seeds(context, target)],
        "found": FOUND,
        "report": REPORT,
    }
    whole = context.execution.job(context, command, env, tools=tools, timeout=seconds + START)
    return replace(whole, stdin=json.dumps(job).encode())


# All others are commands, which runner.py performs.

MEMORY = 'ulimit -d 1638400; exec "$@"'
"""In KiB, for a fuzzer that has no limit of its own."""


def _traced(program: str) -> list[str]:
    """It counts what is allocated and freed, though LeakSanitizer, which would trace the process, is off."""
    return [program, *LIMITS, "-detect_leaks=1", "-runs=4", f"{BUILT}/input"]


# C and C++: libFuzzer, which comes with clang.

ENTRY_OF_C = re.compile(r"\bLLVMFuzzerTestOneInput\s*\([^;{)]*\)\s*\{")
MAIN = re.compile(r"^[ \t]*(?:\w+[ \t]+)+main\s*\(", re.MULTILINE)
CHECKED = ("-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
CLANG = ("clang", "clang++")
HEADERS = (".h", ".hpp", ".hh", ".hxx")


def _c_targets(context: Context) -> Iterator[Target]:
    for file in own_files(context, ENTRY_OF_C, "c", "cpp"):
        stem = PurePosixPath(file.path).stem
        yield Target(file.path, stem.removeprefix("fuzz_").removesuffix("_fuzzer"), f"c/{file.path}")


def _c_commands(context: Context, target: Target, _seconds: int) -> Commands:
    """By the project's own command, with the variables that OSS-Fuzz gives it, or with all sources of the project."""
    program = f"{BUILT}/{PurePosixPath(target.path).stem}"
    flags = " ".join((*CHECKED, "-fsanitize=fuzzer-no-link"))
    env = {
        "CC": "clang", "CXX": "clang++", "CFLAGS": flags, "CXXFLAGS": flags, "OUT": BUILT, "SRC": WORK,
        "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer", "FUZZING_ENGINE": "libfuzzer", "SANITIZER": "address",
        "UBSAN_OPTIONS": "print_stacktrace=1", "ASAN_OPTIONS": "detect_leaks=0",
    }  # fmt: skip
    own = context.project.fuzzing.build
    build = [["sh", "-euc", own]] if own else _compiled(context, target, program)
    return Commands(CLANG, build, [program], traced=_traced(program), env=env)


def _compiled(context: Context, target: Target, program: str) -> list[list[str]]:
    sources = [file for file in context.files if not file.path.endswith(HEADERS)]
    linked = [file.path for file in sources if file.path == target.path or _is_part(context, target, file)]
    headers = (file.path for file in context.files if file.path.endswith(HEADERS))
    folders = sorted({str(PurePosixPath(path).parent) for path in headers} | {"."})
    includes = [f"-I{WORK}/{folder}".removesuffix("/.") for folder in folders]
    languages = {file.path: file.language for file in sources}
    compilers = {"c": "clang", "cpp": "clang++"}
    objects = [f"{BUILT}/{number}.o" for number in range(len(linked))]
    checked = (*CHECKED, "-fsanitize=fuzzer-no-link", *includes)
    compiled = [
        [compilers[languages[path]], *checked, "-c", f"{WORK}/{path}", "-o", into]
        for path, into in zip(linked, objects, strict=True)
    ]
    linker = "clang++" if "cpp" in {languages[path] for path in linked} else "clang"
    return [*compiled, [linker, *CHECKED, "-fsanitize=fuzzer", *objects, "-o", program, "-lm", "-lpthread"]]


def _is_part(context: Context, target: Target, file: File) -> bool:
    """Of the product, or beside the target: no program of its own, no test, no other target."""
    beside = PurePosixPath(file.path).parent == PurePosixPath(target.path).parent
    if not beside and (BESIDE_THE_PRODUCT.search(file.path) or TESTS.search(file.path)):
        return False
    text = context.text(file)
    return not (MAIN.search(text) or ENTRY_OF_C.search(text))


# Go: `go test -fuzz`, since 1.18.

FUZZ = re.compile(r"^func (Fuzz\w*)\(\w+ \*testing\.F\)", re.MULTILINE)


def _go_targets(context: Context) -> Iterator[Target]:
    for file in own_files(context, FUZZ, "go"):
        folder = PurePosixPath(file.path).parent
        for name in FUZZ.findall(context.text(file)):
            yield Target(file.path, name, f"go/{folder}/{name}")


def _go_commands(_context: Context, target: Target, seconds: int) -> Commands:
    """Go keeps each input as a text, in a folder of the function's name, and makes what breaks it small itself."""
    cwd = f"{WORK}/{PurePosixPath(target.path).parent}".removesuffix("/.")
    program, name = f"{BUILT}/target", target.name
    found, cached = f"{cwd}/testdata/fuzz/{name}", f"{BUILT}/go"
    build = ["go", "test", "-c", f"-fuzz=^{name}$", "-o", program, "."]
    limited = ["sh", "-c", MEMORY, "sh", program]
    fuzz = [
        *limited, "-test.run=^$", f"-test.fuzz=^{name}$", f"-test.fuzztime={seconds}s", "-test.fuzzminimizetime=20s",
        f"-test.fuzzcachedir={cached}",
    ]  # fmt: skip
    replay = [*limited, f"-test.run=^{name}$/^omni-input$", f"-test.timeout={HANG}s"]
    named = [["mkdir", "-p", cached], ["ln", "-s", CORPUS, f"{cached}/{name}"]]
    return Commands(
        ("go", "cc"), [*named, build], fuzz, replay, cwd=cwd, input=f"{found}/omni-input", found=found, smaller=False
    )


# Rust: the crate that cargo-fuzz makes, built by cargo with the flags that cargo-fuzz gives it.

RUSTFLAGS = (
    "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
    " -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
    " -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth"
    " -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Zsanitizer=address -Cdebug-assertions -Ccodegen-units=1"
)
"""Of `Project::cargo` in https://github.com/rust-fuzz/cargo-fuzz, src/project.rs."""


def _rust_targets(context: Context) -> Iterator[Target]:
    for file in context.files:
        if PurePosixPath(file.path).name != "Cargo.toml" or matches(file.path, FOREIGN):
            continue
        try:
            manifest = tomllib.loads(context.text(file))
        except tomllib.TOMLDecodeError:
            continue  # another check says so
        folder = PurePosixPath(file.path).parent
        for name, path in _bins(manifest):
            if str(folder / path) in context.inventory.by_path:
                yield Target(str(folder / path), name, f"rust/{folder}/{name}")


def _bins(manifest: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(name, path) of the targets of a crate that is marked as cargo-fuzz's."""
    package = manifest.get("package")
    metadata = package.get("metadata") if isinstance(package, Mapping) else None
    if not (isinstance(metadata, Mapping) and metadata.get("cargo-fuzz") is True):
        return
    bins = manifest.get("bin")
    for each in bins if isinstance(bins, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            yield each["name"], str(each.get("path", f"fuzz_targets/{each['name']}.rs"))


def _rust_commands(context: Context, target: Target, _seconds: int) -> Commands:
    triple = f"{platform.machine()}-unknown-linux-gnu"
    folders = map(str, PurePosixPath(target.path).parents)
    manifests = (f"{folder}/Cargo.toml".removeprefix("./") for folder in folders)
    manifest = f"{WORK}/{next(path for path in manifests if path in context.inventory.by_path)}"
    build = [
        "cargo", "build", "--offline", "--release", "--config", 'profile.release.debug="line-tables-only"',
        "--manifest-path", manifest, "--target", triple, "--target-dir", f"{BUILT}/target", "--bin", target.name,
    ]  # fmt: skip
    env = {"RUSTFLAGS": RUSTFLAGS, "RUSTC_BOOTSTRAP": "1", "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0"}
    program = f"{BUILT}/target/{triple}/release/{target.name}"
    return Commands(("cargo", "cc"), [build], [program], traced=_traced(program), env=env)


# JavaScript and TypeScript: jazzer.js, on one bundle of the program that esbuild makes.

EXPORTED = re.compile(
    r"^\s*(export\s+(async\s+)?function\s+fuzz\b|export\s+(const|let|var)\s+fuzz\b|(module\.)?exports\.fuzz\s*=)",
    re.MULTILINE,
)
WAITS = re.compile(r"^\s*(export\s+async\s+function\s+fuzz\b|.*\bfuzz\s*(:[^=]*)?=\s*async\b)", re.MULTILINE)


def _javascript_targets(context: Context) -> Iterator[Target]:
    for file in own_files(context, EXPORTED, "javascript", "typescript"):
        name = PurePosixPath(file.path).name.split(".")[0]
        yield Target(file.path, name.removeprefix("fuzz_"), f"javascript/{file.path}")


def _javascript_commands(context: Context, target: Target, seconds: int) -> Commands:
    tools = context.execution.tools("jazzer")
    bundle = f"{BUILT}/target.js"
    build = [
        f"{tools.root}/.bin/esbuild", f"{WORK}/{target.path}", "--bundle", "--platform=node", "--packages=external",
        "--sourcemap=inline", "--log-level=warning", f"--outfile={bundle}",
    ]  # fmt: skip
    file = context.inventory.by_path[target.path]
    alone = [] if WAITS.search(context.text(file)) else ["--sync"]
    jazzer = ["node", f"{tools.root}/@jazzer.js/core/dist/cli.js", bundle, f"--timeout={HANG}000", *alone]
    env = {"NODE_PATH": f"{WORK}/node_modules", "PATH": ":".join([*map(str, tools.bins), "/usr/bin", "/bin"])}
    fuzz = [*jazzer, CORPUS, "--", *LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FOUND}/"]
    replay = [*jazzer, "--", *LIMITS, f"{BUILT}/input"]
    return Commands((), [build], fuzz, replay, env=env, mounts=tools.mounts("node"))


# Java: jazzer.

ENTRY_OF_JAVA = re.compile(r"\bstatic\s+void\s+fuzzerTestOneInput\s*\(")
PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


def _java_targets(context: Context) -> Iterator[Target]:
    for file in own_files(context, ENTRY_OF_JAVA, "java"):
        yield Target(file.path, PurePosixPath(file.path).stem, f"java/{file.path}")


def _java_commands(context: Context, target: Target, _seconds: int) -> Commands:
    """Compiled with the product's sources and the jars in the project; jazzer's own is beside its program."""
    package = PACKAGE.search(context.text(context.inventory.by_path[target.path]))
    name = f"{package[1]}.{target.name}" if package else target.name
    sources = [file for file in context.files if file.language == "java" and not TESTS.search(file.path)]
    own = [file.path for file in sources if not ENTRY_OF_JAVA.search(context.text(file))]
    jazzer = machine.find("jazzer")
    if jazzer is None:
        raise Failed(f"jazzer is not on PATH. {machine.how_to_get('jazzer')}", Status.INCOMPLETE)
    beside = tuple(Mount(path, str(path)) for path in sorted(jazzer.resolve().parent.glob("jazzer*.jar")))
    jars = [f"{WORK}/{path}" for path in context.inventory.by_path if path.endswith(".jar")]
    classes = ":".join([f"{BUILT}/classes", *(str(mount.source) for mount in beside), *jars])
    compiled = [
        "javac", "-g", "-nowarn", "-d", f"{BUILT}/classes", "-cp", classes,
        *(f"{WORK}/{path}" for path in (*own, target.path)),
    ]  # fmt: skip
    fuzz = ["jazzer", f"--cp={classes}", f"--target_class={name}", f"--reproducer_path={BUILT}"]
    return Commands(("jazzer", "javac", "java"), [compiled], fuzz, mounts=beside)


PYTHON = Engine((), _python_targets, _python_job)
ENGINES: Mapping[str, Engine] = {
    "c": Engine(CLANG, _c_targets, by_commands(_c_commands)),
    "go": Engine(("go",), _go_targets, by_commands(_go_commands)),
    "rust": Engine(("cargo",), _rust_targets, by_commands(_rust_commands)),
    "javascript": Engine((), _javascript_targets, by_commands(_javascript_commands)),
    "java": Engine(("jazzer", "javac"), _java_targets, by_commands(_java_commands)),
}
