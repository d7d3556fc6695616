"""HTTP APIs outside, answered in the sandbox by http and https."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omni.verify.report import CheckResult

Look = Callable[..., CheckResult]

ENVIRONMENT = Path(sys.prefix)
APIS = """\
[[verify.integration.apis]]
host = "api.pay.example"
openapi = "contracts/pay.yaml"
variable = "PAY_URL"
[[verify.integration.apis]]
host = "weather.example"
answers = [{path = "/now/{city}", json = {celsius = 21}}]
"""
CONTRACT = """\
openapi: 3.0.3
info: {title: pay, version: "1"}
servers: [{url: https://api.pay.example/v1}]
paths:
  /charges:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [amount, currency]
              properties: {amount: {type: integer}, currency: {type: string, enum: [eur, usd]}}
      responses:
        "201":
          description: made
          content: {application/json: {schema: {$ref: "#/components/schemas/Charge"}}}
  /charges/{id}:
    get:
      responses:
        "200":
          description: it
          content: {application/json: {example: {id: ch_1, state: paid}, schema: {type: object}}}
components:
  schemas:
    Charge:
      type: object
      properties:
        id: {type: string, format: uuid}
        at: {type: string, format: date-time}
        parts: {type: array, items: {type: integer, minimum: 3}}
"""
WRONG = (
    "POST /v1/charges of api.pay.example: “amount” is to be of the type integer; “currency” is to be one of eur, usd"
)
CALLS_OUTSIDE = """\
import json
import os
import subprocess
import urllib.request

import httpx

def test_charge():
    answer = httpx.post("https://api.pay.example/v1/charges", json={"amount": 5, "currency": "eur"})
    made = {"id": "123e4567-e89b-42d3-a456-426614174000", "at": "2024-01-31T12:00:00Z", "parts": [3]}
    assert (answer.status_code, answer.json()) == (201, made)
    with httpx.Client() as client:
        assert client.get("https://api.pay.example/v1/charges/ch_1").json()["state"] == "paid"
        assert client.get("https://api.pay.example/v1/charges/ch_2").json()["state"] == "paid"
    assert httpx.get(os.environ["PAY_URL"] + "/v1/charges/7").json()["id"] == "ch_1"

def test_weather():
    for scheme in ("http", "https"):
        with urllib.request.urlopen(scheme + "://weather.example/now/berlin") as answer:
            assert json.load(answer) == {"celsius": 21}

def test_curl():
    said = subprocess.run(["curl", "-s", "https://weather.example/now/rome"], capture_output=True, text=True)
    assert said.stdout == '{"celsius": 21}'

def test_wrong():
    httpx.post("https://api.pay.example/v1/charges", json={"amount": "5", "currency": "dm"})
    assert httpx.get("https://api.pay.example/v1/refunds").status_code == 404

def test_telemetry():
    for scheme in ("http", "https"):
        try:
            urllib.request.urlopen(scheme + "://telemetry.example/ping")
        except OSError as error:
            assert "502" in str(error)
"""


@pytest.mark.host
@pytest.mark.slow
def test_apis_outside_are_answered_after_their_contract(look: Look) -> None:
    files = {"omni.toml": APIS, "contracts/pay.yaml": CONTRACT, "tests/test_it.py": CALLS_OUTSIDE}
    result = look("integration-tests", files, environment=ENVIRONMENT)
    assert [(str(each.severity), each.rule, each.message) for each in result.findings] == [
        (
            "error",
            "breaks-contract",
            "GET /v1/refunds of api.pay.example: GET /v1/refunds is not in its contract",
        ),
        (
            "error",
            "breaks-contract",
            WRONG,
        ),
        ("warning", "undeclared-host", "the tests call telemetry.example, which was refused"),
    ]
    assert (result.reason, result.metrics["integration.passed"], result.metrics["integration.calls"]) == ("", 5, 9)
