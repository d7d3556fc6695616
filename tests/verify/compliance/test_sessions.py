"""HIPAA-004: a session or token lives for 15 minutes at most, wherever the source says how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

Broken = Callable[[str, Mapping[str, str]], list[str]]

SETTINGS = """
import os
from datetime import timedelta
from pydantic import Field

SESSION_COOKIE_AGE = 900  # -
SESSION_COOKIE_AGE = 901  # 15.0167 minutes
ACCESS_TOKEN_EXPIRE_MINUTES = 15  # -
ACCESS_TOKEN_EXPIRE_MINUTES = 16  # 16 minutes
TOKEN_TTL_HOURS: int = 1  # 1 hour
TOKEN_LIFETIME_DAYS = 7  # 7 days
session_max_age_ms = 900_000  # -
session_max_age_ms = 900_001  # 15 minutes
SESSION_TTL_SEC = 60 * 60  # 1 hour
SESSION_TTL_MIN = 2 * 10  # 20 minutes
SESSION_TTL_WEEKS = 1  # 7 days
JWT_EXPIRATION = 3600  # 1 hour
JWT_ACCESS_TOKEN_EXPIRES = "7200"  # 2 hours
REMEMBER_COOKIE_DURATION = timedelta(days=2)  # 2 days
PERMANENT_SESSION_LIFETIME = timedelta(hours=0, minutes=16)  # 16 minutes
PERMANENT_SESSION_LIFETIME = timedelta(minutes=14, seconds=61)  # 15.0167 minutes
PERMANENT_SESSION_LIFETIME = timedelta(minutes=14, seconds=60)  # -
PERMANENT_SESSION_LIFETIME = timedelta(1)  # 1 day
PERMANENT_SESSION_LIFETIME = timedelta(weeks=1)  # 7 days
PERMANENT_SESSION_LIFETIME = timedelta(hours=given)  # -
PERMANENT_SESSION_LIFETIME = timedelta(milliseconds=10**9)  # -
PERMANENT_SESSION_LIFETIME = timedelta()  # -
IDLE_TIMEOUT = int(os.getenv("IDLE_TIMEOUT", "1800"))  # 30 minutes
IDLE_TIMEOUT = os.environ.get("IDLE_TIMEOUT", 1800)  # 30 minutes
IDLE_TIMEOUT = int()  # -
IDLE_TIMEOUT = Field(default=3600)  # 1 hour
IDLE_TIMEOUT = Field(3600, gt=0)  # 1 hour
IDLE_TIMEOUT = other(3600)  # -
IDLE_TIMEOUT = True * 3600  # -
IDLE_TIMEOUT = given * 3600  # -
IDLE_TIMEOUT = "soon"  # -
IDLE_TIMEOUT = 60 + 3600  # -
REFRESH_TOKEN_TTL = 86400  # -
app.config["PERMANENT_SESSION_LIFETIME"] = 3600  # 1 hour
config.SESSION_TIMEOUT = 3600  # 1 hour
one = SESSION_TIMEOUT = 3600  # 1 hour
config[key] = 3600  # -
CONFIG = {"session_timeout": 3600, "other": 3600, **more, 1: 3600}  # 1 hour
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),  # 30 minutes
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),  # -
}
"""


def test_settings_and_their_units(broken: Broken) -> None:
    said = [
        (number, line.rpartition("  # ")[2]) for number, line in enumerate(SETTINGS.splitlines(), 1) if "  # " in line
    ]
    expected = {number: text for number, text in said if text != "-"}
    found = {}
    for each in broken("HIPAA-004", {"app/settings.py": SETTINGS}):
        place, _, message = each.partition(" ")
        found[int(place.removeprefix("app/settings.py:"))] = message.partition(" live for ")[2].partition(";")[0]
    assert found == expected


def test_what_is_said_of_a_setting(broken: Broken) -> None:
    assert broken("HIPAA-004", {"app/settings.py": "SESSION_MINUTES = 60\n"}) == [
        "app/settings.py:1 `SESSION_MINUTES` lets a session live for 1 hour; 15 minutes are the most"
    ]


@pytest.mark.parametrize(
    ("call", "lives"),
    [
        ("app.add_middleware(SessionMiddleware, secret_key=key)", "14 days"),
        ("app.add_middleware(SessionMiddleware, max_age=1800)", "30 minutes"),
        ("app.add_middleware(SessionMiddleware, max_age=900)", ""),
        ("app.add_middleware(SessionMiddleware, max_age=None)", ""),
        ("Middleware(SessionMiddleware, secret_key=key)", ""),
        ("Middleware(SessionMiddleware, max_age=86400)", "1 day"),
        ('response.set_cookie("session", value, max_age=3600)', "1 hour"),
        ('response.set_cookie("sid", value, max_age=3600)', "1 hour"),
        ('response.set_cookie("colour", value, max_age=3600)', ""),
        ('response.set_cookie("session", value)', ""),
        ('response.keep("session", value, max_age=3600)', ""),
    ],
)
def test_calls_that_make_a_session(broken: Broken, call: str, lives: str) -> None:
    name = "`max_age` lets a session live for"
    expected = [f"app/main.py:2 {name} {lives}; 15 minutes are the most"] if lives else []
    assert broken("HIPAA-004", {"app/main.py": f"\n{call}\n"}) == expected


@pytest.mark.parametrize(
    ("said", "lives"),
    [
        ("maxAge: 900000", ""),
        ("maxAge: 900001", "15 minutes"),
        ("maxAge: 60 * 60 * 1_000", "1 hour"),
        ('expiresIn: "1h"', "1 hour"),
        ('expiresIn: "15m"', ""),
        ("expiresIn: '16m'", "16 minutes"),
        ("expiresIn: `2d`", "2 days"),
        ('expiresIn: "1w"', "7 days"),
        ('expiresIn: "3600s"', "1 hour"),
        ('expiresIn: "900000"', ""),
        ('expiresIn: "3600000"', "1 hour"),
        ('expiresIn: "3600000ms"', "1 hour"),
        ('expiresIn: "20 minutes"', "20 minutes"),
        ('expiresIn: "soon"', ""),
        ("expiresIn: 3600", "1 hour"),
        ("sessionTimeoutMinutes = 30", "30 minutes"),
        ("sessionTimeout = 30", ""),
        ("idleTimeoutHours = 2", "2 hours"),
        ("ttl: 901", "15.0167 minutes"),
    ],
)
def test_scripts_and_their_units(broken: Broken, said: str, lives: str) -> None:
    name = said.partition(":" if ":" in said else " =")[0]
    expected = f"src/app.ts:2 `{name}` lets a session live for {lives}; 15 minutes are the most"
    assert broken("HIPAA-004", {"src/app.ts": f"jwt.use(\n{{ {said} }});\n"}) == ([expected] if lives else [])


def test_a_script_that_has_no_sessions_may_keep_what_it_likes(broken: Broken) -> None:
    assert broken("HIPAA-004", {"src/app.ts": "keep(image, { maxAge: 86400000, ttl: 86400 });\n"}) == []


def test_environments(broken: Broken) -> None:
    files = {
        ".env": "SESSION_TIMEOUT_MINUTES=60\nTOKEN_TTL='900'\nexport TOKEN_EXPIRE_SECONDS=901\nTIMEOUT=3600\n",
        "compose.yaml": 'a:\n  b:\n    environment:\n      - SESSION_LIFETIME_DAYS=1\n      SESSION_TTL: "3600"\n',
        "notes.md": "SESSION_TIMEOUT_MINUTES=60\n",
    }
    assert broken("HIPAA-004", files) == [
        ".env:1 `SESSION_TIMEOUT_MINUTES` lets a session live for 1 hour; 15 minutes are the most",
        ".env:3 `TOKEN_EXPIRE_SECONDS` lets a session live for 15.0167 minutes; 15 minutes are the most",
        "compose.yaml:4 `SESSION_LIFETIME_DAYS` lets a session live for 1 day; 15 minutes are the most",
        "compose.yaml:5 `SESSION_TTL` lets a session live for 1 hour; 15 minutes are the most",
    ]


MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from fastapi import FastAPI
app = FastAPI()
class Base(DeclarativeBase):
    pass
class Record(Base):
    __tablename__ = "records"
    id: Mapped[int] = mapped_column(primary_key=True)
    NAME: Mapped[str]
"""


@pytest.mark.parametrize(
    ("field", "rest", "expected"),
    [
        ("diagnosis", '@app.get("/records")\ndef read(): ...\n', [12]),
        ("colour", '@app.get("/records")\ndef read(): ...\n', []),
        ("diagnosis", "", []),
        ("diagnosis", 'SESSION_TIMEOUT = 60\n@app.get("/records")\ndef read(): ...\n', []),
    ],
)
def test_nothing_said_is_too_long_where_health_data_is_served(
    broken: Broken, field: str, rest: str, expected: list[int]
) -> None:
    message = "nothing says when a session ends; the defaults of frameworks are days"
    assert broken("HIPAA-004", {"app/main.py": MODELS.replace("NAME", field) + "\n" + rest}) == [
        f"app/main.py:{line} {message}" for line in expected
    ]
