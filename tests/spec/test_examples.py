"""The golden specifications. `python tests/spec/test_examples.py` writes them anew; then read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.spec.compiler import compile_request
from omni.spec.model import Specification
from omni.spec.request import parse_request

EXAMPLES = {
    "todo": "a todo app with user auth",
    "blog": "a blog with comments and user accounts",
    "booking": "a booking app with user accounts and a calendar",
    "invoices": "an invoicing app with user auth",
    "url_shortener": "a url shortener with click counts and user accounts",
    "cli_tool": "a cli tool to convert csv to json",
    "cli_todo": "a command line todo list",
    "worker": "a queue worker that processes orders",
    "rest_api": "a REST API for invoices",
    "react_app": "a React app for notes with user auth",
    "polls": "a poll app where each user can vote only once",
    "events": "event planning app with RSVP and limited seats",
    "time_tracking": "time tracking with projects and hourly rates, export to CSV",
    "kanban": "a kanban board for my team with drag and drop. Cards can be assigned to users.",
    "todo_jobs": "todo app with tags. Every night delete done todos older than 90 days. "
    "Remind me one day before the due date.",
    "general": "track company vehicles. Each vehicle has a license plate (unique), brand and next inspection date. "
    "Each vehicle has many rides. A ride has a start date, an end date and a distance in km. "
    "The end date must be after the start date. Only admins can delete vehicles. Export the rides as CSV.",
    "approvals": "employees can request vacation with start date, end date and reason. "
    "Managers can approve or reject requests. End date must be after start date.",
    "signups": "Our volunteers sign up for shifts. A shift has a date, a place and a photo. "
    "Coordinators create shifts.",
    "worker_mail": "a worker that sends emails from a queue with retries",
    "worker_urls": "a background worker which checks websites every 5 minutes and stores the response time",
}
FOLDER = Path(__file__).parent / "examples"


@pytest.mark.parametrize("name", EXAMPLES)
def test_golden_specification(name: str) -> None:
    golden = Specification.model_validate_json((FOLDER / f"{name}.json").read_text())
    assert compile_request(parse_request(EXAMPLES[name])) == golden


if __name__ == "__main__":
    for key, text in EXAMPLES.items():
        specification = compile_request(parse_request(text))
        (FOLDER / f"{key}.json").write_text(specification.model_dump_json(indent=1) + "\n")
