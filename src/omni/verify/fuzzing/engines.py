"""How fuzz targets of each language are found, built and run: by the conventions of its own tools."""

from __future__ import annotations

import json
import platform
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TypedDict

from omni.sandbox.job import Job, Limits, Mount
from omni.verify import machine
from omni.verify.analysis.places import BESIDE_THE_PRODUCT, TESTS
from omni.verify.check import Context, Failed
from omni.verify.files import File
from omni.verify.fuzzing import guest
from omni.verify.fuzzing.guest import HANG
from omni.verify.fuzzing.runner import BUILD, Plan
from omni.verify.interpreter import WORK, guest_environment
from omni.verify.report import Status

OUT = "reports/omni-fuzz"
"""What comes back of the sandbox: `corpus`, `found` and `report.json`."""
CORPUS, FOUND, REPORT = f"{WORK}/{OUT}/corpus", f"{WORK}/{OUT}/found", f"{WORK}/{OUT}/report.json"
KEPT = "/corpus"
"""What earlier runs found, `corpus` and `broken`, is shown there."""
BUILT = "/tmp/omni-fuzz"  # noqa: S108 - the sandbox's own
GUEST = "/omni-fuzz"
START = 180.0
"""Seconds for the start, for the corpus that is known already and for making inputs smaller."""
LIMITS = (f"-timeout={HANG}", "-rss_limit_mb=1600", "-print_final_stats=1", "-detect_leaks=0")
"""Of libFuzzer. LeakSanitizer traces the process, which the sandbox forbids."""


@dataclass(frozen=True)
class Target:
    """Something that takes any input."""

    path: str
    """Its file, relative to the project."""
    name: str
    kept: str = ""
    """Where what it found is kept, below the folder of the project; empty: below its name."""


@dataclass(frozen=True)
class Engine:
    programs: tuple[str, ...]
    """What has to be on PATH."""
    targets: Callable[[Context], Iterable[Target]]
    job: Callable[[Context, Target, int], Job]
    """A job of the sandbox that fuzzes for so many seconds and leaves its `guest.Report` at `REPORT`."""


class Steps(TypedDict, total=False):
    """What of a plan differs from libFuzzer's: see `runner.Plan`."""

    cwd: str
    env: dict[str, str]
    input: str
    found: str
    smaller: bool


def seeds(context: Context, target: Target) -> list[str]:
    """The project's own inputs, those that broke it once among them: `corpus/<name>` beside the target or above it."""
    folders = [str(parent / "corpus" / target.name) for parent in PurePosixPath(target.path).parents]
    shown = (each for each in folders[:2] if any(path.startswith(f"{each}/") for path in context.inventory.by_path))
    return [f"{WORK}/{each}" for each in shown]


def _files(context: Context, pattern: re.Pattern[str], *languages: str) -> Iterator[File]:
    """Those with a match."""
    for file in context.files:
        if file.language in languages and pattern.search(context.text(file)):
            yield file


# Python: Atheris, whose guest tries inputs in one process.

ATHERIS = re.compile(r"^[ \t]*(import atheris\b|from atheris\b)", re.MULTILINE)


def _python_targets(context: Context) -> Iterator[Target]:
    for file in _files(context, ATHERIS, "python"):
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


