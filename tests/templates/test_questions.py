"""What templates ask about entities."""

from __future__ import annotations

from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request
from omni.templates.questions import guarded


def compiled(text: str) -> Specification:
    return compile_request(parse_request(text), {}, "web-app")


def reserved(text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    spec = compiled(text)
    return {f"{e.name}.{item.name}": values for e in spec.entities for item, values in guarded(spec, e)}


def test_what_only_some_roles_decide_only_they_may_write() -> None:
    # A booking may be cancelled by whoever made it; confirming it is the administrator's.
    assert reserved("a booking app with user auth and admin") == {"Booking.status": {"confirmed": ("admin",)}}
    assert reserved("a todo app with user auth and approval by an admin") == {
        "Todo.approval": {"approved": ("admin",), "rejected": ("admin",)}
    }


def test_where_everybody_may_decide_nothing_is_reserved() -> None:
    assert reserved("a blog with user auth") == {}
    assert reserved("a todo app") == {}
