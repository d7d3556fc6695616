"""The check `dataflow-javascript` on public programs whose lines are marked as vulnerable or harmless.

    .venv/bin/python benchmarks/marked_scripts.py codeql CHECKOUT
    .venv/bin/python benchmarks/marked_scripts.py semgrep CHECKOUT

`codeql`: a clone of github/codeql (or of Semmle/ql, its older name): the tests of its JavaScript queries, in which
`// NOT OK` marks what has to be found and `// OK` what must not. `semgrep`: a clone of semgrep/semgrep-rules: the
tests of its rules for scripts that follow data (`mode: taint`), in which a comment `ruleid:` or `ok:`
stands before the line. Counted are the tests of the weaknesses that the check knows; TESTS and CWES say which. A
finding counts for a line when it lies there and is of the test's weakness. For each: how many were found (TPR), how
many others were accused (FPR).
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from omni.verify.dataflow_javascript.analysis import analyse, script
from omni.verify.dataflow_javascript.model import load

ENDINGS = {".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs"}
TESTS: Mapping[str, tuple[str, ...]] = {
    "CWE-022/TaintedPath": ("path",),
    "CWE-078": ("command",),
    "CWE-079/DomBasedXss": ("xss", "redirect", "code"),
    "CWE-079/ReflectedXss": ("xss",),
    "CWE-089/untyped": ("sql", "nosql", "code"),
    "CWE-094/CodeInjection": ("code", "template"),
    "CWE-117": ("log",),
    "CWE-327": ("weak-cipher", "weak-hash"),
    "CWE-338": ("weak-randomness",),
    "CWE-502": ("deserialization",),
    "CWE-601": ("redirect", "xss"),
    "CWE-611": ("xxe",),
    "CWE-730": ("regex",),
    "CWE-915/PrototypePollutingAssignment": ("prototype",),
    "CWE-915/PrototypePollutingMergeCall": ("prototype",),
    "CWE-918": ("ssrf",),
}
"""Folder → weaknesses. Left out: what only libraries are asked (a parameter of an exported function is not untrusted
here), data that comes from a database, from exceptions or from the page itself, and escaping that is not complete."""
OTHER_QUERIES = re.compile(
    r"bad-random|server-crash|bad-code-sanitization|UselessUseOfCat|uselesscat|lib/|Indirect|command-line|environment"
)
"""Programs in these folders that belong to other queries: biased randomness, crashes, escaping for code, …"""
CWES = {
    "CWE-22": ("path",), "CWE-23": ("path",), "CWE-73": ("path",), "CWE-706": ("path",), "CWE-78": ("command",),
    "CWE-79": ("xss",), "CWE-89": ("sql",), "CWE-94": ("code",), "CWE-95": ("code",), "CWE-502": ("deserialization",),
    "CWE-601": ("redirect",), "CWE-611": ("xxe",), "CWE-918": ("ssrf",), "CWE-943": ("nosql",),
    "CWE-915": ("prototype",), "CWE-1333": ("regex",), "CWE-1336": ("template",),
}  # fmt: skip
MARKED = re.compile(r"(//|/\*).*?\b(NOT OK|BAD|OK|GOOD)\b")


@dataclass(frozen=True)
class Line:
    category: str
    path: str
    line: int
    weaknesses: tuple[str, ...]
    vulnerable: bool


def codeql(checkout: Path) -> Iterator[tuple[Path, list[Line]]]:
    root = checkout / "javascript" / "ql" / "test" / "query-tests" / "Security"
    for folder, weaknesses in TESTS.items():
        lines = []
        for path in scripts(root / folder):
            name = str(path.relative_to(root / folder))
            if OTHER_QUERIES.search(name):
                continue
            for number, text in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
                mark = MARKED.search(text)
                if mark and not text.strip().startswith("//"):
                    lines.append(Line(folder, name, number, weaknesses, mark[2] in {"NOT OK", "BAD"}))
        yield root / folder, lines


def semgrep(checkout: Path) -> Iterator[tuple[Path, list[Line]]]:
    for rules in sorted([*checkout.glob("javascript/**/*.yaml"), *checkout.glob("typescript/**/*.yaml")]):
        said = rules.read_text("utf-8")
        cwe = re.search(r"CWE-\d+", said)
        weaknesses = CWES.get(cwe[0], ()) if cwe else ()
        if "mode: taint" not in said or not weaknesses:
            continue
        for path in sorted(rules.parent.glob(f"{rules.stem}.*")):
            if path.suffix in ENDINGS:
                yield path, list(_announced(path, weaknesses))


def _announced(path: Path, weaknesses: tuple[str, ...]) -> Iterator[Line]:
    lines = path.read_text("utf-8").splitlines()
    for number, text in enumerate(lines, 1):
        mark = re.search(r"(//|/\*)\s*(ruleid|ok):", text)
        if mark:
            after = next((at for at in range(number, len(lines)) if not re.match(r"\s*(//|/\*)", lines[at])), number)
            yield Line("/".join(weaknesses), path.name, after + 1, weaknesses, mark[2] == "ruleid")


def scripts(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.suffix in ENDINGS and path.is_file())


def accused(place: Path) -> dict[tuple[str, int], set[str]]:
    """(path, line) → weaknesses."""
    root = place if place.is_dir() else place.parent
    paths = scripts(place) if place.is_dir() else [place]
    known = load().weaknesses
    found: dict[tuple[str, int], set[str]] = {}
    for hit in analyse(
        [script(str(path.relative_to(root)), path.read_text("utf-8", "replace")) for path in paths]
    ).hits:
        if known[hit.weakness].local is not None or hit.taint.kind != "local":
            found.setdefault((hit.sink.path, hit.sink.line), set()).add(hit.weakness)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=("codeql", "semgrep"))
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--wrong", action="store_true", help="name the lines that are judged wrongly")
    given = parser.parse_args()
    counts: dict[str, list[int]] = {}
    started = time.perf_counter()
    for place, lines in (codeql if given.suite == "codeql" else semgrep)(given.checkout):
        found = accused(place)
        for each in lines:
            said = bool(found.get((each.path, each.line), set()) & set(each.weaknesses))
            counts.setdefault(each.category, [0, 0, 0, 0])[2 * (not each.vulnerable) + (not said)] += 1
            if given.wrong and said is not each.vulnerable:
                print(
                    f"{'missed' if each.vulnerable else 'accused'} {each.category} {place.name} {each.path}:{each.line}"
                )
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    print(f"{'':40} {'TP':>5} {'FN':>5} {'FP':>5} {'TN':>5} {'TPR':>7} {'FPR':>7}")
    for category, (tp, fn, fp, tn) in [*sorted(counts.items()), ("all", total)]:
        print(f"{category:40} {tp:5} {fn:5} {fp:5} {tn:5} {tp / max(1, tp + fn):7.1%} {fp / max(1, fp + tn):7.1%}")
    print(f"{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
