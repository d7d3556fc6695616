"""The served project keeps what its OpenAPI document promises: schemathesis asks it all sorts of things.

Runs when `omni.toml` declares `[verify.serve]` with `openapi`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from omni.verify.analysis.routes import by_path, find_routes
from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Gap, Item, Metric
from omni.verify.deep.compose import with_images
from omni.verify.deep.declared import Serve
from omni.verify.deep.play import Step, last_words, perform, scratch
from omni.verify.deep.schemathesis import BadReportError, Failure, read_report
from omni.verify.deep.services import served
from omni.verify.report import Severity, Status

SERVER_ERROR = Rule(
    "contract-tests",
    "server-error",
    Severity.ERROR,
    why="A request that the document allows, or should refuse politely, makes the program fail.",
    fix="Type the request that is named, read the log, and answer with what is meant, or with 4xx.",
)
WRONG_SHAPE = Rule(
    "contract-tests",
    "response-violates-schema",
    Severity.ERROR,
    why="Clients are made from the document, and can't read this answer.",
    fix="Answer as the document says, or correct the document (which is a change for all clients).",
)
UNDOCUMENTED = Rule(
    "contract-tests",
    "undocumented-response",
    Severity.ERROR,
    why="No client expects this answer.",
    fix="Name the status and its content in the document, or don't answer so.",
)
BY_CODE = {"ST101": SERVER_ERROR, "ST103": UNDOCUMENTED, "ST104": UNDOCUMENTED}
"""Codes of schemathesis; all others are answers that don't have the shape that was promised."""
CHECKS_OF_IT = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
REPORT = "omni-deep/schemathesis.xml"


def run(context: Context) -> Iterator[Item]:
    serve = context.project.serve
    if serve is None or not serve.openapi:
        yield Gap("omni.toml declares no [verify.serve] with openapi", Status.SKIPPED)
        return
    with scratch() as folder:
        into = Path(folder)
        servers = tuple(served(with_images(context), serve))
        test = Step("contract", _command(serve), env={"NO_COLOR": "1", "HOME": "/tmp"})  # noqa: S108 - the sandbox's own
        outcome = perform(context, servers, [test], into=into, collect=(REPORT,), toolset="contract")
        done = outcome.steps[-1]
        if done.exit not in {0, 1} or not (into / REPORT).is_file():
            yield Gap(f"schemathesis could not test it: {last_words(done.said)}")
            return
        try:
            report = read_report((into / REPORT).read_bytes())
        except BadReportError as problem:
            yield Gap(f"the report of schemathesis can't be believed: {problem}")
            return
    yield from (_finding(context, serve, failure) for failure in report.failures)
    yield from (Gap(f"{name} could not be tested: {why}") for name, why in report.errors)
    yield Metric("contract.operations", report.operations)
    if not report.operations:
        yield Gap("the document names no operation that could be tested")
    elif done.exit and not (report.failures or report.errors or report.foreign):
        yield Gap(
            f"schemathesis ended with exit code {done.exit} and named nothing that counts: {last_words(done.said)}"
        )


def _command(serve: Serve) -> tuple[str, ...]:
    url = f"http://127.0.0.1:{serve.port}"
    document = (f"{url}{serve.openapi}",) if serve.openapi.startswith("/") else (serve.openapi, "--url", url)
    headers = (each for header in serve.headers for each in ("--header", header))
    return (
        "schemathesis", "run", *document, *headers, "--checks", ",".join(CHECKS_OF_IT), "--continue-on-failure",
        "--seed", "1", "--max-time", f"{serve.seconds:.0f}", "--request-timeout", "10",
        "--suppress-health-check", "all", "--report", "junit", "--report-junit-path", REPORT,
    )  # fmt: skip


def _finding(context: Context, serve: Serve, failure: Failure) -> Item:
    path, line = _place(context, serve, failure)
    rule = BY_CODE.get(failure.code, WRONG_SHAPE)
    fix = f"{rule.fix} Ask it so: {failure.request}" if failure.request else rule.fix
    message = f"{failure.operation}: {failure.message}"
    return rule.at(path, line, message, snippet=f"{failure.operation} {failure.code}", fix=fix)


def _place(context: Context, serve: Serve, failure: Failure) -> tuple[str, int]:
    """The route in the program where it can be read, else the operation in the document, else what serves it."""
    method, _, path = failure.operation.partition(" ")
    routes = by_path([route for route in find_routes(context).found if route.method == method.lower()])
    for route in routes.values():
        if re.sub(r"\{[^}]*\}", "{}", route.path) == re.sub(r"\{[^}]*\}", "{}", path):
            return route.file, route.line
    document = context.inventory.by_path.get(serve.openapi)
    if document and not document.problem:
        return document.path, line_with(context.text(document), path)
    config = context.inventory.by_path.get("omni.toml")
    return ("omni.toml", line_with(context.text(config), "[verify.serve]")) if config else ("", 1)


CHECK = Check(
    id="contract-tests",
    title="The served program keeps its OpenAPI document",
    tier=3,
    globs=("**",),
    run=run,
    weight=2,
    timeout=540,
)
