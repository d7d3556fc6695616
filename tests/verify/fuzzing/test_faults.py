from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from omni.verify.fuzzing.faults import Fault, last_run, leaked, leaks, read

RECORDED = Path(__file__).with_name("recorded")


def test_what_was_recorded_of_real_fuzzers() -> None:
    told = {}
    for path in sorted(RECORDED.glob("*.txt")):
        said = path.read_text()
        fault = leaked(said) if path.stem.endswith("leak") else read(said)
        told[path.stem] = (fault.kind, fault.error, fault.places[:3])
    assert told == snapshot(
        {
            "clang-14-assertion": (
                "",
                "Assertion `text.size() < 2 || text[0] != 'A'' failed",
                (("/work/src/order.cpp", 11), ("/work/fuzz/order_fuzzer.cpp", 7)),
            ),
            "clang-14-exception": (
                "",
                "terminate called after throwing an instance of 'std::runtime_error' what(): no such order",
                (("/work/src/order.cpp", 10), ("/work/fuzz/order_fuzzer.cpp", 7)),
            ),
            "clang-14-heap-buffer-overflow": (
                "",
                "AddressSanitizer: heap-buffer-overflow",
                (("/work/src/parse.c", 16), ("/work/fuzz/fuzz_parse.c", 4)),
            ),
            "clang-14-heap-use-after-free": (
                "",
                "AddressSanitizer: heap-use-after-free",
                (("/work/src/parse.c", 23), ("/work/fuzz/fuzz_parse.c", 4)),
            ),
            "clang-14-leak": (
                "leak",
                "2 bytes are never freed",
                (("/work/src/parse.c", 38), ("/work/fuzz/fuzz_parse.c", 4)),
            ),
            "clang-14-oom": ("oom", "libFuzzer: out-of-memory", ()),
            "clang-14-timeout": (
                "timeout",
                "libFuzzer: timeout",
                (("/work/src/parse.c", 33), ("/work/fuzz/fuzz_parse.c", 4)),
            ),
            "clang-14-undefined": (
                "",
                "signed integer overflow: 2147483647 + 2 cannot be represented in type 'int'",
                (("/work/src/parse.c", 28), ("/work/fuzz/fuzz_parse.c", 4)),
            ),
            "go-1.19-error": ("", 'wrong: "PN"', (("a_test.go", 9),)),
            "go-1.19-oom": (
                "oom",
                "out of memory allocating heap arena metadata",
                (("/work/a/a_test.go", 26), ("/work/a/a_test.go", 22)),
            ),
            "go-1.19-panic": (
                "",
                "runtime error: index out of range [2] with length 2",
                (("/work/parse/parse.go", 5), ("/work/parse/parse_test.go", 8)),
            ),
            "go-1.19-timeout": (
                "timeout",
                "test timed out after 10s",
                (("/work/a/a_test.go", 15), ("/work/a/a_test.go", 16)),
            ),
            "jazzer.js-4.0-exception": (
                "",
                "TypeError: Cannot read properties of undefined (reading 'id')",
                (("/work/src/parse.ts", 4), ("/work/fuzz/parse.fuzz.ts", 4)),
            ),
            "jazzer.js-4.0-oom": ("oom", "libFuzzer: out-of-memory", ()),
            "jazzer.js-4.0-timeout": ("timeout", "libFuzzer: timeout", ()),
            "rust-1.95-heap-buffer-overflow": (
                "",
                "AddressSanitizer: heap-buffer-overflow",
                (("/work/src/lib.rs", 8),),
            ),
            "rust-1.95-overflow": (
                "",
                "attempt to subtract with overflow",
                (("/work/src/lib.rs", 4),),
            ),
            "rust-1.95-panic": (
                "",
                "index out of bounds: the len is 1 but the index is 1",
                (("/work/src/lib.rs", 3),),
            ),
            "rust-1.95-unwrap": (
                "",
                "called `Result::unwrap()` on an `Err` value: Utf8Error { valid_up_to: 1, error_len: Some(1) }",
                (("/work/src/lib.rs", 5),),
            ),
        }
    )


