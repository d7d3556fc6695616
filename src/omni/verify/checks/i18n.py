"""Programs that speak several languages: nothing that ties them to one. Applies where there is a folder `locales/`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from omni.verify.analysis.markup import DYNAMIC, parse_markup
from omni.verify.analysis.python import dotted, keyword, last_name, text_of
from omni.verify.analysis.rule import Rule, line_with
from omni.verify.check import Check, Context, Gap, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity, Status


def _rule(name: str, why: str, fix: str, severity: Severity = Severity.WARNING) -> Rule:
    return Rule("i18n", name, severity, why, fix)


HARD_CODED = _rule(
    "hard-coded-text",
    "Who reads another language sees this text untranslated.",
    "Put the text into locales/ under a key, and show it by the key.",
)
PLURAL = _rule(
    "home-made-plural",
    "Polish has four forms of the plural, Japanese one.",
    "Leave the choice to the message: {count, plural, one {# item} other {# items}}.",
)
NAIVE = _rule(
    "naive-time",
    "Without a time zone it is another instant on the next machine.",
    "datetime.now(UTC); change it to the reader's zone only to show it.",
)
MONEY = _rule(
    "hand-formatted-number",
    "1,234.50 reads as one and a bit where the comma is the decimal sign.",
    "Format it for the reader's language: Babel's format_currency, Intl.NumberFormat.",
)
DIRECTION = _rule(
    "left-or-right",
    "In Arabic and Hebrew the page runs the other way, and this stays where it was.",
    "Say start and end: margin-inline-start, padding-inline-end, text-align: start.",
)
JOINED = _rule(
    "joined-translation",
    "Other languages put the value elsewhere in the sentence.",
    "Put a placeholder into the message, and give the value: t('greeting', name=name).",
)
SORTED = _rule(
    "plain-sort",
    "By code points Z comes before a, and Ä after z.",
    "Sort with Intl.Collator or localeCompare.",
    Severity.NOTE,
)
FIXED = _rule(
    "fixed-width",
    "German and Finnish need up to 40 % more room; the text is cut off.",
    "Give a min-width, or none.",
)
KEYS = _rule(
    "missing-key",
    "Who reads that language sees the key instead of the text.",
    "Add the key to the file, translated.",
    Severity.ERROR,
)
NESTED = _rule(
    "nested-key",
    "Keys are looked up by their full dotted name, so a nested one is never found.",
    'Write it flat: "todo.title": "…".',
    Severity.ERROR,
)

LOCALES = re.compile(r"(^|/)locales/[\w-]+\.json$")
TRANSLATES = frozenset({"t", "_", "gettext", "ngettext", "translate", "i18n", "$t"})
NOT_FOR_PEOPLE = re.compile(r"(^|/)(tests?|docs?|migrations|scripts)/|\.min\.|(^|/)(test_|conftest)")
SHOWN_FIELD = re.compile(
    r"(String|Text|Integer|Decimal|Date|DateTime|Select|Boolean|Password|Email|Submit|TextArea|Radio|File)Field"
)
"""Of WTForms and Django's forms: the first argument or `label` is shown."""
MARKUP_TEXT = re.compile(r">(?P<text>[^<>{}]{2,1000})<")
SIDES = re.compile(
    r"(?<![\w-])((margin|padding|border)-(left|right)|text-align\s*:\s*(left|right)|float\s*:\s*(left|right))\b"
)
WIDTH = re.compile(
    r"(button|\.btn|label)[^{}]{0,200}\{[^{}]{0,1000}(?<![\w-])width\s*:\s*\d+(px|rem|em)", re.IGNORECASE
)
JS_PLURAL = re.compile(r"(===?|!==?)\s*1\s*\?\s*[\"'`][^\"'`]{0,200}[\"'`]\s*:\s*[\"'`]")
_CALL = r"(?<![\w$.])(?:t|\$t|i18n\.t)\(\s*[\"'][\w.-]+[\"']\s*\)"
JS_JOINED = re.compile(rf"{_CALL}\s*\+|\+\s*{_CALL}")
JS_SORT = re.compile(
    r"\.sort\(\s*\)|\.sort\(\s*\(?\s*(\w+),\s*(\w+)\s*\)?\s*=>\s*\1\.(\w*name|title|label)\s*[<>]\s*\2\."
)
JS_MONEY = re.compile(r"[$€£]\s*(\$\{|[\"'`]\s*\+)[^}`]{0,200}toFixed\(2\)|toFixed\(2\)\s*\}?\s*[€£$]")


