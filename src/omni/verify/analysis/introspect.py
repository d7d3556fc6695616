"""A program of its own: what modules that are installed really have. It is run by the target's interpreter, in its
environment, and so it uses nothing but the standard library of Python 3.8.

Arguments are questions, `module:path`. The path is made of attributes, `()` for what a call gives, and `enter()` for
what `with` binds: `httpx:Client.().get!`. The exclamation mark says that it is called.
On standard output comes one JSON object, question → fact:

- `{"missing": "module" | "name", "name": …, "of": …, "near": […]}`: it is not there, for certain;
- `{"kind": …, "takes": [[name, kind], …] | null, "deprecated": …, "qualified": "module:name"}`: it is there;
- `{}`: nothing can be said, because it is made while the program runs.

Kinds of parameters are the initial of inspect's: O positional only, P positional or keyword, V *args, K keyword only,
W **kwargs. `null`: what it takes is not known.
"""

from __future__ import annotations

import ast
import difflib
import dis
import importlib
import inspect
import json
import os
import pathlib
import re
import sys
import textwrap
import types
import typing
import warnings

Fact = typing.Dict[str, object]  # noqa: UP006 - older interpreters run this, too
Takes = typing.List[typing.List[str]]  # noqa: UP006

CLASS_WITH_OWN_WAYS = ("__getattr__", "__getattribute__")
GIVES_DATA = ("pandas.core.generic", "pandas")
"""Modules of classes whose `__getattr__` gives columns, which can't be called."""
KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "O",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "P",
    inspect.Parameter.VAR_POSITIONAL: "V",
    inspect.Parameter.KEYWORD_ONLY: "K",
    inspect.Parameter.VAR_KEYWORD: "W",
}
FORWARDED_BY_HAND = {
    "json.loads": ("json", "JSONDecoder"),
    "json.load": ("json", "JSONDecoder"),
    "json.dumps": ("json", "JSONEncoder"),
    "json.dump": ("json", "JSONEncoder"),
    "subprocess.run": ("subprocess", "Popen"),
    "subprocess.call": ("subprocess", "Popen"),
    "subprocess.check_call": ("subprocess", "Popen"),
    "subprocess.check_output": ("subprocess", "Popen", "input"),
}
"""Functions whose **kwargs end in a class that their source does not show plainly: its module, name, what else."""


class UnknownError(Exception):
    """Nothing can be said."""


class MissingError(Exception):
    def __init__(self, what: str, name: str, of: str, near: list[str]) -> None:
        super().__init__(name)
        self.fact: Fact = {"missing": what, "name": name, "of": of, "near": near}


class Instance:
    """Some object of a class."""

    def __init__(self, cls: type) -> None:
        self.cls = cls


class Method:
    """A function that gets its first argument from an object."""

    def __init__(self, function: types.FunctionType, owner: type) -> None:
        self.function = function
        self.owner = owner


def answer(question: str) -> Fact:
    """The fact about what a question names."""
    module, _, path = question.partition(":")
    try:
        said: list[str] = []
        thing = imported(module)
        for part in path.split(".") if path else ():
            thing = step(thing, part, said)
        return describe(thing, said[-1] if said else "")
    except MissingError as missing:
        return missing.fact
    except UnknownError:
        return {}
    except BaseException:
        return {}


