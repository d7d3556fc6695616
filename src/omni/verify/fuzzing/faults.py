"""What broke a fuzz target, and where, by what its fuzzer printed.

Formats: AddressSanitizer and UndefinedBehaviorSanitizer of https://clang.llvm.org/docs, libFuzzer of
https://llvm.org/docs/LibFuzzer.html, panics of Rust and Go, stacks of Node.js and of Java.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = {
    "timeout": re.compile(r"\b(timeout|timed out)\b"),
    "oom": re.compile(r"\b(out[ -]of[ -]memory|OutOfMemoryError|cannot allocate memory|allocation-size-too-big)\b"),
    "leak": re.compile(r"\bnever freed$"),
}
NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclass(frozen=True)
class Fault:
    error: str = ""
    """What went wrong, in the words of the language; empty: nothing was said that is known."""
    places: tuple[tuple[str, int], ...] = ()
    """(file, line), the innermost first; line 0: optimised away."""

    @property
    def kind(self) -> str:
        """libFuzzer's word for it, where the error tells: `timeout`, `oom` or `leak`."""
        return next((kind for kind, words in KINDS.items() if words.search(self.error)), "")

    def same(self, other: Fault) -> bool:
        """The same kind of fault at the same place, whatever the numbers in it."""
        alike = NUMBERS.sub("#", self.error) == NUMBERS.sub("#", other.error)
        return bool(self.error) and alike and self.places[:1] == other.places[:1]


@dataclass(frozen=True)
class Shape:
    """How one of them says it."""

    error: re.Pattern[str]
    """Its group `error`; perhaps `path` and `line` of the innermost place."""
    frame: re.Pattern[str]
    """A line of the stack that follows: `path` and `line`, perhaps `function`."""
    stop: re.Pattern[str]
    """The line with which another stack begins."""


_SANITIZED = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ in .*? (?P<path>[^\s():]*/[^\s():]+\.\w+)(?::(?P<line>\d+)(?::\d+)?)?$")
_NEXT = re.compile(r"^(SUMMARY: |freed by |(previously )?allocated by |0x[0-9a-f]+ is located |MALLOC\[|FREE\[)")
_RUNTIME = re.compile(
    r"^/rustc/|/compiler-rt/|/libfuzzer-sys-[^/]*/|/Fuzzer\w+\.cpp$|^(assert|csu|nptl|signal|stdlib)/|/sysdeps/"
    r"|/go[^/]*/src/(runtime|testing|reflect|internal|time|os|sync)/"
)
"""Files of the fuzzer and of the language."""
BALANCE = re.compile(r"^MallocFreeTracer: STOP (\d+) (\d+) ", re.MULTILINE)
TAKEN = re.compile(r"^MALLOC\[\d+\]\s+(?P<address>0x[0-9a-f]+) (?P<bytes>\d+)$", re.MULTILINE)
FREED = re.compile(r"^FREE\[\d+\]\s+(0x[0-9a-f]+)$", re.MULTILINE)
REPEATED = 3
_NEVER = re.compile(r"(?!)")

SHAPES = (
    Shape(  # Rust, before 1.73: `panicked at 'message', src/lib.rs:3:16`
        re.compile(r"^thread '.*?'(?: \(\d+\))? panicked at '(?P<error>.*)', (?P<path>.+?):(?P<line>\d+):\d+$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^thread '.*?'(?: \(\d+\))? panicked at (?P<path>.+?):(?P<line>\d+):\d+:\n(?P<error>.+)$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+):\d+: runtime error: (?P<error>.+)$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^(?:\S+: )?(?P<path>[^\s:]+):(?P<line>\d+): .*?(?P<error>Assertion [`'].+' failed)\.?$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^(?P<error>terminate called .+(?:\n  what\(\): .+)?)$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^libc\+\+abi: (?P<error>terminating .+)$"),
        _SANITIZED,
        _NEXT,
    ),
    Shape(
        re.compile(r"^== Java Exception: (?P<error>.+)$"),
        re.compile(r"^\s*at (?:.+/)?(?P<function>[\w.$<>]+)\((?P<path>[\w$]+\.(?:java|kt)):(?P<line>\d+)\)$"),
        re.compile(r"^(Caused by: |== libFuzzer crashing input|DEDUP_TOKEN: )"),
    ),
    Shape(
        re.compile(r"^==\d+== Uncaught Exception: (?:Jazzer\.js: )?(?P<error>.+)$"),
        re.compile(r"^\s+at (?:.* \()?(?:file://)?(?P<path>/[^():]+):(?P<line>\d+):\d+\)?$"),
        re.compile(r"^(?!\s+at )"),
    ),
    Shape(
        re.compile(r"^\s*(?:testing\.go:\d+: )?(?:panic|fatal error): (?P<error>.+?)(?: \[recovered\])?$"),
        re.compile(r"^\s+(?P<path>/\S+\.go):(?P<line>\d+)(?: \+0x[0-9a-f]+.*)?$"),
        re.compile(r"^\s*Failing input written "),
    ),
    Shape(re.compile(r"^\s+(?P<path>\S+_test\.go):(?P<line>\d+): (?P<error>.+)$"), _NEVER, _NEVER),
    Shape(
        re.compile(
            r"^==\d+== ?ERROR: (?P<error>(?:\w+Sanitizer|libFuzzer): .+?)"
            r"(?: on (?:unknown )?address .*| \(pc 0x.*| after \d+ seconds| \(used: .*)?$"
        ),
        _SANITIZED,
        _NEXT,
    ),
)


def read(said: str) -> Fault:
    """The first fault that is told of."""
    for shape in SHAPES:
        found = re.search(shape.error.pattern, said, re.MULTILINE)
        if found:
            groups = found.groupdict()
            own = [(groups["path"], int(groups["line"]))] if groups.get("path") else []
            frames = _frames(shape, said[found.end() :].lstrip("\n").splitlines())
            return Fault(" ".join(groups["error"].split())[:300], tuple(dict.fromkeys([*own, *frames])))
    return Fault()


def leaks(said: str) -> bool:
    """Whether in the last runs with an input more was allocated than freed, each time: a cache is filled once."""
    runs = [(int(taken), int(given)) for taken, given in BALANCE.findall(said)]
    return len(runs) >= REPEATED and all(taken > given for taken, given in runs[-REPEATED:])


def last_run(said: str) -> str:
    return said[said.rfind("MallocFreeTracer: START") :]


def leaked(run: str) -> Fault:
    """Where the memory was taken that a traced run did not free."""
    freed = set(FREED.findall(run))
    for taken in TAKEN.finditer(run):
        if taken["address"] not in freed:
            frames = _frames(SHAPES[-1], run[taken.end() :].lstrip("\n").splitlines())
            return Fault(f"{taken['bytes']} bytes are never freed", tuple(dict.fromkeys(frames)))
    return Fault("memory is never freed")


def _frames(shape: Shape, lines: list[str]) -> Iterator[tuple[str, int]]:
    """Of the first stack in the lines."""
    for line in lines:
        if shape.stop.search(line):
            return
        frame = shape.frame.search(line)
        if frame and not _RUNTIME.search(frame["path"]):
            yield _path(frame), int(frame["line"] or 0)


def _path(frame: re.Match[str]) -> str:
    """Java names the class and the file: `com.shop.Orders.parse(Orders.java:12)` is in com/shop/Orders.java."""
    groups = frame.groupdict()
    if "function" not in groups:
        return str(groups["path"])
    package = [part for part in groups["function"].split(".")[:-2] if part]
    return "/".join([*package, groups["path"]])
