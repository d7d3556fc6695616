"""What a model could hand over in each role: one right document a role, and what makes it wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

Reply = dict[str, JsonValue]

DECISION: Reply = {"what": "rows belong to their owner", "why": "nobody may see another's todos"}
CRITERION: Reply = {"id": "C1", "given": "Ada is logged in", "when": "she adds “milk”", "then": "her list shows “milk”"}
ROUTE: Reply = {
    "method": "GET",
    "path": "/todos/{id}",
    "summary": "One todo",
    "authenticated": True,
    "answers": {"200": "it is the caller's", "404": "there is none, or it is another's"},
}
TABLE: Reply = {
    "name": "todo",
    "primary_key": ["id"],
    "columns": [{"name": "id", "type": "integer"}, {"name": "owner", "type": "integer", "references": "user.id"}],
    "indexes": ["owner"],
}
CHANGE: Reply = {
    "summary": "The page of one todo.",
    "files": [{"path": "src/todo/pages.py", "why": "the page"}],
    "trace": {"C1": ["tests/test_pages.py"]},
    "checked": ["pytest -q: 3 passed"],
    "self_score": {"score": 7.5, "why": "no test of long titles"},
}
REMARK: Reply = {
    "path": "app/routes.py",
    "line": 4,
    "quote": 'return {"error": "gone"}, 200',
    "rule": "GET /todos/{id} 404",
    "severity": "error",
    "message": "An unknown id is answered with 200; the contract says 404.",
    "why": "A client takes it for a todo.",
    "fix": "Answer 404.",
    "replacement": 'return {"error": "gone"}, 404',
}
FINDINGS: Reply = {"remarks": [REMARK], "looked_at": ["app/routes.py"]}
TEST: Reply = {**REMARK, "kind": "test", "script": "def test_gone():\n    assert find(7) is None\n"}
GROWTH: Reply = {**REMARK, "kind": "growth", "script": "def run(n):\n    slow(range(n))\n", "sizes": [500, 4000]}
JUDGEMENT: Reply = {
    "feedback": "Right in the main case; an unknown id is answered wrongly.",
    "scores": [
        {
            "dimension": "api_design",
            "score": 4,
            "because": "200 for what is gone",
            "cites": [{"path": "app/routes.py", "line": 4, "quote": '"gone"}, 200'}],
        }
    ],
}
SPEC: Reply = {
    "summary": "A list of todos for each account.",
    "criteria": [CRITERION],
    "questions": ["May todos be shared?"],
    "assumptions": ["They are not shared."],
    "decisions": [DECISION],
}
RIGHT: Mapping[str, Reply] = {
    "ProductSpec": SPEC,
    "ApiContract": {"title": "Todos", "routes": [ROUTE]},
    "DataModel": {"tables": [TABLE], "migration": [{"do": "create todo", "undo": "drop todo", "locks": "nothing"}]},
    "ThreatModel": {
        "threats": [
            {
                "boundary": "browser to server",
                "category": "information-disclosure",
                "threat": "A user changes the id in the URL and reads another's todo.",
                "mitigation": "Queries filter by owner; test: other's id answers 404.",
                "severity": "error",
            }
        ]
    },
    "Plan": {
        "steps": [{"id": "1", "do": "the thinnest way through", "files": ["src/todo/app.py"], "criteria": ["C1"]}]
    },
    "Change": CHANGE,
    "Design": {"summary": "One process.", "parts": [{"path": "src/todo", "why": "rules"}], "rules": ["web uses todo"]},
    "Status": {"summary": "C1 is delivered.", "delivered": ["C1"], "missing": [], "risks": [], "next": ["release"]},
    "omni.review.judge:Judgement": JUDGEMENT,
    "omni.review.citation:Findings": FINDINGS,
    "omni.review.adversarial:Attacks": {"attacks": [TEST, GROWTH]},
    "omni.review.intent:BlackBoxTests": {
        "tests": [
            {
                "criterion": "C1",
                "name": "test_added_is_listed",
                "code": "def test_added_is_listed(app):\n    assert 'milk' in app.run('list').out\n",
            }
        ]
    },
}
"""Document → one that is right."""


def without(reply: Reply) -> str:
    """The same document in a version that nobody knows, without its first field."""
    return json.dumps({**dict(list(reply.items())[1:]), "schema_version": "0"})
