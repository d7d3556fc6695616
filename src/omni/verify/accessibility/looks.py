"""What style sheets decide: contrast of text, size of what is touched, whether the focus can be seen.

Contrast is computed where one rule sets both colours, with custom properties filled in, for the light and the dark
scheme. What lies behind an element at run time is measured in a browser, at tier 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from omni.verify.accessibility.elements import Fault
from omni.verify.analysis.styles import (
    StyleRule,
    color_of,
    contrast,
    custom_properties,
    filled,
    parse_styles,
    pixels,
)

LEAST, LEAST_LARGE = 4.5, 3.0
"""https://www.w3.org/TR/WCAG21/#contrast-minimum"""
LARGE, LARGE_BOLD = 24.0, 18.66
"""Pixels from which text is large."""
TARGET = 44.0
"""Pixels: https://www.w3.org/TR/WCAG21/#target-size"""
TOUCHED = re.compile(
    r"(^|[\s,>+~])(button|\.btn\b|\.button\b|a\.(btn|button)|input\[type=[\"']?(submit|button)|\[role=[\"']?button)|[.-](btn|button)\b",
    re.IGNORECASE,
)
FOCUS = re.compile(r":focus(-visible|-within)?\b|^\*$|(^|[\s,])(a|button|input|select|textarea)\s*(,|$)")


def looks(text: str) -> Iterator[Fault]:
    """Faults of one style sheet."""
    rules = parse_styles(text)
    yield from _contrast(rules)
    yield from _targets(rules)
    yield from _focus(rules)


def _contrast(rules: list[StyleRule]) -> Iterator[Fault]:
    told: set[int] = set()
    for scheme in ("", "prefers-color-scheme: dark", "prefers-color-scheme:dark"):
        properties = custom_properties(rules, scheme)
        for rule in rules:
            if (
                rule.media and "color-scheme" in rule.media and (not scheme or scheme not in rule.media)
            ) or "print" in rule.media:
                continue
            ratio = _ratio(rule, properties)
            least = LEAST_LARGE if _is_large(rule, properties) else LEAST
            if ratio is not None and ratio < least and rule.line not in told and ":disabled" not in rule.selector:
                told.add(rule.line)
                where = " in the dark scheme" if scheme else ""
                shown = f"{int(ratio * 100) / 100:.2f}:1{where}"
                yield (
                    "contrast",
                    rule.lines["color"],
                    f"`{rule.selector}` has a contrast of {shown}; {least:g}:1 is the least",
                )


def _ratio(rule: StyleRule, properties: dict[str, str]) -> float | None:
    given = rule.values.get("background-color") or rule.values.get("background")
    if given is None or "color" not in rule.values:
        return None
    own = properties | {name: value for name, value in rule.values.items() if name.startswith("--")}
    front, back = color_of(filled(rule.values["color"], own)), color_of(filled(given, own))
    return contrast(front, back) if front is not None and back is not None else None


def _is_large(rule: StyleRule, properties: dict[str, str]) -> bool:
    size = pixels(filled(rule.values.get("font-size", ""), properties))
    bold = re.search(r"bold|[7-9]00", rule.values.get("font-weight", "")) is not None
    return size is not None and (size >= LARGE or (bold and size >= LARGE_BOLD))


def _targets(rules: list[StyleRule]) -> Iterator[Fault]:
    for rule in rules:
        if not TOUCHED.search(rule.selector) or re.search(
            r"::|:(before|after)|\bsvg\b|\bimg\b|\bicon\b", rule.selector
        ):
            continue
        for name in ("height", "width", "max-height", "max-width"):
            size = pixels(rule.values.get(name, ""))
            least = pixels(rule.values.get(f"min-{name.removeprefix('max-')}", "")) or 0.0
            way = "high" if "height" in name else "wide"
            if size is not None and 0 < size < TARGET and least < TARGET:
                yield (
                    "target-size",
                    rule.lines[name],
                    f"`{rule.selector}` is {size:g} pixels {way}; 44 are needed",
                )
                break


def _focus(rules: list[StyleRule]) -> Iterator[Fault]:
    shown = any(
        re.search(r":focus(-visible|-within)?\b", rule.selector)
        and any(
            name.startswith(("outline", "box-shadow", "border", "background", "text-decoration"))
            for name in rule.values
        )
        and not re.fullmatch(r"none|0(px)?", rule.values.get("outline", "x"))
        for rule in rules
    )
    for rule in rules:
        gone = re.fullmatch(r"none|0(px)?", rule.values.get("outline", "x"))
        instead = any(
            name in rule.values
            for name in ("box-shadow", "border", "border-color", "background", "background-color", "text-decoration")
        )
        if gone and FOCUS.search(rule.selector) and not instead and not shown and "focus:not" not in rule.selector:
            yield "focus-visible", rule.lines["outline"], f"`{rule.selector}` takes the sign of the focus away"
