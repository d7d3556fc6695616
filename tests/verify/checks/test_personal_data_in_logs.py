from __future__ import annotations

from collections.abc import Callable

import pytest

from omni.verify.report import CheckResult, Status

Look = Callable[..., CheckResult]

CHECK = "personal-data-in-logs"


def said(result: CheckResult) -> list[str]:
    """`path:line what`, where what is said to be logged."""
    assert result.status is not Status.ERROR, result.reason
    return [f"{each.path}:{each.line} {each.message.removesuffix(' is logged')}" for each in result.findings]


def of_python(look: Look, source: str) -> list[str]:
    return [each.removeprefix("a.py:") for each in said(look(CHECK, {"a.py": source}))]


def of_lines(look: Look, lines: dict[str, str]) -> dict[str, str]:
    """Line of a Python file → what is said of it; the lines before them make a logger."""
    found = dict(each.split(" ", 1) for each in of_python(look, "log = get()\n" + "\n".join(lines) + "\n"))
    return {line: found.get(str(number), "") for number, line in enumerate(lines, 2)}


def test_the_finding(look: Look) -> None:
    result = look(CHECK, {"a.py": "def changed(log, user):\n    log.info('changed %s', user.email)\n"})
    (finding,) = result.findings
    assert (result.status, finding.severity, finding.rule, finding.path, finding.line) == (
        Status.FAIL,
        "error",
        "personal-data-in-log",
        "a.py",
        2,
    )
    assert (finding.message, finding.snippet, finding.cwe) == (
        "`user.email` (email) is logged",
        "log.info('changed %s', user.email)",
        "CWE-532",
    )
    assert finding.why
    assert finding.fix


def test_what_writes_a_log(look: Look) -> None:
    lines = {
        "log.info(email)": "`email` (email)",
        "log.warning(email)": "`email` (email)",
        "log.bind(a=1).error(email)": "`email` (email)",
        "log.bind(a=1).bind(b=2).error(email)": "`email` (email)",
        "logging.getLogger('a').critical(email)": "`email` (email)",
        "structlog.get_logger().debug(email)": "`email` (email)",
        "self._logger.exception(email)": "`email` (email)",
        "current_app.logger.info(email)": "`email` (email)",
        "make()().info(email)": "",
        "catalog.info(email)": "",
        "dialog.log(email)": "",
        "log.setLevel(email)": "",
        "info(email)": "",
    }
    assert of_lines(look, lines) == lines


def test_values(look: Look) -> None:
    lines = {
        # as they are
        "log.info(ssn, cvv, diagnosis)": "`ssn` (ssn), `cvv` (code), `diagnosis` (diagnosis)",
        "log.info(email, email)": "`email` (email)",
        "log.info('%s', user.name)": "`user.name` (name)",
        "log.info('%s', product.name)": "",
        "log.info('%s', request.client.host)": "`request.client.host` (ip)",
        "log.info('%s', database.host)": "",
        "log.info('%s', request.client.port)": "",
        "log.info('%s', form['email'])": "`form['email']` (email)",
        "log.info('%s', form['total'])": "",
        "log.info('%s', user['name'])": "`user['name']` (name)",
        "log.info('%s', phones[0])": "",
        "log.info('%s', phone[0])": "`phone` (phone)",
        # within others
        "log.info(f'{email} of {user.id}')": "`email` (email)",
        "log.info('a' + email)": "`email` (email)",
        "log.info('%s' % email)": "`email` (email)",
        "log.info([email], {'a': phone})": "`email` (email), `phone` (phone)",
        "log.info({email: 1})": "",
        "log.info(email if known else phone)": "`email` (email), `phone` (phone)",
        "log.info('yes' if email else 'no')": "",
        # true or false tells nothing
        "log.info(email is None, email == phone, not email, email or phone)": "",
        "log.info(lambda: email)": "",
        # of calls
        "log.info('{}'.format(email))": "`email` (email)",
        "log.info(show(text=email))": "`email` (email)",
        "log.info(str(email))": "`email` (email)",
        "log.info(email.strip().lower())": "`email` (email)",
        "log.info(phone.upper().encode())": "`phone` (phone)",
        "log.info(email.rpartition('@'))": "",
        "log.info(', '.join(email))": "`email` (email)",
        "log.info(form.get('phone'))": "`form.get('phone')` (phone)",
        "log.info(user.get('name'))": "`user.get('name')` (name)",
        "log.info(product.get('name'))": "",
        "log.info(email.get('domain'))": "",
        "log.info(form.pop('phone'))": "",
        "log.info(form.get())": "",
        "log.info(form.get(key))": "",
        # by keyword
        "log.info('made', extra={'a': email})": "`email` (email)",
        "log.info('made', value=email)": "`email` (email)",
        "log.info('made', email=value)": "`email` (email)",
        "log.info('made', email=email)": "`email` (email)",
        "log.info('made', email='hidden')": "",
        "log.info('made', email=clean(value))": "",
        "log.info('made', email=[value])": "",
        "log.info('made', total=value)": "",
        "log.info('made', **email)": "`email` (email)",
        "log.info('made', exc_info=email, stack_info=email, stacklevel=email, of=phone)": "`phone` (phone)",
        "log.info('made', email=None)": "",
    }
    assert of_lines(look, lines) == lines


