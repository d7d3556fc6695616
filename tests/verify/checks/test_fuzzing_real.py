"""Fuzz targets of other languages than Python, for real, where their tools are at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.kernel.settings import Settings, load_settings
from omni.verify.report import CheckResult, Status
from omni.verify.tools import installed

Look = Callable[..., CheckResult]

pytestmark = [pytest.mark.host, pytest.mark.slow]

BOUND = {"omni.toml": "[verify.fuzzing]\nseconds = 30\n"}
"""What breaks ends it sooner."""
C = BOUND | {
    "src/parse.h": "#include <stddef.h>\n#include <stdint.h>\nint parse(const uint8_t *data, size_t size);\n",
    "src/parse.c": """#include "parse.h"
#include <stdlib.h>
#include <string.h>

int parse(const uint8_t *data, size_t size)
{
  char *copy = malloc(size + 1);
  memcpy(copy, data, size);
  copy[size] = 0;
  if (size > 1 && data[0] == 'P' && data[1] == 'N')
    return copy[size + 1];
  if (size > 1 && data[0] == 'L')
    return 1;
  free(copy);
  return 0;
}
""",
    "fuzz/fuzz_parse.c": """#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  return parse(data, size) > 1000;
}
""",
}
GO = BOUND | {
    "go.mod": "module example.org/demo\n\ngo 1.18\n",
    "parse/parse.go": """package parse

func Parse(data []byte) int {
	if len(data) > 1 && data[0] == 'P' && data[1] == 'N' {
		return int(data[2])
	}
	return 0
}
""",
    "parse/parse_test.go": """package parse

import "testing"

func FuzzParse(f *testing.F) {
	f.Add([]byte("PM"))
	f.Fuzz(func(t *testing.T, data []byte) { Parse(data) })
}
""",
}
RUST = BOUND | {
    "Cargo.toml": '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": """pub fn parse(data: &[u8]) -> u8 {
    if data.len() > 1 && data[0] == b'P' && data[1] == b'N' {
        return data[2];
    }
    0
}
""",
    "fuzz/Cargo.toml": """[package]
name = "demo-fuzz"
version = "0.0.0"
edition = "2021"

[package.metadata]
cargo-fuzz = true

[dependencies]
demo = { path = ".." }
libfuzzer-sys = { path = "vendor/libfuzzer-sys" }

[[bin]]
name = "parse"
path = "fuzz_targets/parse.rs"

[workspace]
""",
    "fuzz/fuzz_targets/parse.rs": """#![no_main]

libfuzzer_sys::fuzz_target!(|data| {
    demo::parse(data);
});
""",
    # The crate of that name, as far as a target needs it: clang's libFuzzer is linked, and a panic ends the process.
    "fuzz/vendor/libfuzzer-sys/Cargo.toml": '[package]\nname = "libfuzzer-sys"\nversion = "0.4.0"\nedition = "2021"\n',
    "fuzz/vendor/libfuzzer-sys/build.rs": """use std::process::Command;

fn main() {
    let name = format!("-print-file-name=libclang_rt.fuzzer-{}.a", std::env::consts::ARCH);
    let said = Command::new("clang").arg(name).output().unwrap().stdout;
    let path = std::path::PathBuf::from(String::from_utf8(said).unwrap().trim());
    println!("cargo:rustc-link-search=native={}", path.parent().unwrap().display());
    println!("cargo:rustc-link-lib=static=clang_rt.fuzzer-{}", std::env::consts::ARCH);
    println!("cargo:rustc-link-lib=stdc++");
}
""",
    "fuzz/vendor/libfuzzer-sys/src/lib.rs": """#[macro_export]
macro_rules! fuzz_target {
    (|$data:ident| $body:block) => {
        #[no_mangle]
        pub extern "C" fn LLVMFuzzerTestOneInput(start: *const u8, size: usize) -> i32 {
            let $data: &[u8] = unsafe { std::slice::from_raw_parts(start, size) };
            if std::panic::catch_unwind(|| $body).is_err() {
                std::process::abort();
            }
            0
        }
    };
}
""",
}
TYPESCRIPT = BOUND | {
    "src/parse.ts": """export function parse(text: string): number {
  const orders: { id: number }[] = [];
  return text[0] === "P" && text[1] === "N" ? orders[text.length].id : 0;
}
""",
    "fuzz/parse.fuzz.ts": """import { parse } from "../src/parse";