def _job(
    context: Context,
    target: Target,
    seconds: int,
    programs: tuple[str, ...],
    build: list[list[str]],
    fuzz: list[str],
    steps: Steps | None = None,
    *,
    replay: list[str] | None = None,
    mounts: tuple[Mount, ...] = (),
) -> Job:
    """`fuzz` is a program of libFuzzer's, to which its options are added, unless it comes with its own `replay`."""
    libfuzzer = [*fuzz, *LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FOUND}/", CORPUS]
    given: Steps = steps or {}
    plan: Plan = {
        "build": build,
        "cwd": given.get("cwd", WORK),
        "env": given.get("env", {}),
        "fuzz": fuzz if replay else libfuzzer,
        "seconds": seconds,
        "replay": replay or [*fuzz, *LIMITS, f"{BUILT}/input"],
        "input": given.get("input", f"{BUILT}/input"),
        "found": given.get("found", FOUND),
        "corpus": CORPUS,
        "known": [f"{KEPT}/corpus", *seeds(context, target)],
        "broken": f"{KEPT}/broken",
        "smaller": given.get("smaller", True),
        "report": REPORT,
    }
    command = ("python3", "-S", "-m", "omni.verify.fuzzing.runner")
    whole = context.execution.job(context, command, {"PYTHONPATH": GUEST}, timeout=seconds + START + BUILD)
    found = [path for name in programs if (path := machine.find(name))]
    folders = dict.fromkeys([*(str(each.parent) for each in found), whole.env["PATH"]])
    told = {key: value for name in programs for key, value in machine.environment(name).items()}
    shown = (mount for each in found for mount in machine.mounts(each))
    here = Mount(Path(guest.__file__).parent, f"{GUEST}/omni/verify/fuzzing")
    return replace(
        whole,
        env={**whole.env, **told, "PATH": ":".join(folders)},
        mounts=tuple(dict.fromkeys([*whole.mounts, *shown, *mounts, here])),
        limits=Limits(wall=whole.limits.wall, memory=4096, disk=2048),
        stdin=json.dumps(plan).encode(),
    )


# C and C++: libFuzzer, which comes with clang.