def test_what_is_masked_counted_or_about_the_value_may_be_logged(look: Look) -> None:
    lines = {
        "log.info(mask(email), redact(email), hashed.sha256(email), hmac_of(email))": "",
        "log.info(len(email), bool(email), type(email), id(email), any(email), sum(email))": "",
        "log.info(length(email))": "`email` (email)",
        "log.info(masked_email, hashed_email, safe_email, anonymized_email, encrypted_email)": "",
        "log.info(unmasked_email)": "`unmasked_email` (email)",
        "log.info(EMAIL)": "",
        "log.info(email_template, email_field, phone_type, email_count, email_id, email_regex, email_url)": "",
        "log.info(user.email_subject, email_server, email_host)": "",
        "log.info(emailAddress, customer_email)": "`emailAddress` (email), `customer_email` (email)",
    }
    assert of_lines(look, lines) == lines


RECORDS = """\
@dataclass
class Person:
    id: int
    email: str

class Quiet:
    email: str
    def __repr__(self): return "Quiet"

class Order:
    total: int

def shown(person: Person, quiet: Quiet, order: Order, other, *, last: models.Person):
    log.info(person, quiet, order, other, last)
    log.info(person.model_dump(), quiet.model_dump(), order.dict(), vars(person), person.id)
    log.info(person.copy())
    made, two = Person(1, ""), Quiet("")
    new = Person(1, "")
    log.info("%s %s %s", made, two, new)
    def inner():
        log.info(new)

def first(person: Person, /):
    log.info(person)
"""


def test_whole_records(look: Look) -> None:
    assert of_python(look, RECORDS) == [
        "14 `person` (a whole record), `last` (a whole record)",
        "15 `person.model_dump()` (a whole record), `person` (a whole record)",
        "19 `new` (a whole record)",
        "24 `person` (a whole record)",
    ]


def test_what_lies_beside_the_product_and_what_can_not_be_parsed(look: Look) -> None:
    line = "log.info(email)\n"
    result = look(CHECK, {"tests/test_a.py": line, "app/a.py": line, "app/b.py": f"{line}def (\n", "c.py": "def (\n"})
    assert said(result) == ["app/a.py:1 `email` (email)"]
    assert list(result.coverage.failed) == ["app/b.py"]
    assert result.status is Status.FAIL


FILTER = """\
import logging, re
MAIL = re.compile(r"[\\w.]+@[\\w.]+")
class Scrub(logging.Filter):
    def filter(self, record):
        record.msg = MAIL.sub("-", record.getMessage())
        return True
logging.getLogger().addFilter(Scrub())
"""
LOGS = "def changed(user):\n    log.info('%s %s', user.email, user.phone)\n"
BOTH = ["a.py:2 `user.email` (email), `user.phone` (phone)"]


