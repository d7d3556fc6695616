from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.spec.test_sentences import SENTENCES, check_account

from omni.kernel.errors import OmniError
from omni.spec.asked import PartStatus, Request
from omni.spec.compiler import compile_request
from omni.spec.lexicon import domains
from omni.spec.model import Action, OperationKind, Ownership, Specification
from omni.spec.request import MAX_CHARACTERS, parse_request

STRUCTURED = (Path(__file__).parent / "invoice-microservice.yaml").read_text()
PIECES = sorted({piece for text in SENTENCES for piece in text.replace("\n", " ").split(" ")})


def build(text: str, **answers: str) -> Specification:
    return compile_request(parse_request(text), {key.replace("_", "-"): value for key, value in answers.items()})


def undelivered(spec: Specification) -> list[str]:
    return [part.text for part in spec.parts if part.status is PartStatus.NOT_DELIVERED]


def test_the_first_sentence() -> None:
    spec = build("a todo app with user auth")
    assert (spec.name, spec.domain, spec.template, spec.auth, spec.sign_up) == ("todo", "todo", "web-app", True, "open")
    assert [(part.text, part.status) for part in spec.parts] == [
        ("a todo app", PartStatus.MAPPED),
        ("with user auth", PartStatus.MAPPED),
    ]
    assert [(p.role, p.entity, p.scope, len(p.actions)) for p in spec.permissions] == [("user", "Todo", "own", 4)]
    assert [operation.id for operation in spec.operations] == [
        f"todo.{name}" for name in ("list", "view", "create", "update", "delete", "search", "filter", "complete")
    ]


def test_what_no_template_can_do_is_named() -> None:
    spec = build("a todo app with user auth and recognises handwriting")
    assert [(part.text, part.note) for part in spec.parts if part.status is PartStatus.NOT_DELIVERED] == [
        ("and recognises handwriting", "No template can recognise handwriting.")
    ]


@pytest.mark.parametrize("name", [name for name, domain in domains().items() if domain.words])
def test_every_domain_is_found_and_whole(name: str) -> None:
    domain = domains()[name]
    spec = build(f"a {domain.words[0]} app" if not domain.template else f"a {domain.template} to {domain.words[0]}")
    assert spec.domain == name
    assert undelivered(spec) == []
    check_account(spec)


def test_the_same_text_gives_the_same_specification() -> None:
    assert all(build(text) == build(text) for text in SENTENCES[:10])


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=60).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_the_account_holds_for_any_mixture_of_words(text: str) -> None:
    try:
        request = parse_request(text)
    except OmniError:
        return
    check_account(compile_request(request))


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=100, deadline=None)
def test_the_account_holds_for_any_text(text: str) -> None:
    check_account(compile_request(Request(text=text)))


@pytest.mark.parametrize(
    "unit",
    [
        "every X has many Y and users can add Z, ",
        "a " * 20,
        "x" * 2000,
        "(((",
        "todo\n",
        "a, b and c with d ",
        "9" * 50,
    ],
)
def test_a_long_text_takes_bounded_time(unit: str) -> None:
    text = (unit * MAX_CHARACTERS)[:MAX_CHARACTERS]
    started = time.process_time()
    compile_request(Request(text=text))
    assert time.process_time() - started < 2


# ── what a phrase means ──────────────────────────────────────────────────────────────────────────


def test_without_takes_away() -> None:
    spec = build("a todo app without accounts and without priorities")
    assert not spec.auth
    assert spec.permissions == ()
    assert spec.entity("Todo").ownership is Ownership.SHARED
    assert "priority" not in {field.name for field in spec.entity("Todo").fields}


def test_accounts_stay_where_the_domain_needs_them() -> None:
    spec = build("polls without accounts")
    assert spec.auth
    assert undelivered(spec) == ["without accounts"]


def test_only_admins() -> None:
    spec = build("A blog. Only admins can delete posts. Only admins can publish posts.")
    may = {(p.role, p.scope): p.actions for p in spec.permissions if p.entity == "Post"}
    assert Action.DELETE in may["admin", "all"]
    assert may["user", "own"] == (Action.CREATE, Action.UPDATE)
    assert next(o for o in spec.operations if o.id == "post.publish").roles == ("admin",)