def run(context: Context) -> Iterator[Item]:
    catalogs = [file for file in context.files if LOCALES.search(file.path)]
    if not catalogs:
        yield Gap("there is no folder locales/, so the program speaks one language", Status.SKIPPED)
        return
    yield from _catalogs(context, catalogs)
    for file in context.files:
        if NOT_FOR_PEOPLE.search(file.path):
            continue
        if file.language == "python":
            tree = context.parse_python(file)
            yield from [tree] if isinstance(tree, Unseen) else _python(file, tree)
        elif file.language in PATTERNS:
            text = context.text(file)
            yield from _text(file, text)
            if file.path.endswith((".tsx", ".jsx")):
                yield from _components(file, text)


def _catalogs(context: Context, files: list[File]) -> Iterator[Item]:
    """Files of one folder hold the same keys, flat."""
    catalogs: dict[File, dict[str, object]] = {}
    for file in files:
        try:
            content = json.loads(context.text(file))
        except (ValueError, RecursionError):
            continue  # `syntax` says so
        if isinstance(content, dict):
            catalogs[file] = content
    for file, content in catalogs.items():
        text = context.text(file)
        for key, value in content.items():
            if isinstance(value, dict):
                yield NESTED.at(file.path, line_with(text, f'"{key}"'), f"`{key}` holds further keys", snippet=key)
        beside = [other for other in catalogs if PurePosixPath(other.path).parent == PurePosixPath(file.path).parent]
        for key in sorted({key for other in beside for key in catalogs[other]} - content.keys()):
            has = next(other.path for other in beside if key in catalogs[other])
            yield KEYS.at(file.path, 1, f"`{key}` is in {has} and not here", snippet=key)


def _python(file: File, tree: ast.Module) -> Iterator[Item]:
    for node in walk(tree):
        for rule, message in _judge(node):
            line = getattr(node, "lineno", 1)
            yield rule.at(file.path, line, message)


def _judge(node: ast.AST) -> Iterator[tuple[Rule, str]]:
    if isinstance(node, ast.IfExp) and _compares_with_one(node.test):
        if text_of(node.body) is not None and text_of(node.orelse) is not None:
            yield PLURAL, "the plural is chosen by `== 1`"
    elif isinstance(node, ast.Call):
        name = dotted(node.func)
        if (
            name.endswith("datetime.utcnow")
            or (name.endswith("datetime.now") and not node.args and not node.keywords)
            or (last_name(node.func) == "fromtimestamp" and len(node.args) < 2 and keyword(node, "tz") is None)
        ):
            yield NAIVE, f"`{name}()` makes a time without a zone"
        elif _shown(node):
            yield HARD_CODED, f"a text for people stands in `{last_name(node.func)}`"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [each for each in (node.left, node.right) if isinstance(each, ast.Call)]
        if any(dotted(each.func).rpartition(".")[2] in TRANSLATES for each in sides):
            yield JOINED, "a translation is put together with something else"
    elif isinstance(node, ast.JoinedStr) and _looks_like_money(node):
        yield MONEY, "an amount is formatted by hand"


