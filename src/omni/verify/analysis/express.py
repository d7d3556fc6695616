"""The HTTP endpoints of a JavaScript or TypeScript program, and what they do to what is stored: Express, Fastify, Nest.

Read from the text, with brackets counted: enough to see the handlers, what stands before them and which functions of
the program they name; not enough for routes that are made in a loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omni.verify.analysis.blanks import blanked
from omni.verify.analysis.handlers import Endpoint
from omni.verify.analysis.stored import Model

if TYPE_CHECKING:
    from omni.verify.check import Context

LANGUAGES = frozenset({"javascript", "typescript"})
ROUTE = re.compile(
    r"\b(?P<holder>app|server|fastify|api|\w*[rR]outer)\s*\.\s*(?P<method>get|post|put|patch|delete|all)\(\s*"
    r"(?P<quote>[\"'`])(?P<path>/[^\"'`]{0,200}|\*)(?P=quote)\s*,"
)
USE = re.compile(r"\b(?P<holder>app|server|fastify|api|\w*[rR]outer)\s*\.\s*(?:use|addHook|register)\(")
NEST = re.compile(r"@(?P<method>Get|Post|Put|Patch|Delete|All)\(\s*(?:[\"'`](?P<path>[^\"'`]*)[\"'`])?\s*\)")
CONTROLLER = re.compile(r"@Controller\(\s*(?:[\"'`](?P<path>[^\"'`]*)[\"'`])?[^)]*\)")
NAMED = re.compile(
    r"\b(?:async\s+)?function\s*\*?\s*(?P<a>\w+)\s*\("
    r"|\b(?:const|let|var)\s+(?P<b>\w+)\s*(?::[^=]{1,120})?=\s*(?:async\s*)?(?:\([^()]{0,500}\)|\w+)\s*"
    r"(?::[^={]{1,120})?=>"
    r"|^[ \t]+(?:(?:public|private|protected|static|async)\s+)*(?P<c>\w+)\s*\([^()]{0,500}\)\s*(?::[^{;]{1,120})?\{",
    re.MULTILINE,
)
KEYWORDS = frozenset({"if", "for", "while", "switch", "catch", "return", "function", "constructor"})
WORD = re.compile(r"\b[A-Za-z_$][\w$]*\b")
DEEP = 4
"""Calls that are followed one into another."""
LONGEST = 4000
"""Signs of one function that are read."""


@dataclass(frozen=True)
class Change:
    """What is done to a model, at a place."""

    kind: str
    """`create`, `update`, `delete` or `read`."""
    model: Model
    path: str
    line: int


def without_comments(text: str) -> str:
    """Comments as blanks, line by line."""
    comment = re.compile(r"(?<![:\"'`\\])//[^\n]*")
    return blanked(comment.sub(lambda found: " " * len(found[0]), text), (("/*", "*/"),))


def enclosed(text: str, start: int, pair: str = "()") -> str:
    """What stands between the bracket before `start` and its partner; quoted brackets are no brackets."""
    depth, quote, at = 1, "", start
    end = min(len(text), start + 40_000)
    while at < end:
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign == pair[0]:
            depth += 1
        elif sign == pair[1]:
            depth -= 1
            if depth == 0:
                break
        at += 1
    return text[start:at]


class Scripts:
    """The scripts of a program: functions by name, endpoints, and what they reach."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """`texts`: path → text without comments."""
        self.texts = texts
        self.functions: dict[str, tuple[str, str, int]] = {}
        """Name → (text, path, line); the first one wins."""
        for path, text in texts.items():
            for found in NAMED.finditer(text):
                name = found["a"] or found["b"] or found["c"]
                if name not in KEYWORDS:
                    line = text.count("\n", 0, found.start()) + 1
                    self.functions.setdefault(name, (_function(text, found), path, line))

    def endpoints(self) -> Iterator[Endpoint]:
        for path, text in self.texts.items():
            uses = [(found["holder"], found.start(), enclosed(text, found.end())) for found in USE.finditer(text)]
            everywhere = self._everywhere()
            for found in ROUTE.finditer(text):
                before = [said for holder, at, said in uses if holder == found["holder"] and at < found.start()]
                code = "\n".join([*everywhere, *before, enclosed(text, found.end())])
                line = text.count("\n", 0, found.start()) + 1
                method = "ANY" if found["method"] == "all" else found["method"].upper()
                yield Endpoint(method, found["path"], path, line, text=self.reached(code))
            yield from self._nest(path, text)

    def _everywhere(self) -> list[str]:
        """`app.use(requireAuth)` without a path, in the file that makes the program."""
        found = []
        for text in self.texts.values():
            if re.search(r"=\s*(express|fastify|Fastify)\(", text):
                uses = (each for each in USE.finditer(text) if "outer" not in each["holder"])
                given = [enclosed(text, each.end()) for each in uses]
                found += [each for each in given if not re.match(r"\s*[\"'`]", each)]
        return found

    def _nest(self, path: str, text: str) -> Iterator[Endpoint]:
        controller = CONTROLLER.search(text)
        if controller is None:
            return
        opened = text.find("{", controller.end())
        head = text[max(0, controller.start() - 500) : max(opened, controller.end())]
        for found in NEST.finditer(text, controller.end()):
            block = text.find("{", found.end())
            code = text[max(0, found.start() - 300) : block] + enclosed(text, block + 1, "{}")
            shown = f"/{(controller['path'] or '').strip('/')}/{(found['path'] or '').strip('/')}".rstrip("/") or "/"
            line = text.count("\n", 0, found.start()) + 1
            method = "ANY" if found["method"] == "All" else found["method"].upper()
            yield Endpoint(method, shown, path, line, text=self.reached(f"{head}\n{code}"))

    def reached(self, code: str) -> str:
        """The code and the functions of the program that it names, and so on."""
        seen: set[str] = set()
        parts, queue = [code], [(code, 0)]
        while queue:
            text, depth = queue.pop(0)
            for name in dict.fromkeys(WORD.findall(text)):
                if name in self.functions and name not in seen and depth < DEEP:
                    seen.add(name)
                    parts.append(self.functions[name][0])
                    queue.append((self.functions[name][0], depth + 1))
        return "\n".join(parts)

    def changes(self, models: Iterable[Model], code: str, path: str, line: int) -> Iterator[Change]:
        """What the code does to models: Prisma, TypeORM, Sequelize, Mongoose, and SQL."""
        for model in models:
            for kind, pattern in _patterns(model):
                if pattern.search(code):
                    yield Change(kind, model, path, line)


def _function(text: str, found: re.Match[str]) -> str:
    block = text.find("{", found.end() - 1 if found["c"] else found.end())
    arrow = found["b"] is not None and not text[found.end() :].lstrip().startswith("{")
    if arrow or block < 0:
        return text[found.start() : found.start() + 400].split(";", 1)[0]
    return (text[found.start() : block + 1] + enclosed(text, block + 1, "{}"))[:LONGEST]


def _patterns(model: Model) -> Iterator[tuple[str, re.Pattern[str]]]:
    name, variable = re.escape(model.name), re.escape(model.name[:1].lower() + model.name[1:])
    table = re.escape(model.table or model.name)
    kept = rf"\b{variable}s?(?:Repository|Repo|Model|Collection)|getRepository\({name}\)"
    holder = rf"(?:\bprisma\w*\.{variable}|\b{name}|{kept})"
    verbs = {
        "create": r"create\w*|insert\w*|save|upsert|build",
        "update": r"update\w*|save|upsert|findOneAndUpdate|findByIdAndUpdate",
        "delete": r"delete\w*|remove|softDelete|softRemove|destroy|findByIdAndDelete|findOneAndDelete",
        "read": r"find\w*|get\w*|count|aggregate",
    }
    statements = {
        "create": rf"insert\s+into\s+[\"`]?{table}\b", "update": rf"update\s+[\"`]?{table}\b",
        "delete": rf"delete\s+from\s+[\"`]?{table}\b", "read": rf"\bfrom\s+[\"`]?{table}\b",
    }  # fmt: skip
    for kind, verb in verbs.items():
        made = rf"|\bnew\s+{name}\(" if kind == "create" else ""
        yield kind, re.compile(rf"{holder}\s*\.\s*(?:{verb})\(|(?i:{statements[kind]}){made}")


def read_scripts(context: Context) -> Scripts:
    files = [file for file in context.files if file.language in LANGUAGES]
    return Scripts({file.path: without_comments(context.text(file)) for file in files})
