"""What a style sheet does to people who see little, touch coarsely, or use keys."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from omni.verify.accessibility.looks import looks


def contrasts(sheet: str) -> list[tuple[int, str]]:
    return [(line, message) for rule, line, message in looks(sheet) if rule == "contrast"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("color: #777; background: #fff", "4.47:1; 4.5:1"),
        ("color: #767676; background: #fff", ""),
        ("color: #777; background-color: white; background: black", "4.47:1; 4.5:1"),
        ("color: #777", ""),
        ("background: #fff", ""),
        ("color: #777; background: linear-gradient(red, blue)", ""),
        ("color: transparent; background: #fff", ""),
        ("color: #777; background: #fff; font-size: 24px", ""),
        ("color: #777; background: #fff; font-size: 23px", "4.47:1; 4.5:1"),
        ("color: #777; background: #fff; font-size: 18.66px; font-weight: bold", ""),
        ("color: #777; background: #fff; font-size: 18.66px; font-weight: 700", ""),
        ("color: #777; background: #fff; font-size: 18.66px; font-weight: 400", "4.47:1; 4.5:1"),
        ("color: #777; background: #fff; font-size: 18px; font-weight: 900", "4.47:1; 4.5:1"),
        ("color: #aaa; background: #fff; font-size: 2rem", "2.32:1; 3:1"),
        ("--front: #777; color: var(--front); background: #fff", "4.47:1; 4.5:1"),
    ],
)
def test_text_stands_out_from_what_is_behind_it(values: str, found: str) -> None:
    ratio, _, least = found.partition("; ")
    expected = [(2, f"`p b` has a contrast of {ratio}; {least} is the least")] if found else []
    assert contrasts(f"\np  b {{ {values} }}") == expected


def test_each_scheme_is_judged_with_its_own_properties_and_told_once() -> None:
    sheet = """\
:root { --back: white; --front: #777 }
@media (prefers-color-scheme: dark) { :root { --back: #111; --front: white } }
.light { background: var(--back);
  color: var(--front) }
.dark { background: var(--back); color: #333 }
.both { background: #fff; color: #eee }
@media (prefers-color-scheme: dark) { .night { background: black; color: #222 } }
@media (prefers-color-scheme:dark) { .tight { background: black; color: #222 } }
@media (prefers-color-scheme: light) { .day { background: white; color: #ddd } }
@media print { .paper { background: #fff; color: #eee } }
@media (min-width: 40em) { .wide { background: #fff; color: #eee } }
.off:disabled { background: #fff; color: #eee }
"""
    assert contrasts(sheet) == snapshot(
        [
            (4, "`.light` has a contrast of 4.47:1; 4.5:1 is the least"),
            (6, "`.both` has a contrast of 1.16:1; 4.5:1 is the least"),
            (11, "`.wide` has a contrast of 1.16:1; 4.5:1 is the least"),
            (5, "`.dark` has a contrast of 1.49:1 in the dark scheme; 4.5:1 is the least"),
            (7, "`.night` has a contrast of 1.31:1 in the dark scheme; 4.5:1 is the least"),
            (8, "`.tight` has a contrast of 1.31:1 in the dark scheme; 4.5:1 is the least"),
        ]
    )


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("i::before { height: 1px } button { height: 20px }", "`button` is 20 pixels high; 44 are needed"),
        ("button { height: 20px }", "`button` is 20 pixels high; 44 are needed"),
        ("button { width: 2rem }", "`button` is 32 pixels wide; 44 are needed"),
        (".btn { max-height: 43.5px }", "`.btn` is 43.5 pixels high; 44 are needed"),
        ("a.button { max-width: 30pt }", "`a.button` is 40 pixels wide; 44 are needed"),
        ("input[type='submit'] { height: 1px; width: 1px }", "`input[type='submit']` is 1 pixels high; 44 are needed"),
        ("button { height: 44px }", ""),
        ("button { height: 0 }", ""),
        ("button { height: 50% }", ""),
        ("button { height: 20px; min-height: 44px }", ""),
        ("button { height: 20px; min-height: 43px }", "`button` is 20 pixels high; 44 are needed"),
        ("button { max-width: 20px; min-width: 44px }", ""),
        ("button { height: 20px; min-width: 44px }", "`button` is 20 pixels high; 44 are needed"),
        ("button svg { height: 20px }", ""),
        ("button::before { height: 20px }", ""),
        ("p { height: 20px }", ""),
    ],
)
def test_what_is_touched_is_large_enough(rule: str, found: str) -> None:
    assert list(looks(f"\n{rule}")) == ([("target-size", 2, found)] if found else [])


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ("a:focus { outline: none }", True),
        ("a:focus { outline: 0 }", True),
        ("a:focus { outline: 0px }", True),
        ("a:focus { outline: 2px }", False),
        ("a:focus { color: red }", False),
        ("* { outline: none }", True),
        ("input, p { outline: none }", True),
        ("p { outline: none }", False),
        ("a:focus { outline: none; box-shadow: 0 0 2px }", False),
        ("a:focus { outline: none; border-color: red }", False),
        ("a:focus:not(:focus-visible) { outline: none }", False),
        ("a:focus { outline: none } a:focus-visible { outline: 2px solid }", False),
        ("a:focus { outline: none } a:focus { box-shadow: 0 0 2px }", False),
        ("a:focus { outline: none } a:focus { color: red }", True),
        ("a:focus { outline: none } a:hover { box-shadow: 0 0 2px }", True),
    ],
)
def test_the_focus_can_be_seen(rules: str, found: bool) -> None:
    selector = rules.partition(" {")[0]
    fault = ("focus-visible", 1, f"`{selector}` takes the sign of the focus away")
    assert list(looks(rules)) == ([fault] if found else [])
