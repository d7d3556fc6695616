"""Out of a report that schemathesis 4.32 wrote about a server made for it."""

from __future__ import annotations

import pytest

from omni.verify.deep.schemathesis import BadReportError, Failure, Report, read_report

REPORT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites errors="0" failures="1" skipped="0" tests="1" time="5.627685">
  <testsuite name="schemathesis" hostname="vm" errors="0" failures="1" skipped="0" tests="1" time="5.627685">
    <testcase name="GET /orders/{id}" time="5.627685">
      <failure type="failure" message="ST101, ST108">1. Test Case ID: jGW9cV

- ST101 Server error

[501] Not Implemented:

    `&lt;h1&gt;Error response&lt;/h1&gt;`

Reproduce with:

    curl -X TRACE http://127.0.0.1:8123/orders/0

2. Test Case ID: X9wpzP

- ST108 Response violates schema

    "12" is not of type "number"

    Schema at /properties/total:

        {
            "type": "number"
        }

[200] OK:

    `{"id": 0, "total": "12"}`

Reproduce with:

    curl -X GET http://127.0.0.1:8123/orders/0</failure>
      <failure type="failure" message="ST101, ST103">1. Test Case ID: h88kHj

- ST101 Server error

- ST103 Undocumented status code

    Received: 500
    Documented: 200, 422

[500] Internal Server Error:

    `{}`

Reproduce with:

    curl -X GET http://127.0.0.1:8123/orders/-591096980</failure>
    </testcase>
    <testcase name="GET /health" time="0.1"/>
  </testsuite>
</testsuites>"""


def test_report() -> None:
    assert read_report(REPORT) == Report(
        operations=2,
        failures=(
            Failure(
                "GET /orders/{id}",
                "ST108",
                'Response violates schema: "12" is not of type "number" Schema at /properties/total: '
                '{ "type": "number" } (it answered 200)',
                "curl -X GET http://127.0.0.1:8123/orders/0",
            ),
            Failure(
                "GET /orders/{id}",
                "ST101",
                "Server error (it answered 500)",
                "curl -X GET http://127.0.0.1:8123/orders/-591096980",
            ),
        ),
        errors=(),
        foreign=1,
    )


@pytest.mark.parametrize("data", [b"", b"<a", b"<!DOCTYPE a><a/>", b"\x00"])
def test_what_is_no_report(data: bytes) -> None:
    with pytest.raises(BadReportError):
        read_report(data)
