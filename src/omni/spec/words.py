"""Words: singular and plural, names for code and labels for people."""

from __future__ import annotations

import re
from functools import cache

IRREGULAR = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "feet": "foot",
    "teeth": "tooth", "geese": "goose", "data": "data", "media": "media", "criteria": "criterion", "knives": "knife",
    "lives": "life", "leaves": "leaf", "shelves": "shelf", "wolves": "wolf", "movies": "movie", "cookies": "cookie",
    "indices": "index", "analyses": "analysis", "bonuses": "bonus", "buses": "bus", "viruses": "virus",
    "quizzes": "quiz", "statuses": "status", "caches": "cache", "shoes": "shoe", "axes": "axis",
    "selfies": "selfie", "aliases": "alias", "calories": "calorie", "pies": "pie", "ties": "tie", "zombies": "zombie",
    "hobbies": "hobby",
}  # fmt: skip
UNCHANGED = frozenset(
    [
        "series",
        "species",
        "news",
        "equipment",
        "information",
        "software",
        "feedback",
        "money",
        "stock",
        "sheep",
        "fish",
        "inventory",
        "always",
        "process",
        "address",
        "access",
        "business",
        "class",
        "status",
        "bus",
        "gas",
        "lens",
        "canvas",
        "basis",
        "analysis",
        "diagnosis",
        "css",
        "https",
        "express",
        "less",
        "loss",
        "pass",
        "progress",
        "success",
        "glass",
        "boss",
        "dress",
        "illness",
        "fitness",
        "wellness",
        "bonus",
        "virus",
        "campus",
        "focus",
        "menu",
        "alias",
        "bias",
        "atlas",
        "christmas",
        "texas",
        "sms",
        "gps",
        "dns",
        "ios",
        "aws",
        "faq",
        "this",
        "its",
        "is",
        "was",
        "has",
        "does",
        "as",
        "us",
        "yes",
        "plus",
        "versus",
        "thus",
        "previous",
        "various",
        "kubernetes",
        "redis",
        "postgres",
        "sales",
        "mathematics",
        "physics",
        "goods",
        "towards",
        "pants",
        "jeans",
        "glasses",
        "series",
        "corps",
    ]
)


@cache
def singular(word: str) -> str:
    """The singular of a lower-case English noun; unknown shapes come back unchanged."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in UNCHANGED or len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    return word if word.endswith(("us", "is")) else word[:-1]


@cache
def plural(word: str) -> str:
    """The plural of a lower-case English noun."""
    for many, one in IRREGULAR.items():
        if one == word:
            return many
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    if word in UNCHANGED and not word.endswith(("ss", "us")):
        return word
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


@cache
def stem(word: str) -> str:
    """A crude stem that makes forms of one verb equal ("marks", "marked", "marking" → "mark")."""
    word = singular(word)
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if word.endswith("i"):
        word = word[:-1] + "y"
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def snake(text: str) -> str:
    """`Due date` or `DueDate` → `due_date`: safe as a Python name, a column and a part of a URL."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (name if name[:1].isalpha() else f"n_{name}")[:48].rstrip("_")


def pascal(text: str) -> str:
    """`invoice line` → `InvoiceLine`."""
    return "".join(part.capitalize() for part in snake(text).split("_"))[:40]


def label(name: str) -> str:
    """`due_date` or `InvoiceLine` → `Due date`, `Invoice line`."""
    text = snake(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def plural_phrase(text: str) -> str:
    """The last word in the plural: `Invoice line` → `Invoice lines`."""
    head, _, last = text.rpartition(" ")
    many = plural(last.lower())
    many = many.capitalize() if last[:1].isupper() else many
    return f"{head} {many}".strip()


def singular_phrase(text: str) -> str:
    """The last word in the singular: `invoice lines` → `invoice line`."""
    head, _, last = text.rpartition(" ")
    return f"{head} {singular(last)}".strip()


def a(noun: str) -> str:
    """`a todo`, `an invoice`, `an hour`, `a user`."""
    vowel = noun[:1].lower() in "aeiou" and not re.match(r"(?:us|uni|eu|one\b|url\b)", noun.lower())
    return f"{'an' if vowel or re.match('hour|sms', noun.lower()) else 'a'} {noun}"


def listing(items: list[str] | tuple[str, ...]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
