from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult

Look = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("a.ts", "eval(input);", "js-eval"),
        ("a.ts", "new Function('a', body);", "js-eval"),
        ("a.js", "node.innerHTML = name;", "js-html-from-text"),
        ("a.ts", "cp.exec(`ls ${folder}`);", "js-shell"),
        ("a.ts", "child_process.execSync('rm ' + name, {});", "js-shell"),
        ("a.ts", "db.query(`SELECT a FROM t WHERE b = ${x}`);", "js-sql"),
        ("a.jsx", "db.query('select a from t where b = ' + x);", "js-sql"),
        ("a.ts", "https.get({ rejectUnauthorized: false });", "js-tls-off"),
        ("a.ts", "w.postMessage(m, '*');", "js-message-to-anyone"),
        ("a.py", "add(C, allow_origins=['*'], allow_credentials=True)", "cors-any-origin-with-credentials"),
        ("a.py", "jwt.decode(t, options={'verify_signature': False})", "token-not-verified"),
        ("a.py", "env.from_string(f'a{x}')", "template-from-request"),
        ("a.ts", "eval('1 + 1');", ""),
        ("a.ts", "node.innerHTML = '<b>x</b>';", ""),
        ("a.ts", "pattern.exec(text + more);", ""),
        ("a.ts", "db.query('SELECT a FROM t WHERE b = ?', [x]);", ""),
        ("a.py", "add(C, allow_origins=['*'])", ""),
        ("a.py", "jwt.decode(t, key, algorithms=['HS256'])", ""),
        ("lib.min.js", "eval(input);", ""),
    ],
)
def test_rule(look: Look, path: str, source: str, expected: str) -> None:
    findings = look("security-rules", {path: source + "\n"}).findings
    assert [each.rule for each in findings] == ([expected] if expected else [])
    assert all(each.why and each.fix and each.cwe and each.line == 1 for each in findings)