def _shown(call: ast.Call) -> bool:
    """A text that people see stands in the call: `flash("Saved.")`, `StringField("Name")`."""
    name, short = dotted(call.func), last_name(call.func)
    texts = [text_of(each) or "" for each in call.args]
    if short == "flash" or SHOWN_FIELD.fullmatch(short):
        said = texts[:1]
    elif name.startswith("messages.") and short in {"success", "error", "info", "warning"}:
        said = texts[1:2]
    else:
        return False
    said += [text_of(keyword(call, given)) or "" for given in ("label", "help_text", "description")]
    return any(" " in each.strip() or each[:1].isupper() for each in said)


def _components(file: File, text: str) -> Iterator[Item]:
    """Text between the tags of JSX."""
    for element in parse_markup(text, jsx=True).all():
        if any(DYNAMIC not in each and _for_people(each) for each in element.texts) and element.name not in {
            "code",
            "pre",
        }:
            message = "text stands in the page itself"
            yield HARD_CODED.at(file.path, element.line, message)


def _compares_with_one(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.NotEq):
        return False
    right = test.comparators[0]
    return isinstance(right, ast.Constant) and right.value == 1 and not isinstance(right.value, bool)


def _looks_like_money(node: ast.JoinedStr) -> bool:
    has_sign = any(re.search(r"[$€£]\s*$|^\s*[$€£]", text_of(part) or "") for part in node.values)
    two_digits = any(
        isinstance(part, ast.FormattedValue)
        and part.format_spec is not None
        and re.search(r"\.2f", ast.unparse(part.format_spec))
        for part in node.values
    )
    return has_sign and two_digits


def _text(file: File, text: str) -> Iterator[Item]:
    for rule, pattern, message in PATTERNS[file.language]:
        for found in pattern.finditer(_without_code(text) if pattern is MARKUP_TEXT else text):
            if pattern is MARKUP_TEXT and not _for_people(found["text"]):
                continue
            start = found.start("text") if pattern is MARKUP_TEXT else found.start()
            line = text.count("\n", 0, start) + 1 + _leading_lines(found, pattern)
            yield rule.at(file.path, line, message)


def _leading_lines(found: re.Match[str], pattern: re.Pattern[str]) -> int:
    """Lines from the bracket to the text itself."""
    given = found["text"] if pattern is MARKUP_TEXT else ""
    return given[: len(given) - len(given.lstrip())].count("\n")


def _without_code(text: str) -> str:
    """Template code, scripts, styles and comments as blanks, line by line."""
    code = re.compile(
        r"\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}|\{#.{0,5000}?#\}|<!--.{0,5000}?-->|<(script|style|code|pre|title|svg)\b.{0,20000}?</\1>",
        re.DOTALL | re.IGNORECASE,
    )
    return code.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _for_people(text: str) -> bool:
    if '="' in text:
        return False  # attributes of a tag that a macro puts together
    return not re.fullmatch(r"[\s\W\d]*(&\w+;)?[\s\W\d]*", text) and bool(
        re.search(r"[A-Za-z]{2,}", re.sub(r"&\w+;", "", text))
    )


_MARKUP = ((HARD_CODED, MARKUP_TEXT, "text stands in the page itself"),)
_STYLE = (
    (DIRECTION, SIDES, "a side is named left or right"),
    (FIXED, WIDTH, "something with text in it has a fixed width"),
)
_SCRIPT = (
    (PLURAL, JS_PLURAL, "the plural is chosen by `== 1`"),
    (JOINED, JS_JOINED, "a translation is put together with something else"),
    (SORTED, JS_SORT, "text is sorted by code points"),
    (MONEY, JS_MONEY, "an amount is formatted by hand"),
)
PATTERNS = {"html": _MARKUP, "jinja": _MARKUP, "css": _STYLE, "javascript": _SCRIPT, "typescript": _SCRIPT}

CHECK = Check(
    id="i18n",
    title="Nothing ties the program to one language",
    tier=2,
    languages=("python", *PATTERNS),
    globs=("**/locales/*.json", "locales/*.json"),
    run=run,
)