def imported(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name and (name == problem.name or name.startswith(problem.name + ".")):
            parent, _, last = problem.name.rpartition(".")
            of = sys.modules.get(parent)
            raise MissingError("module", problem.name, parent, near(last, of) if of else []) from None
        raise UnknownError from None


def near(name: str, thing: object) -> list[str]:
    try:
        names = [each for each in dir(thing) if not each.startswith("_")]
    except Exception:
        return []
    same = [each for each in names if each.lower().replace("_", "") == name.lower().replace("_", "")]
    return same[:1] or difflib.get_close_matches(name, names, 2, 0.8)


def step(thing: object, part: str, said: list[str]) -> object:
    if part == "()":
        return called(thing)
    if part == "enter()":
        return entered(thing)
    if isinstance(thing, Instance):
        return of_instance(thing.cls, part.rstrip("!"), part.endswith("!"))
    part = part.rstrip("!")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = getattr(thing, part)
        except AttributeError:
            found = absent(thing, part)
    said[:] = [str(each.message) for each in caught if is_deprecation(each.category) and part in str(each.message)]
    return found


def absent(thing: object, part: str) -> object:
    """A module that was not loaded yet; else `MissingError`, or `UnknownError` for what may get attributes later."""
    if inspect.ismodule(thing):
        if hasattr(thing, "__path__"):
            try:
                return importlib.import_module(thing.__name__ + "." + part)
            except ModuleNotFoundError as problem:
                if problem.name != thing.__name__ + "." + part:
                    raise UnknownError from None
        if part in vars(thing).get("__annotations__", ()) or in_stub(thing, part):
            raise UnknownError
        raise MissingError("name", part, thing.__name__, near(part, thing))
    if inspect.isclass(thing):
        odd = any(name in vars(kind) for kind in type(thing).__mro__[:-2] for name in CLASS_WITH_OWN_WAYS)
        if odd and type(thing).__module__ != "enum":
            raise UnknownError
        if part in annotated(thing):
            raise UnknownError
        raise MissingError("name", part, thing.__name__, near(part, thing))
    raise UnknownError


def in_stub(module: types.ModuleType, name: str) -> bool:
    """Whether the types that lie beside the module name it: then it gets it while the program runs."""
    source = getattr(module, "__file__", None)
    stub = pathlib.Path(source).with_suffix(".pyi") if source else None
    if stub is None or not stub.is_file():
        return False
    return re.search(rf"\b{re.escape(name)}\b", stub.read_text("utf-8", "replace")) is not None


def annotated(cls: type) -> set[str]:
    return {name for each in cls.__mro__ for name in vars(each).get("__annotations__", ())}


def of_instance(cls: type, part: str, is_called: bool) -> object:
    static = inspect.getattr_static(cls, part, None)
    if static is not None:
        if isinstance(static, (staticmethod, classmethod)):
            return getattr(cls, part)
        if inspect.isfunction(static):
            return Method(static, cls)
        raise UnknownError
    if hasattr(cls, part):
        raise UnknownError
    for each in cls.__mro__[:-1]:
        gives_data = is_called and each.__module__ in GIVES_DATA
        if not gives_data and any(name in vars(each) for name in CLASS_WITH_OWN_WAYS):
            raise UnknownError
        if not gives_data and part in assigned(each):
            raise UnknownError
    if part in annotated(cls):
        raise UnknownError
    raise MissingError("name", part, cls.__name__, near(part, cls))


def assigned(cls: type) -> set[str]:
    """Names that a class's methods give to objects. Raises `UnknownError` where they can't be read."""
    if not cls.__flags__ & (1 << 9):  # no heap type: made in C
        if cls.__dictoffset__ and not issubclass(cls, BaseException):
            raise UnknownError
        return set()
    functions = [
        inspect.unwrap(getattr(each, "fget", None) or getattr(each, "__func__", each)) for each in vars(cls).values()
    ]
    todo = [each.__code__ for each in functions if inspect.isfunction(each)]
    names = set()
    while todo:
        code = todo.pop()
        if {"setattr", "vars", "__dict__"} & set(code.co_names):
            raise UnknownError
        names |= {each.argval for each in dis.get_instructions(code) if each.opname == "STORE_ATTR"}
        todo += [each for each in code.co_consts if inspect.iscode(each)]
    return names


def called(thing: object) -> object:
    """What a call gives: an object of the class, or of the class that the function is annotated to return."""
    if inspect.isclass(thing):
        plain = type(thing).__call__ is type.__call__ and all(
            "__new__" not in vars(each)
            or not inspect.isfunction(inspect.unwrap(each.__new__))
            or "pathlib" in each.__module__
            for each in thing.__mro__[:-1]
        )
        if not plain or thing.__module__ == "builtins":
            raise UnknownError
        return Instance(thing)
    function = thing.function if isinstance(thing, Method) else thing
    if (
        not inspect.isroutine(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
    ):
        raise UnknownError
    given = typing.get_type_hints(inspect.unwrap(function)).get("return")
    if inspect.isclass(given) and given.__module__ not in {"builtins", "typing"} and not inspect.isabstract(given):
        if getattr(given, "_is_protocol", False) or hasattr(function, "__wrapped__"):
            raise UnknownError
        return Instance(given)
    raise UnknownError


def entered(thing: object) -> object:
    """What `with` binds: the object itself, where its source says so."""
    if not isinstance(thing, Instance):
        raise UnknownError
    enter = inspect.getattr_static(thing.cls, "__enter__", None)
    if not inspect.isfunction(enter):
        raise UnknownError
    tree = ast.parse(textwrap.dedent(inspect.getsource(enter)))
    given = [ast.unparse(node.value) for node in ast.walk(tree) if isinstance(node, ast.Return) and node.value]
    if given and set(given) == {"self"}:
        return thing
    raise UnknownError


def describe(thing: object, said: str) -> Fact:
    if isinstance(thing, Instance):
        raise UnknownError
    fact: Fact = {"kind": "value", "takes": None, "deprecated": said, "qualified": identity(thing)}
    if inspect.ismodule(thing):
        fact["kind"] = "module"
    elif inspect.isclass(thing):
        fact.update(kind="class", takes=class_takes(thing))
        fact["deprecated"] = said or deprecation(thing)
    elif isinstance(thing, Method) or inspect.isroutine(thing):
        fact.update(kind="function", takes=takes(thing))
        fact["deprecated"] = said or deprecation(thing.function if isinstance(thing, Method) else thing)
    return fact


def identity(thing: object) -> str:
    if isinstance(thing, Method):
        thing = thing.function
    name = getattr(thing, "__qualname__", None)
    module = getattr(thing, "__module__", None)
    return f"{module}:{name}" if isinstance(name, str) and isinstance(module, str) else ""


def class_takes(cls: type) -> Takes | None:
    if type(cls).__call__ is not type.__call__ or hasattr(cls, "__pydantic_fields__") or hasattr(cls, "model_fields"):
        return None
    if inspect.isfunction(cls.__new__) and cls.__new__ is not typing.Generic.__new__:
        return None
    init = inspect.getattr_static(cls, "__init__")
    return takes(Method(init, cls)) if inspect.isfunction(init) else plain(parameters(cls))


def takes(thing: object, depth: int = 0) -> Takes | None:
    """Parameters without the one that an object fills; those that **kwargs are handed on to are among them."""
    function = thing.function if isinstance(thing, Method) else thing
    found = parameters(function)
    if found and isinstance(thing, Method):
        found = found[1:] if KINDS[found[0].kind] in "OP" else None
    listed = plain(found)
    if found is None or listed is None or not any(kind == "W" for _, kind in listed):
        return listed
    owner = thing.owner if isinstance(thing, Method) else None
    more = handed_on(function, owner, found[-1].name, depth) if depth < 6 else None
    return None if more is None else [each for each in listed if each[1] != "W"] + more


def parameters(function: typing.Any) -> list[inspect.Parameter] | None:
    """None where not even the outer and the inner signature of a wrapped function agree, or there is none."""
    try:
        found = list(inspect.signature(function).parameters.values())
        if hasattr(function, "__wrapped__"):
            outer = list(inspect.signature(function, follow_wrapped=False).parameters.values())
            kinds = {KINDS[each.kind] for each in outer}
            if kinds - {"V", "W"} and plain(outer) != plain(found):
                return None
    except (ValueError, TypeError):
        return None
    return found


def plain(found: list[inspect.Parameter] | None) -> Takes | None:
    return None if found is None else [[each.name, KINDS[each.kind]] for each in found]


def handed_on(wrapper: object, owner: type | None, name: str, depth: int) -> Takes | None:
    """What the calls that get **name take by keyword; None when it is used in any other way."""
    function = inspect.unwrap(typing.cast(types.FunctionType, wrapper))
    called = f"{function.__module__}.{function.__qualname__}"
    if called in FORWARDED_BY_HAND:
        module, cls, *also = FORWARDED_BY_HAND[called]
        accepted = class_takes(getattr(sys.modules[module], cls)) or []
        return [[each, "K"] for each, kind in accepted if kind in "PK"] + [[each, "K"] for each in also]
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(is_spread(each, name) for each in node.keywords)
    ]
    if not calls or len(uses) != len(calls):
        return None
    more: Takes = []
    for call in calls:
        target = callee(call.func, tree, function, owner)
        taken = class_takes(target) if inspect.isclass(target) else takes(target, depth + 1)
        if taken is None or any(kind == "W" for _, kind in taken):
            return None
        given = {each.arg for each in call.keywords}
        more += [[each, "K"] for each, kind in taken if kind in "PK" and each not in given]
    return more


def is_spread(given: ast.keyword, name: str) -> bool:
    return given.arg is None and isinstance(given.value, ast.Name) and given.value.id == name


def callee(node: ast.expr, tree: ast.AST, function: types.FunctionType, owner: type | None) -> object:
    """What is called, as far as the source says: a global, or a method of a local object or of self."""
    if isinstance(node, ast.Name):
        return callable_or_none(global_of(node.id, tree, function))
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    name = node.value.id
    module = global_of(name, tree, function)
    if inspect.ismodule(module):
        return callable_or_none(getattr(module, node.attr, None))
    cls = owner if name == "self" else local_class(name, tree, function)
    method = inspect.getattr_static(cls, node.attr, None) if cls else None
    return Method(method, cls) if cls and inspect.isfunction(method) else None


def global_of(name: str, tree: ast.AST, function: types.FunctionType) -> object:
    """None where the function has a parameter or a variable of that name."""
    for node in ast.walk(tree):
        is_variable = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)
        if is_variable or (isinstance(node, ast.arg) and node.arg == name):
            return None
    return function.__globals__.get(name)


