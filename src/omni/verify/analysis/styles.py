"""Rules of a style sheet with their lines, custom properties filled in, colours as numbers, and their contrast."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from omni.verify.analysis.blanks import blanked

NAME = re.compile(r"--[\w-]+|[a-z-]+")
LONGEST = 1000
"""Signs of the conditions around a rule; more were made to be slow."""
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,\s*([^()]*(?:\([^()]*\))?[^()]*))?\)")
NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "gray": "#808080",
    "grey": "#808080", "silver": "#c0c0c0", "yellow": "#ffff00", "orange": "#ffa500", "navy": "#000080",
    "teal": "#008080", "maroon": "#800000", "purple": "#800080", "olive": "#808000", "lightgray": "#d3d3d3",
    "lightgrey": "#d3d3d3", "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9", "dimgray": "#696969", "crimson": "#dc143c",
}  # fmt: skip

Color = tuple[float, float, float]
"""Red, green, blue of sRGB, 0 to 1."""


@dataclass
class StyleRule:
    selector: str
    line: int
    media: str
    """The conditions around it; empty for none."""
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Property → its line."""


def parse_styles(text: str) -> list[StyleRule]:
    bare = blanked(text, (("/*", "*/"),))
    return list(_rules(bare, 0, len(bare), ""))


def _rules(text: str, start: int, end: int, media: str) -> Iterator[StyleRule]:
    at = start
    while (opened := text.find("{", at, end)) >= 0:
        before = text[at:opened]
        head = before[max(before.rfind(";"), before.rfind("}")) + 1 :].strip()
        close = _close(text, opened + 1, end)
        if head.startswith("@") and not head.startswith(("@font-face", "@page", "@property")):
            if not head.startswith("@keyframes") and len(media) < LONGEST:
                yield from _rules(text, opened + 1, close, f"{media} {head}".strip())
        elif head:
            yield _rule(text, head, opened, close, media)
        at = close + 1


def _rule(text: str, head: str, opened: int, close: int, media: str) -> StyleRule:
    offset = text.rfind(head, 0, opened)
    rule = StyleRule(" ".join(head.split()), text.count("\n", 0, offset) + 1, media)
    at = opened + 1
    for part in text[opened + 1 : close].split(";"):
        name, _, value = part.partition(":")
        found = NAME.fullmatch(name.strip())
        if found and value.strip() and "{" not in part:
            rule.values[found[0]] = value.replace("!important", "").strip()
            rule.lines[found[0]] = text.count("\n", 0, at + len(part) - len(part.lstrip())) + 1
        at += len(part) + 1
    return rule


def _close(text: str, at: int, end: int) -> int:
    depth = 1
    for place in range(at, end):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    return end


def custom_properties(rules: list[StyleRule], media: str = "") -> dict[str, str]:
    """`--name` → value, of `:root` and its like; with those under a condition that holds `media`."""
    found: dict[str, str] = {}
    for rule in rules:
        applies = not rule.media or (media and media in rule.media)
        if applies and re.search(r":root|^html|^body|:host|\[data-theme", rule.selector):
            found |= {name: value for name, value in rule.values.items() if name.startswith("--")}
    return found


def filled(value: str, properties: Mapping[str, str]) -> str:
    """With `var(--x)` replaced, as far as they are known."""
    for _ in range(6):
        replaced = VARIABLE.sub(lambda found: properties.get(found[1], found[2] or found[0]), value)
        if replaced == value:
            break
        value = replaced
    return value.strip()


def color_of(value: str) -> Color | None:
    """None for what is no opaque colour that is written out: gradients, `transparent`, `color-mix()`."""
    text = NAMED.get(value.strip().lower(), value.strip().lower())
    if hexed := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", text):
        digits = hexed[1] if len(hexed[1]) == 6 else "".join(each * 2 for each in hexed[1])
        red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        return red, green, blue
    if rgb := re.fullmatch(r"rgb\(\s*(\d{1,3})[ ,]+(\d{1,3})[ ,]+(\d{1,3})\s*\)", text):
        red, green, blue = (int(each) / 255 for each in rgb.groups())
        return red, green, blue
    if hsl := re.fullmatch(r"hsl\(\s*([\d.]+)(?:deg)?[ ,]+([\d.]+)%[ ,]+([\d.]+)%\s*\)", text):
        hue, saturation, lightness = (float(each) for each in hsl.groups())
        return colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    return None


def contrast(first: Color, second: Color) -> float:
    """1 to 21: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pixels(value: str) -> float | None:
    """`2.5rem` as 40; None for what depends on the screen."""
    found = re.fullmatch(r"([\d.]+)(px|rem|em|pt)?", value.strip())
    if found is None:
        return None
    sizes = {"px": 1.0, "rem": 16.0, "em": 16.0, "pt": 4 / 3, None: 1.0}
    return float(found[1]) * sizes[found[2]]