@pytest.mark.parametrize(
    ("scrubs", "expected"),
    [
        (FILTER, ["a.py:2 `user.phone` (phone)"]),
        # it is put nowhere, takes nothing out, or is no Python
        (FILTER.replace("addFilter", "removeFilter"), BOTH),
        (FILTER.replace(".sub(", ".search("), BOTH),
        (FILTER + "def (\n", BOTH),
        # its patterns match another thing, are none, or could take for ever
        (FILTER.replace("@", "#"), BOTH),
        (FILTER.replace("[\\w.]+@", "([@"), BOTH),
        (FILTER.replace("[\\w.]+@", "([\\w.]+)*@"), BOTH),
        (FILTER.replace("[\\w.]+@", "@" + "|a" * 100), BOTH),
        (FILTER.replace("[\\w.]+@", "@|" + "a?b*" * 9), BOTH),
        (FILTER.replace("re.compile(", "re.escape("), BOTH),
        (FILTER.replace('re.compile(r"[\\w.]+@[\\w.]+")', "re.compile()"), BOTH),
        # structlog and loguru
        (
            "import re\ndef scrub(event_dict):\n    return re.sub(r'@|\\d{3}', '', event_dict)\nprocessors=[scrub]\n",
            [],
        ),
        (
            "import re\ndef scrub(record):\n    re.sub(r'\\(\\d+\\)', '-', record)\nlogger.configure(patcher=scrub)\n",
            ["a.py:2 `user.email` (email)"],
        ),
        ("import re\ndef scrub(text):\n    return re.sub('@', '-', text)\nprocessors = [scrub]\n", BOTH),
    ],
)
def test_a_filter_counts_for_what_its_patterns_match(look: Look, scrubs: str, expected: list[str]) -> None:
    assert said(look(CHECK, {"logs.py": scrubs, "a.py": LOGS})) == expected


def test_a_filter_counts_for_scripts_too_but_not_one_of_a_test(look: Look) -> None:
    script = "console.log(user.email);\nconsole.log(user.phone);\n"
    assert said(look(CHECK, {"logs.py": FILTER, "a.ts": script})) == ["a.ts:2 `user.phone` (phone)"]
    files = {"logs.py": "", "tests/logs.py": FILTER, "a.ts": script}
    assert said(look(CHECK, files)) == ["a.ts:1 `user.email` (email)", "a.ts:2 `user.phone` (phone)"]


def test_scripts(look: Look) -> None:
    lines = {
        "console.log(email);": "`email` (email)",
        "logger.info('made', { user: user.id, to: user?.email });": "`user?.email` (email)",
        "req.log.warn(email, phone, email);": "`email` (email), `phone` (phone)",
        "log.error(`of ${user.email}`);": "`user.email` (email)",
        "log.error(`of email ${user.id}`);": "",
        "log.error('email', \"phone\");": "",
        "log.error({ email: 1 });": "",
        "log.error(maskEmail(user.email), hash(phone));": "",
        "log.error(show(email));": "`email` (email)",
        "log.error(email());": "",
        "log.info(user.name, product.name);": "`user.name` (name)",
        "log.info(req.ip, request.ip, ctx.ip, server.ip);": "`req.ip` (ip), `request.ip` (ip), `ctx.ip` (ip)",
        "log.info(order.user.name, user.order.name);": "`order.user.name` (name)",
        "// log.info(email)": "",
        "/* console.log(email) */": "",
        "send(email); log.info(a);": "",
        "catalog.info(email);": "",
    }
    text = "\n".join(lines) + "\n"
    found = dict(each.removeprefix("a.ts:").split(" ", 1) for each in said(look(CHECK, {"a.ts": text})))
    assert {line: found.get(str(number), "") for number, line in enumerate(lines, 1)} == lines


def test_the_snippet_of_a_script_is_its_line(look: Look) -> None:
    (finding,) = look(CHECK, {"a.js": "f();\n\n  console.info(email);\n"}).findings
    assert (finding.line, finding.snippet) == (3, "console.info(email);")