def callable_or_none(found: object) -> object:
    return found if inspect.isclass(found) or inspect.isroutine(found) else None


def local_class(name: str, tree: ast.AST, function: types.FunctionType) -> type | None:
    """The class whose object a local variable is bound to, once: `name = m.Class()` or `with Class() as name`."""
    bound = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == name for each in node.targets):
            bound.append(node.value)
        elif isinstance(node, ast.withitem) and getattr(node.optional_vars, "id", "") == name:
            bound.append(node.context_expr)
    if len(bound) != 1 or not isinstance(bound[0], ast.Call):
        return None
    found = callee(bound[0].func, ast.Module([], []), function, None)
    return found if inspect.isclass(found) else None


def is_deprecation(category: type[Warning]) -> bool:
    return issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning))


DIRECTIVE = re.compile(r"^\.\. deprecated::[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)", re.MULTILINE)
ABOUT_A_PART = re.compile(
    r"param|argument|passing|keyword|``\w+=|\*\w+\*|option|attribute|support|if |when ", re.IGNORECASE
)


def deprecation(thing: object) -> str:
    """Why it should not be used any more, by PEP 702, by its documentation, or by what it always warns of."""
    marked = vars(thing).get("__deprecated__") if hasattr(thing, "__dict__") else None
    if isinstance(marked, str):
        return marked or "deprecated"
    documented = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    if isinstance(documented, str):
        found = DIRECTIVE.search(inspect.cleandoc(documented))
        if found and not ABOUT_A_PART.search(found[1]):
            return "deprecated since " + " ".join(found[1].split())[:200]
    return warned(thing)


def warned(thing: object) -> str:
    """What the function says with a warning that it gives whenever it is called."""
    if inspect.isclass(thing):
        thing = vars(thing).get("__init__")
    if not inspect.isfunction(thing):
        return ""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):
        return ""
    function = tree.body[0]
    for statement in getattr(function, "body", ()):
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "warn" and call.args:
            kinds = [ast.unparse(each) for each in call.args[1:] + [k.value for k in call.keywords]]
            if any("Deprecat" in kind or "RemovedIn" in kind for kind in kinds):
                texts = [
                    n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                return " ".join("".join(texts).split())[:200] or "deprecated"
    return ""


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what modules print while they are loaded is no answer
    warnings.simplefilter("ignore")
    facts = {question: answer(question) for question in sys.argv[1:]}
    with out:
        json.dump({"python": list(sys.version_info[:2]), "facts": facts}, out)
    os._exit(0)  # threads and exit handlers of foreign modules have nothing to say any more


if __name__ == "__main__":
    main()
