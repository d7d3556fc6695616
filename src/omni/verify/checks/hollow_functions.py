"""Functions that report success without work: the name promises an effect or a decision, and the body has none.

Empty bodies are seen by `placeholders`. Here something is there that looks like an answer: `return True`, a log line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from omni.verify.analysis.places import BESIDE_THE_PRODUCT
from omni.verify.analysis.python import Function, body_without_docstring, dotted, functions, last_name
from omni.verify.analysis.rule import Rule
from omni.verify.check import Check, Context, Item, Unseen
from omni.verify.files import File
from omni.verify.parsing import walk
from omni.verify.report import Severity

NO_EFFECT = Rule(
    "hollow-functions",
    "success-without-work",
    Severity.ERROR,
    "Callers believe that it was done: nothing was saved, sent or checked, and nobody is told.",
    "Do what the name says, or raise NotImplementedError so that callers know.",
    "CWE-1071",
)
ALWAYS = Rule(
    "hollow-functions",
    "always-the-same-answer",
    Severity.ERROR,
    "It is asked for a decision, and says the same whatever it is given.",
    "Decide by what it is given, or remove the question.",
    "CWE-1025",
)
EFFECTS = re.compile(
    r"^_*(save|send|delete|remove|update|store|persist|upload|publish|notify|encrypt|decrypt|sign|charge|pay|refund|backup|"
    r"back_up|restore|sync|synchroni[sz]e|import|export|archive|deploy|migrate|process|schedule|cancel|write|insert|revoke|"
    r"anonymi[sz]e|sanitize|sanitise|hash|log_audit|record|submit|transfer|dispatch|email|invalidate)(_|$)"
)
DECISIONS = re.compile(
    r"^_*(validate|verify|check|authenticate|authori[sz]e|is_valid|is_allowed|is_authori[sz]ed|is_authenticated|has_permission|"
    r"can_access|may|ensure)(_|$)"
)
ON_PURPOSE = re.compile(
    r"no_?op|nothing|dummy|always|never|null|skip|disabled|allow_(all|any)|accept|ignore|unsupported|fake|stub|mock|default"
    r"|default_|_default|placeholder|unchecked|trust",
    re.IGNORECASE,
)
STAND_IN = re.compile(
    r"null|noop|no_op|dummy|fake|stub|mock|base|abstract|default|memory|console|mixin|protocol|interface", re.IGNORECASE
)
SAYS = re.compile(
    r"(^|\.)(log|logger|logging|_log|_logger|LOG|LOGGER|console|click|typer)\.\w+$|^print$|^warnings\.warn$"
)


def run(context: Context) -> Iterator[Item]:
    trees: dict[File, ast.Module] = {}
    for file, tree in context.parsed_python():
        if isinstance(tree, Unseen):
            yield tree
        elif not BESIDE_THE_PRODUCT.search(file.path) and not STAND_IN.search(file.path.rpartition("/")[2]):
            trees[file] = tree
    bases = {last_name(b) for t in trees.values() for n in walk(t) if isinstance(n, ast.ClassDef) for b in n.bases}
    for file, tree in trees.items():
        for function, owner in functions(tree):
            if not _is_replaced(function, owner, bases):
                for rule, message in _judge(function):
                    yield rule.at(file.path, function.lineno, message)


def _is_replaced(function: Function, owner: ast.ClassDef | None, bases: set[str]) -> bool:
    """Whether it may do nothing by right: a hook, a stand-in, a method that a subclass fills or that fills a base's."""
    said = ast.get_docstring(function) or ""
    if (
        ON_PURPOSE.search(function.name)
        or function.decorator_list
        or re.search(r"subclass|overrid|hook", said, re.IGNORECASE)
    ):
        return True
    return owner is not None and (
        owner.name in bases or bool(owner.bases or owner.keywords) or STAND_IN.search(owner.name) is not None
    )


def _judge(function: Function) -> Iterator[tuple[Rule, str]]:
    parameters = {each.arg for each in _parameters(function)} - {"self", "cls"}
    if not parameters or all(name.startswith("_") for name in parameters):
        return
    body = body_without_docstring(function)
    answers = [node for statement in body for node in walk(statement) if isinstance(node, ast.Return)]
    if not answers or any(not _is_constant(each.value) for each in answers):
        return
    if EFFECTS.match(function.name) and all(_does_nothing(each) for each in body):
        yield NO_EFFECT, f"`{function.name}` does nothing with what it is given, and returns {_shown(answers[-1])}"
    elif DECISIONS.match(function.name) and _always(body, answers):
        yield ALWAYS, f"`{function.name}` answers {_shown(answers[-1])} whatever it is given"


def _parameters(function: Function) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _shown(answer: ast.Return) -> str:
    return f"`{ast.unparse(answer.value)}`" if answer.value is not None else "None"


def _is_constant(node: ast.expr | None) -> bool:
    """A value that is written out: `True`, `{"status": "ok"}`, `[]`."""
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Dict):
        return all(_is_constant(each) for each in (*node.keys, *node.values))
    return isinstance(node, ast.List | ast.Tuple | ast.Set) and all(_is_constant(each) for each in node.elts)


def _does_nothing(statement: ast.stmt) -> bool:
    """A log line, a constant, a pause: nothing that stays."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Assign):
        return _is_constant(statement.value) and isinstance(statement.targets[0], ast.Name)
    if isinstance(statement, ast.Expr):
        value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        called = dotted(value.func) if isinstance(value, ast.Call) else ""
        return isinstance(value, ast.Constant) or bool(SAYS.search(called)) or called in {"time.sleep", "asyncio.sleep"}
    return False


def _always(body: list[ast.stmt], answers: list[ast.Return]) -> bool:
    """One answer for all, with nothing that could refuse on the way: no exception, no call but for the log."""
    if len({ast.dump(each.value) if each.value is not None else "" for each in answers}) != 1:
        return False
    if not isinstance(answers[0].value, ast.Constant) or not isinstance(answers[0].value.value, bool):
        return False
    for statement in body:
        for node in walk(statement):
            if isinstance(
                node, ast.Raise | ast.Assert | ast.Await | ast.Yield | ast.YieldFrom | ast.With | ast.AsyncWith
            ):
                return False
            if isinstance(node, ast.Call) and not SAYS.search(dotted(node.func)) and dotted(node.func) not in PURE:
                return False
    return True


PURE = frozenset({"len", "isinstance", "str", "int", "bool", "any", "all", "getattr", "hasattr", "set", "list", "dict"})


CHECK = Check(
    id="hollow-functions",
    title="What reports success has done something",
    tier=2,
    languages=("python",),
    run=run,
)