JAVA = """INFO: Instrumented com.shop.OrdersFuzzer (took 159 ms, size +94%)

== Java Exception: java.lang.IndexOutOfBoundsException: Index 2 out of bounds for length 2
\tat java.base/java.util.ArrayList.get(ArrayList.java:427)
\tat com.shop.Orders.first(Orders.java:51)
\tat com.shop.OrdersFuzzer.fuzzerTestOneInput(OrdersFuzzer.java:43)
Caused by: java.lang.Error
\tat com.shop.Other.never(Other.java:1)
DEDUP_TOKEN: b67dcd8309cda923
== libFuzzer crashing input ==
artifact_prefix='./'; Test unit written to ./crash-4f48
"""


def test_java_names_classes() -> None:
    assert read(JAVA) == Fault(
        "java.lang.IndexOutOfBoundsException: Index 2 out of bounds for length 2",
        (("java/util/ArrayList.java", 427), ("com/shop/Orders.java", 51), ("com/shop/OrdersFuzzer.java", 43)),
    )


def test_rust_before_1_73_said_it_in_one_line() -> None:
    said = "thread '<unnamed>' panicked at 'index out of bounds: the len is 2', src/lib.rs:3:16\nnote: run with"
    assert read(said) == Fault("index out of bounds: the len is 2", (("src/lib.rs", 3),))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("libFuzzer: timeout", "timeout"),
        ("test timed out after 10s", "timeout"),
        ("libFuzzer: out-of-memory", "oom"),
        ("java.lang.OutOfMemoryError: Java heap space", "oom"),
        ("AddressSanitizer: allocation-size-too-big", "oom"),
        ("3 bytes are never freed", "leak"),
        ("runtime error: index out of range [2] with length 2", ""),
    ],
)
def test_kinds_are_told_apart(error: str, kind: str) -> None:
    assert Fault(error).kind == kind


def test_the_same_fault_may_have_other_numbers() -> None:
    one = Fault("index out of range [5] with length 5", (("/work/a.go", 3), ("/work/b.go", 1)))
    assert one.same(Fault("index out of range [2] with length 2", (("/work/a.go", 3),)))
    assert not one.same(Fault("index out of range [2] with length 2", (("/work/a.go", 4),)))
    assert not one.same(Fault("slice bounds out of range", (("/work/a.go", 3),)))
    assert not Fault().same(Fault())


def balances(*runs: str) -> str:
    return "".join(f"MallocFreeTracer: START\nMallocFreeTracer: STOP {run} (x)\n" for run in runs)


def test_a_leak_is_one_in_every_run_but_the_first() -> None:
    assert leaks(balances("1 1", "2 1", "2 1", "2 1"))
    assert not leaks(balances("2 1", "1 1", "1 1", "1 1")), "a cache is filled once"
    assert not leaks(balances("2 1", "2 1"))
    assert not leaks(balances("2 1", "2 1", "1 1"))


def test_of_the_last_run_what_is_not_freed_is_told() -> None:
    frame = "    #7 0x55 in {} /work/a.c:{}:16\n"
    run = (
        f"MALLOC[0] 0x60 5\n{frame.format('f', 1)}\nMALLOC[1] 0x70 9\n{frame.format('g', 2)}\nFREE[0]   0x60\n"
        f"{frame.format('h', 3)}\nMallocFreeTracer: STOP 2 1 (DIFFERENT)\n"
    )
    said = f"MallocFreeTracer: START\nMALLOC[0] 0x80 1\nMallocFreeTracer: START\n{run}"
    assert leaked(last_run(said)) == Fault("9 bytes are never freed", (("/work/a.c", 2),))
    assert leaked("") == Fault("memory is never freed")


def test_a_line_may_be_optimised_away() -> None:
    said = "==8==ERROR: AddressSanitizer: SEGV on unknown address 0x0\n    #0 0x5 in f(char const*) /work/src/a.cpp\n"
    assert read(said) == Fault("AddressSanitizer: SEGV", (("/work/src/a.cpp", 0),))


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert read(text) == Fault() or read(text).error


@given(st.lists(st.sampled_from([*(RECORDED / "rust-1.95-panic.txt").read_text().splitlines(), *JAVA.splitlines()])))
def test_lines_in_any_order_can_be_read(lines: list[str]) -> None:
    fault = read("\n".join(lines))
    assert all(line >= 0 for _, line in fault.places)
