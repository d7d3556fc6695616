from __future__ import annotations

import pytest

from omni.verify.analysis.mermaid import problems


@pytest.mark.parametrize(
    "text",
    [
        "flowchart TD\n  a[One] --> b{Two?}\n  b -->|yes| c((Three))\n  subgraph s\n    d\n  end",
        'graph LR\n  a["x (y"] --> b[(Database)]\n  a -.-> c>flag]',
        (
            "sequenceDiagram\n  actor U\n  U->>+S: sign in (again)\n"
            "  alt ok\n    S-->>-U: yes\n  else\n    S--xU: no\n  end"
        ),
        "erDiagram\n  USER ||--o{ TODO : has\n  USER {\n    uuid id\n  }",
        'C4Context\n  Person(a, "A")\n  System_Boundary(b, "B") {\n    System(c, "C")\n  }\n  Rel(a, c, "uses")',
        "stateDiagram-v2\n  [*] --> open\n  open --> [*]",
        "classDiagram\n  class A {\n    +int x\n    f() int\n  }\n  A <|-- B",
        '---\ntitle: x\n---\n%% comment\npie\n  "a" : 1',
        ":align: center\n:caption:\n\nflowchart TD\n  a[Standard library\n  e.g. logging]\n  a --> b",
    ],
)
def test_sound(text: str) -> None:
    assert list(problems(text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(1, "the diagram is empty")]),
        ("flowhart TD", [(1, "“flowhart TD” is no kind of diagram")]),
        ("flowchart TD\n  a[b --> c", [(2, "“]” is missing")]),
        ("flowchart TD\n  a[b\n  c(d]", [(3, "“]” closes nothing"), (2, "“]” is missing")]),
        ("classDiagram\n  class A {\n    f(\n  }", [(3, "“)” is missing")]),
        (":align: center", [(1, "the diagram is empty")]),
        ("flowchart TD\n  a]b", [(2, "“]” closes nothing")]),
        ("flowchart TD\n  subgraph s\n  a", [(2, "`subgraph` has no `end`")]),
        ("sequenceDiagram\n  end", [(2, "`end` closes nothing")]),
        ("sequenceDiagram\n  A B", [(2, "“A B” is neither a message nor a keyword of a sequence diagram")]),
        ("erDiagram\n  USER {\n    uuid id", [(2, "“}” is missing")]),
    ],
)
def test_broken(text: str, expected: list[tuple[int, str]]) -> None:
    assert list(problems(text)) == expected
