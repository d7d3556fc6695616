from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.lookalikes import alignment, resembles
from omni.verify.analysis.packages import popular

WORDS = st.text("abc-", max_size=8)


def reference(left: str, right: str) -> int:
    """Optimal string alignment by its recurrence, without a bound."""
    if not left or not right:
        return len(left) + len(right)
    best = min(
        reference(left[:-1], right) + 1,
        reference(left, right[:-1]) + 1,
        reference(left[:-1], right[:-1]) + (left[-1] != right[-1]),
    )
    if len(left) > 1 and len(right) > 1 and left[-1] == right[-2] and left[-2] == right[-1]:
        best = min(best, reference(left[:-2], right[:-2]) + 1)
    return best


@given(st.text("ab-", max_size=5), st.text("ab-", max_size=5), st.integers(0, 6))
def test_alignment_is_the_recurrence(left: str, right: str, most: int) -> None:
    assert alignment(left, right, most) == min(reference(left, right), most + 1)


@given(WORDS, WORDS)
def test_alignment_is_symmetric(left: str, right: str) -> None:
    assert alignment(left, right, 9) == alignment(right, left, 9)


@pytest.mark.parametrize(
    ("name", "registry", "meant"),
    [
        ("reqeusts", "pypi", "requests"),
        ("djago", "pypi", "django"),
        ("beautifulsoup-4", "pypi", "beautifulsoup4"),
        ("lodahs", "npm", "lodash"),
        ("boto4", "pypi", ""),
        ("my-own-internal-library", "pypi", ""),
        ("@babel/quite-new", "npm", ""),
        ("pyt", "pypi", ""),
    ],
)
def test_resembles(name: str, registry: str, meant: str) -> None:
    assert resembles(name, registry) == meant


def test_no_popular_name_resembles_another() -> None:
    assert [name for name in list(popular("pypi"))[:300] if resembles(name, "pypi")] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("flask", ""),
        ("flsak", "flask"),
        ("flas", ""),
        ("flaskk", "flask"),
        ("flasxy", ""),
        ("fl-ask", "flask"),
        ("f1ask", "flask"),
        ("fiask", "flask"),
        ("requestz-cache", "requests-cache"),
        ("reqeustz-cache", "requests-cache"),
        ("xequestz-cache", ""),
        ("reqzeustz-cacheq", ""),
        ("modem", "modern"),
        ("sqlite", ""),
        ("sqlite4", ""),
        ("types-flsak", ""),
        ("@scope/thinx", ""),
        ("@skope/things", "@scope/things"),
        ("rarest", ""),
    ],
)
def test_how_close_is_too_close(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    known = {"flask": 1, "requests-cache": 2, "modern": 3, "sqlite3": 4, "@scope/things": 5, "abcd": 6, "rarestt": 3001}
    monkeypatch.setattr("omni.verify.analysis.lookalikes.popular", lambda _registry: known)
    assert resembles(name, "pypi") == meant


def test_of_several_the_closest_and_then_the_most_popular_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"abcdefghij": 1, "abcdefghik": 2, "abcdefgh-iz": 3}
    monkeypatch.setattr("omni.verify.analysis.lookalikes.popular", lambda _registry: known)
    assert resembles("abcdefghiz", "pypi") == "abcdefgh-iz"
    assert resembles("abcdefghiy", "pypi") == "abcdefghij"
    assert resembles("abcdefxhik", "pypi") == "abcdefghik"
