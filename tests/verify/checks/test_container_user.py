from __future__ import annotations

from collections.abc import Callable

import pytest

Found = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('FROM python:3.12-slim\nCMD ["app"]\n', ["error no-user Dockerfile:2"]),
        ('FROM python:3.12-slim\nUSER app\nUSER root\nCMD ["app"]\n', ["error runs-as-root Dockerfile:3"]),
        ('FROM python:3.12-slim\nUSER 0:0\nENTRYPOINT ["app"]\n', ["error runs-as-root Dockerfile:2"]),
        ('FROM python:3.12-slim\nUSER app\nCMD ["app"]\n', []),
        ('FROM gcr.io/distroless/python3:nonroot\nCMD ["app"]\n', []),
        ('FROM python AS base\nUSER app\nFROM base\nCMD ["app"]\n', []),
        ('FROM python AS build\nUSER app\nFROM python\nCMD ["app"]\n', ["error no-user Dockerfile:4"]),
        ("FROM scratch\nCOPY a /a\n", []),
        ('FROM python\nRUN a \\\n  USER b\nCMD ["app"]\n', ["error no-user Dockerfile:4"]),
        ("# nothing\n", []),
    ],
)
def test_user(found: Found, text: str, expected: list[str]) -> None:
    assert found("container-user", {"Dockerfile": text}) == expected


@pytest.mark.parametrize(
    ("script", "severity"),
    [
        ('#!/bin/sh\nchown app /data\nexec gosu app "$@"\n', "warning"),
        ("#!/bin/sh\ncapsh --user=app -- -c run &\n", "warning"),
        ("#!/bin/sh\n# gosu app\nexec run\n", "error"),
        ("#!/bin/sh\nexec run\n", "error"),
    ],
)
def test_a_script_may_hand_over_to_another_user(found: Found, script: str, severity: str) -> None:
    dockerfile = 'FROM debian\nCOPY start.sh /\nENTRYPOINT ["/start.sh"]\n'
    files = {"Dockerfile": dockerfile, "src/start.sh": script}
    assert found("container-user", files) == [f"{severity} no-user Dockerfile:3"]
    assert found("container-user", {**files, "Dockerfile": dockerfile.replace("/start.sh", "/other.sh")}) == [
        "error no-user Dockerfile:3"
    ]