export function fuzz(data: Buffer): void {
  parse(data.toString());
}
""",
}


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    if "cargo" in programs and subprocess.run(["cargo", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("rustup has no toolchain")
    if "clang" in programs:
        asked = [str(shutil.which("clang")), "-print-runtime-dir"]
        folder = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.strip()
        if not list(Path(folder).parent.rglob("libclang_rt.fuzzer*")):
            pytest.skip("clang has no libFuzzer: type apt-get install libclang-rt-dev")


def told(result: CheckResult) -> list[str]:
    assert result.status in {Status.PASS, Status.FAIL}, result.reason
    return [f"{each.rule} {each.path}:{each.line} {each.message.partition(', by ')[0]}" for each in result.findings]


def kept(settings: Settings, check: str) -> dict[str, bytes]:
    """Kind → the input, of all that are kept."""
    folder = settings.home / "cache" / "checks" / check
    return {path.name.partition("-")[0]: path.read_bytes() for path in folder.rglob("broken/*")}


def test_c_breaks_and_breaks_again_and_leaks_once_that_is_mended(look: Look, settings: Settings) -> None:
    needs("clang", "clang++")
    overflow = ["broken src/parse.c:11 AddressSanitizer: heap-buffer-overflow"]
    result = look("fuzzing-c", C)
    assert (told(result), result.findings[0].cwe) == (overflow, "CWE-122")
    assert kept(settings, "fuzzing-c") == {"crash": b"PN"}
    again = look("fuzzing-c", {})
    assert (told(again), again.metrics["fuzzing.executions.c"]) == (overflow, 0)
    mended = look(
        "fuzzing-c",
        {
            "src/parse.c": C["src/parse.c"].replace("copy[size + 1]", "(free(copy), 2)"),
            "fuzz/corpus/parse/long": "Long",
            "omni.toml": "[verify.fuzzing]\nseconds = 2\n",
        },
    )
    assert [line.partition(" bytes")[2] for line in told(mended)] == [" are never freed"]
    assert (mended.findings[0].rule, mended.findings[0].line) == ("leak", 7)
    assert len(kept(settings, "fuzzing-c")["leak"]) == 2


def test_go(look: Look, settings: Settings) -> None:
    needs("go")
    result = look("fuzzing-go", GO)
    assert told(result) == ["broken parse/parse.go:5 runtime error: index out of range [2] with length 2"]
    assert kept(settings, "fuzzing-go") == {"crash": b'go test fuzz v1\n[]byte("PN")\n'}


def test_rust(look: Look, settings: Settings) -> None:
    needs("cargo", "clang")
    result = look("fuzzing-rust", RUST)
    assert told(result) == ["broken src/lib.rs:3 index out of bounds: the len is 2 but the index is 2"]
    assert kept(settings, "fuzzing-rust") == {"crash": b"PN"}


def test_typescript(look: Look, settings: Settings) -> None:
    tools = installed("jazzer", load_settings().home)
    if tools is None:
        pytest.skip("jazzer.js is not here: type omni tools install jazzer")
    addon = f"require('{tools.root}/@jazzer.js/fuzzer')"
    if subprocess.run([tools.folders[-1] / "node", "-e", addon], capture_output=True, check=False).returncode:
        pytest.skip("jazzer.js can't be loaded: it needs glibc 2.38")
    result = look("fuzzing-javascript", TYPESCRIPT)
    assert told(result) == ["broken src/parse.ts:3 TypeError: Cannot read properties of undefined (reading 'id')"]
    assert kept(settings, "fuzzing-javascript") == {"crash": b"PN"}


def test_what_does_not_compile_is_incomplete_and_says_why(look: Look) -> None:
    needs("clang", "clang++")
    result = look("fuzzing-c", C | {"src/parse.c": "int parse(void) { return 1 }\n"})
    assert result.status is Status.INCOMPLETE
    assert result.reason.startswith("fuzz/fuzz_parse.c could not be built: /work/src/parse.c:1:27: error: expected ';'")
