"""Draw the map of the modules in `docs/architecture.md` from what the code imports.

    python scripts/diagrams.py            rewrite the map
    python scripts/diagrams.py --check    only say whether it is stale (exit code 1)
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

DOCUMENT = Path("docs/architecture.md")
BEGIN, END = "<!-- begin map of modules -->\n", "<!-- end map of modules -->\n"


def main() -> int:
    """Rewrite or check the document in the current folder. Returns the exit code."""
    before = DOCUMENT.read_text(encoding="utf-8")
    after = with_map(before, module_map(next(Path("src").glob("*/__init__.py")).parent))
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"{DOCUMENT} is stale: run `make format`.", file=sys.stderr)
        return 1
    return 0


def with_map(document: str, drawing: str) -> str:
    """The document with the drawing between its two marks. Raises ValueError when a mark is missing."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT} has lost its marks {BEGIN.strip()} and {END.strip()}")
    return f"{head}{begin}\n{drawing}\n{end}{tail}"


def module_map(package: Path) -> str:
    """A Mermaid flowchart with an arrow from each module to those it imports, and what each is for.

    A sub-package is one node; `__init__` and `__main__` of the package itself are left out.
    """
    purposes: dict[str, str] = {}
    arrows: set[tuple[str, str]] = set()
    for path in sorted(package.rglob("*.py")):
        node = path.relative_to(package).with_suffix("").parts[0]
        if node.startswith("__"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.stem == "__init__" or path.parent == package:
            purposes[node] = (ast.get_docstring(tree) or "").partition("\n")[0]
        arrows |= {(node, target) for target in _imported(tree, package.name) if target != node}
    arrows = {(source, target) for source, target in arrows if target in purposes}
    flow = [f"    {source} --> {target}" for source, target in sorted(arrows)]
    nodes = [f'    {node}["{node}"]' for node in sorted(purposes)]
    table = [f"| `{node}` | {purpose} |" for node, purpose in sorted(purposes.items())]
    lines = ["```mermaid", "flowchart TD", *nodes, *flow, "```", "", "| Module | Purpose |", "| --- | --- |", *table, ""]
    return "\n".join(lines)


def _imported(tree: ast.Module, package: str) -> set[str]:
    """Names of the package's own modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            found.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{package}.")}
    return found


if __name__ == "__main__":
    raise SystemExit(main())
