"""What a person sent, read into a `Request`: plain English, or the YAML of a structured project request."""

from __future__ import annotations

from omni.spec.model import Request


def parse_request(text: str) -> Request:
    return Request(text=text)
