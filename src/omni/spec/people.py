"""Phrases about who: whose rows they see, and who the next verbs are about."""

from __future__ import annotations

import re

from omni.spec import words
from omni.spec.actions import acts, object_of
from omni.spec.draft import Draft
from omni.spec.grammar import grammar
from omni.spec.model import Ownership
from omni.spec.patterns import pattern
from omni.spec.reading import Reading


def read_access(draft: Draft, reading: Reading) -> None:
    """Who sees whose rows."""
    main = object_of(draft, reading) or reading.context.entity or draft.main
    if not main:
        return
    for name in ("own", "shared", "public"):
        if match := reading.match(pattern(name)):
            held = draft.entities[main]
            if held.ownership is Ownership.PARENT or (name == "public" and "profile" in reading.lower):
                continue
            draft.change(main, **_visibility(name, match[0], held.ownership))
            draft.accounts = True if draft.accounts is None else draft.accounts
            reading.claim(match)
            reading.refer(f"entity:{main}")


def _visibility(name: str, said: str, held: Ownership) -> dict[str, object]:
    """What "their own", "shared with the team" and "public" change."""
    if name == "shared":
        return {"ownership": Ownership.SHARED}
    if name == "public":
        return {"public_read": True, "ownership": Ownership.AUTHOR if held is Ownership.OWNER else held}
    if held is Ownership.AUTHOR and not re.search(r"see|view|access|private|read", said):
        return {}
    return {"ownership": Ownership.OWNER, "public_read": False}


def read_subject(draft: Draft, reading: Reading) -> None:
    """ "admins can …" sets the role for this phrase and the list that goes on from it."""
    context = reading.context
    if match := reading.match(r"\b(?:nobody|no one|no-one) (?:else )?(?:can|may|should)\b"):
        reading.claim(match)
        context.mode, context.role, context.denied = "actions", "user", True
        return
    match = next(
        (
            m
            for p in (pattern("as_a"), pattern("let"), pattern("subject"))
            if (m := reading.match(p)) and _kind_of(m["who"])
        ),
        None,
    )
    match = match or _bare_subject(reading)
    if match is None:
        return
    who = match["who"]
    kind = _kind_of(who)
    reading.claim(match)
    context.mode, context.only, context.denied = "actions", bool(match["only"]), False
    context.denied = bool(match["not"]) or bool(re.search(r"cannot|can't", match["modal"]))
    context.role = {"user": "user", "admin": "admin", "public": "public"}.get(kind, words.singular(who))
    if context.role == "public":
        return
    if draft.accounts is not False and (kind != "user" or who not in ("i", "we", "they", "you", "people")):
        reading.refer(draft.add_role(context.role, reading.sources))


def _kind_of(who: str) -> str:
    return next((kind for kind, names in grammar().people.items() if who in names), "")


def _bare_subject(reading: Reading) -> re.Match[str] | None:
    """ "agents answer tickets": people and then a verb."""
    match = reading.match(pattern("bare"))
    if match is None or not _kind_of(match["who"]):
        return None
    having = match["verb"] in (
        "have",
        "has",
        "with",
        "is",
        "are",
        "include",
        "includes",
        "need",
        "and",
        "or",
        "for",
        "of",
        "in",
    )
    one = words.singular(match["who"]) == match["who"]
    return None if having or (one and not acts(match["verb"])) else match
