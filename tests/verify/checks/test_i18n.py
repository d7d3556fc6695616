from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

EN, DE = "locales/en.json", "locales/de.json"
CATALOGS = {EN: '{"todo.title": "Title"}', DE: '{"todo.title": "Titel"}'}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("app/a.html", "<p>\n  Hello there\n</p>\n", "warning hard-coded-text app/a.html:2"),
        ("app/a.py", "s = 'item' if n == 1 else 'items'\n", "warning home-made-plural app/a.py:1"),
        ("app/a.py", "t = datetime.now()\n", "warning naive-time app/a.py:1"),
        ("app/a.py", "t = datetime.datetime.utcnow()\n", "warning naive-time app/a.py:1"),
        ("app/a.py", "s = f'${price:.2f}'\n", "warning hand-formatted-number app/a.py:1"),
        ("app/a.css", ".a {\n  margin-left: 1rem;\n}\n", "warning left-or-right app/a.css:2"),
        ("app/a.py", "s = t('greeting') + name\n", "warning joined-translation app/a.py:1"),
        ("app/a.ts", "const s = t('greeting') + name;\n", "warning joined-translation app/a.ts:1"),
        ("app/a.ts", "names.sort();\n", "note plain-sort app/a.ts:1"),
        ("app/a.css", "button { width: 80px; }\n", "warning fixed-width app/a.css:1"),
        # the corrected twins
        ("app/a.html", "<p>{{ t('todo.title') }}</p>\n", ""),
        ("app/a.html", "<p>&nbsp;·&nbsp;12</p><style>a { b: c }</style>\n", ""),
        ("app/a.py", "s = t('items', count=n)\nt = datetime.now(UTC)\ns = f'{ratio:.2f}'\n", ""),
        ("app/a.css", ".a { margin-inline-start: 1rem; text-align: start; } button { min-width: 5rem; }\n", ""),
        ("app/a.ts", "names.sort(new Intl.Collator('de').compare);\n", ""),
    ],
)
def test_source(found: Found, path: str, text: str, expected: str) -> None:
    assert found("i18n", {**CATALOGS, path: text}) == ([expected] if expected else [])


def test_missing_and_nested_keys(look: Look) -> None:
    files = {EN: '{"a": "A", "b": "B"}', DE: '{\n  "a": {"b": "B"}\n}'}
    assert [(each.rule, each.path, each.line, each.message) for each in look("i18n", files).findings] == [
        ("missing-key", DE, 1, f"`b` is in {EN} and not here"),
        ("nested-key", DE, 2, "`a` holds further keys"),
    ]


def test_one_language(look: Look) -> None:
    assert look("i18n", {"a.html": "<p>Hello there</p>"}).status is Status.SKIPPED