ENTRY_OF_C = re.compile(r"\bLLVMFuzzerTestOneInput\s*\(")
MAIN = re.compile(r"^\s*(?:int|void|auto)\s+main\s*\(", re.MULTILINE)
CHECKED = ("-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
CLANG = ("clang", "clang++")
HEADERS = (".h", ".hpp", ".hh", ".hxx")


def _c_targets(context: Context) -> Iterator[Target]:
    for file in _files(context, ENTRY_OF_C, "c", "cpp"):
        stem = PurePosixPath(file.path).stem
        yield Target(file.path, stem.removeprefix("fuzz_").removesuffix("_fuzzer"), f"c/{file.path}")


def _c_job(context: Context, target: Target, seconds: int) -> Job:
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
    return _job(context, target, seconds, CLANG, [["mkdir", "-p", BUILT], *build], [program], {"env": env})


def _compiled(context: Context, target: Target, program: str) -> list[list[str]]:
    sources = [file for file in context.files if not file.path.endswith(HEADERS)]
    linked = [file.path for file in sources if file.path == target.path or _is_part(context, file)]
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


def _is_part(context: Context, file: File) -> bool:
    """Of the product: no program of its own, no test, no other target."""
    if BESIDE_THE_PRODUCT.search(file.path) or TESTS.search(file.path):
        return False
    text = context.text(file)
    return not (MAIN.search(text) or ENTRY_OF_C.search(text))


# Go: `go test -fuzz`, since 1.18.

FUZZ = re.compile(r"^func (Fuzz\w*)\(\w+ \*testing\.F\)", re.MULTILINE)


def _go_targets(context: Context) -> Iterator[Target]:
    for file in _files(context, FUZZ, "go"):
        folder = PurePosixPath(file.path).parent
        for name in FUZZ.findall(context.text(file)):
            yield Target(file.path, name, f"go/{folder}/{name}")


def _go_job(context: Context, target: Target, seconds: int) -> Job:
    """Go keeps each input as a text, in a folder of the function's name, and makes what breaks it small itself."""
    cwd = f"{WORK}/{PurePosixPath(target.path).parent}".removesuffix("/.")
    program, name = f"{BUILT}/target", target.name
    found = f"{cwd}/testdata/fuzz/{name}"
    build = ["go", "test", "-c", f"-fuzz=^{name}$", "-o", program, "."]
    fuzz = [
        program, "-test.run=^$", f"-test.fuzz=^{name}$", f"-test.fuzztime={seconds}s", "-test.fuzzminimizetime=20s",
        f"-test.fuzzcachedir={PurePosixPath(CORPUS).parent}/go",
    ]  # fmt: skip
    replay = [program, f"-test.run=^{name}$/^omni-input$", f"-test.timeout={HANG}s"]
    steps: Steps = {"cwd": cwd, "input": f"{found}/omni-input", "found": found, "smaller": False}
    link = ["sh", "-c", f"mkdir -p {BUILT} {WORK}/{OUT}/go && ln -s {CORPUS} {WORK}/{OUT}/go/{name}"]
    return _job(context, target, seconds, ("go", "cc"), [link, build], fuzz, steps, replay=replay)


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
        if PurePosixPath(file.path).name != "Cargo.toml":
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


def _rust_job(context: Context, target: Target, seconds: int) -> Job:
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
    return _job(context, target, seconds, ("cargo", "cc"), [["mkdir", "-p", BUILT], build], [program], {"env": env})


# JavaScript and TypeScript: jazzer.js, on one bundle of the program that esbuild makes.

EXPORTED = re.compile(
    r"^\s*(export\s+(async\s+)?function\s+fuzz\b|export\s+(const|let|var)\s+fuzz\b|(module\.)?exports\.fuzz\s*=)",
    re.MULTILINE,
)
WAITS = re.compile(r"^\s*(export\s+async\s+function\s+fuzz\b|.*\bfuzz\s*(:[^=]*)?=\s*async\b)", re.MULTILINE)


def _javascript_targets(context: Context) -> Iterator[Target]:
    for file in _files(context, EXPORTED, "javascript", "typescript"):
        name = PurePosixPath(file.path).name.split(".")[0]
        yield Target(file.path, name.removeprefix("fuzz_"), f"javascript/{file.path}")


def _javascript_job(context: Context, target: Target, seconds: int) -> Job:
    tools = context.execution.tools("jazzer")
    bundle = f"{BUILT}/target.js"
    build = [
        f"{tools.root}/.bin/esbuild", f"{WORK}/{target.path}", "--bundle", "--platform=node", "--packages=external",
        "--sourcemap=inline", "--log-level=warning", f"--outfile={bundle}",
    ]  # fmt: skip
    file = context.inventory.by_path[target.path]
    alone = [] if WAITS.search(context.text(file)) else ["--sync"]
    jazzer = ["node", f"{tools.root}/@jazzer.js/core/dist/cli.js", bundle, f"--timeout={HANG}000", *alone]
    plan = {"NODE_PATH": f"{WORK}/node_modules", "PATH": ":".join([*map(str, tools.bins), "/usr/bin", "/bin"])}
    fuzz = [*jazzer, CORPUS, "--", *LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FOUND}/"]
    replay = [*jazzer, "--", *LIMITS, f"{BUILT}/input"]
    made = [["mkdir", "-p", BUILT], build]
    mounts = tools.mounts("node")
    return _job(context, target, seconds, (), made, fuzz, {"env": plan}, replay=replay, mounts=mounts)


# Java: jazzer.

ENTRY_OF_JAVA = re.compile(r"\bstatic\s+void\s+fuzzerTestOneInput\s*\(")
PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


def _java_targets(context: Context) -> Iterator[Target]:
    for file in _files(context, ENTRY_OF_JAVA, "java"):
        yield Target(file.path, PurePosixPath(file.path).stem, f"java/{file.path}")


def _java_job(context: Context, target: Target, seconds: int) -> Job:
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
    made = [["mkdir", "-p", f"{BUILT}/classes"], compiled]
    return _job(context, target, seconds, ("jazzer", "javac", "java"), made, fuzz, mounts=beside)


PYTHON = Engine((), _python_targets, _python_job)
ENGINES: Mapping[str, Engine] = {
    "c": Engine(CLANG, _c_targets, _c_job),
    "go": Engine(("go",), _go_targets, _go_job),
    "rust": Engine(("cargo",), _rust_targets, _rust_job),
    "javascript": Engine((), _javascript_targets, _javascript_job),
    "java": Engine(("jazzer", "javac"), _java_targets, _java_job),
}