def test_other_peoples_rows() -> None:
    spec = build("A wiki. Users must not be able to see other users' articles.")
    assert spec.entity("Article").ownership is Ownership.OWNER
    assert [p.actions for p in spec.permissions if p.entity == "Article"] == [tuple(Action)]


def test_fields_of_single_roles_are_not_promised() -> None:
    assert undelivered(build("time tracker, clients must not see hourly rates")) == [
        "clients must not see hourly rates"
    ]


def test_searching_by_what_is_not_there_is_not_promised() -> None:
    assert undelivered(build("recipe app: search by ingredient")) == ["search by ingredient"]


def test_an_unknown_verb_becomes_a_custom_operation() -> None:
    spec = build("A todo app. Users can share todos.")
    assert undelivered(spec) == ["Users can share todos."]
    assert [(o.id, o.kind) for o in spec.operations if o.kind is OperationKind.CUSTOM] == [
        ("todo.share", OperationKind.CUSTOM)
    ]


def test_what_was_not_understood_to_the_end_leaves_no_mark() -> None:
    spec = build("A todo app. Only admins can delete todos when it rains.")
    assert undelivered(spec) == ["Only admins can delete todos when it rains."]
    assert [(p.role, p.actions) for p in spec.permissions] == [("user", tuple(Action))]


def test_a_job_with_its_condition() -> None:
    job = build("todo app. Every night delete done todos older than 90 days.").jobs[0]
    assert (job.schedule, job.effect, job.entity, job.field, job.value, job.after_days) == (
        "0 2 * * *", "purge", "Todo", "done", "true", 90,
    )  # fmt: skip


def test_other_languages() -> None:
    spec = build("Wir brauchen eine App für Termine")
    assert [part.note for part in spec.parts] == ["Only English is understood."]


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def test_a_question_has_a_default_that_is_recorded() -> None:
    spec = build("an expense tracker with reports")
    assert [(q.id, q.default) for q in spec.questions] == [("accounts", "yes"), ("report-expenses", "category")]
    assert {a.question for a in spec.assumptions} >= {"accounts", "report-expenses"}
    assert spec.parts[1].status is PartStatus.QUESTION


def test_an_answer_decides() -> None:
    spec = build("an expense tracker with reports", accounts="no", report_expenses="method")
    assert not spec.auth
    assert "expense.by_method" in {operation.id for operation in spec.operations}
    assert {a.question for a in spec.assumptions} == {""}


def test_an_answer_must_be_an_option() -> None:
    with pytest.raises(OmniError) as caught:
        build("an expense tracker", accounts="perhaps")
    assert caught.value.fix == "Answer with yes and no."


# ── templates and structured requests ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("a todo app", "web-app"),
        ("a command line todo list", "cli-tool"),
        ("a REST API for invoices", "rest-api"),
        ("a React app for notes", "react-app"),
        ("a background worker that processes orders", "worker"),
    ],
)
def test_words_choose_the_template(text: str, template: str) -> None:
    assert build(text).template == template


def test_a_given_template_overrules() -> None:
    spec = compile_request(parse_request("a todo app"), template="rest-api")
    assert (spec.template, spec.pages) == ("rest-api", ())


def test_structured_request_accounts_for_each_criterion_and_constraint() -> None:
    spec = compile_request(parse_request(STRUCTURED))
    check_account(spec)
    assert (spec.name, spec.domain, spec.template) == ("invoice-microservice", "invoices", "rest-api")
    text = spec.request.text
    for criterion in spec.request.acceptance_criteria:
        start = text.index(criterion)
        assert any(part.start < start + len(criterion) and part.end > start for part in spec.parts)
    missing = undelivered(spec)
    assert "extracts line items via OCR," in missing
    assert not any("fastapi" in part or "postgresql" in part or "docker-compose" in part for part in missing)
    assert [quality.target for quality in spec.qualities if quality.kind == "availability"] == ["at least 99.9 %"]
    assert [i.name for i in spec.integrations] == ["omni_invoice_engine", "omni_tax_fortress"]


def test_foreign_technology_is_refused() -> None:
    assert undelivered(build("a wiki in Java with MySQL")) == ["a wiki in Java", "with MySQL"]
