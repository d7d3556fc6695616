"""What a library that is installed really has: small libraries, what is asked about them, and the whole answer."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from omni.verify.analysis import introspect
from omni.verify.analysis.introspect import Fact, answer

Install = Callable[[str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Write a module of an installed library, by its path."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(textwrap.dedent(text))

    yield write
    for name in set(sys.modules) - before:
        if name.startswith(("lib", "shop")):
            del sys.modules[name]


def answers(questions: Mapping[str, Fact]) -> dict[str, Fact]:
    return {question: answer(question) for question in questions}


def missing(name: str, of: str, *near: str, what: str = "name") -> Fact:
    return {"missing": what, "name": name, "of": of, "near": list(near)}


def there(kind: str, qualified: str = "", takes: str = "?", deprecated: str = "") -> Fact:
    return {"kind": kind, "takes": listed(takes), "deprecated": deprecated, "qualified": qualified}


def listed(takes: str) -> list[list[str]] | None:
    """Of `a P, b K`; `?` stands for: it is not known."""
    return None if takes == "?" else [each.split() for each in takes.split(", ") if each]


UNKNOWN: Fact = {}

PACKAGE = """
    import warnings

    price = total_price = 1
    _prise = 2
    late: int

    def __getattr__(name):
        if name == "old_price":
            warnings.warn("old_price is going away", DeprecationWarning)
        elif name == "future_price":
            warnings.warn("future_price will be another", FutureWarning)
        elif name == "pending_price":
            warnings.warn("pending_price goes some day", PendingDeprecationWarning)
        elif name == "odd_price":
            warnings.warn("odd_price looks odd", UserWarning)
        elif name == "new_price":
            warnings.warn("something else is old", DeprecationWarning)
        else:
            raise AttributeError(name)
        return price
"""


MODULES = {
    "shop": there("module"),
    "shop.till": there("module"),
    "shop:till": there("module"),
    "shop:till.Drawer": there("class", "shop.till:Drawer", ""),
    "shop:price": there("value"),
    "shopp": missing("shopp", "", what="module"),
    "shop.til": missing("shop.til", "shop", "till", what="module"),
    "shop.til.deep": missing("shop.til", "shop", "till", what="module"),
    "shop.till.deep": missing("shop.till.deep", "shop.till", what="module"),
    "shop:prices": missing("prices", "shop", "price"),
    "shop:PRICE": missing("PRICE", "shop", "price"),
    "shop:totalPrice": missing("totalPrice", "shop", "total_price"),
    "shop:t_i_l_l": missing("t_i_l_l", "shop", "till"),
    "shop:_price": missing("_price", "shop", "price"),
    "shop:nothing_like_it": missing("nothing_like_it", "shop"),
    "shop:till.Drawr": missing("Drawr", "shop.till", "Drawer"),
    "shop:late": UNKNOWN,
    "shop:in_stub": UNKNOWN,
    "shop:in_stu": missing("in_stu", "shop"),
    "shop.needs_more": UNKNOWN,
    "shop:needs_more": UNKNOWN,
    "shop.says_nothing": UNKNOWN,
    "shop.ends": UNKNOWN,
    "shop:price.real": there("value"),
    "shop:price.reel": UNKNOWN,
    "shop:old_price": there("value", deprecated="old_price is going away"),
    "shop:future_price": there("value", deprecated="future_price will be another"),
    "shop:pending_price": there("value", deprecated="pending_price goes some day"),
    "shop:odd_price": there("value"),
    "shop:new_price": there("value"),
    "shop:old_price.real": there("value"),
}


def test_modules_and_what_is_in_them(install: Install) -> None:
    install("shop/__init__.py", PACKAGE)
    install("shop/__init__.pyi", "def in_stub() -> None: ...\n")
    install("shop/till.py", "class Drawer: ...\n")
    install("shop/needs_more.py", "import nowhere_to_be_found\n")
    install("shop/says_nothing.py", "raise ModuleNotFoundError('no name')\n")
    install("shop/ends.py", "raise SystemExit(1)\n")
    answer("shop.till")  # what is near is told of what is loaded
    assert answers(MODULES) == MODULES


OBJECTS = """
    import abc, enum, functools, io, pickle, typing

    class Base:
        listed: int

        def hand(self):
            self.from_base = 1

    class Car(Base):
        wheels = 4
        owner = None
        colour: str

        def __init__(self):
            self.speed = 0

        def drive(self, far, *, fast=False):
            def inner():
                self.inside = 1

        @property
        def state(self):
            self.asked = 1

        @classmethod
        def make(cls) -> "Car":
            cls.made = 1

        @staticmethod
        def ring(times): ...

        def copy(self) -> "Car": ...

        def __enter__(self):
            return self

    class Open(Car):
        def __getattr__(self, name): ...

    class Below(Open): ...

    class Sets:
        def all(self, given):
            for name in given:
                setattr(self, name, 1)

    class Reads:
        def all(self): return vars(self)

    class Dict:
        def all(self): self.__dict__.update(a=1)

    class Problem(ValueError): ...

    class Loader(pickle.Unpickler): ...

    class Stream(io.StringIO): ...

    class Frame:
        __module__ = "pandas"
        def __getattr__(self, name): ...

    class Colour(enum.Enum):
        RED = 1

    class Odd(type):
        def __getattr__(cls, name): raise AttributeError(name)
        def __call__(cls): ...

    class Made(metaclass=Odd): ...

    class New:
        def __new__(cls): ...

    class Number(int): ...

    class Abstract(abc.ABC):
        @abc.abstractmethod
        def must(self): ...

    class Asked(typing.Protocol):
        def asked(self): ...

    class Gives:
        def __enter__(self):
            return 1

    class Both:
        def __enter__(self):
            if self.a:
                return self
            return None

    class Nothing:
        def __enter__(self): ...

    def car() -> Car: ...
    def later() -> "Car": ...
    def number() -> int: ...
    def unsaid(): ...
    def abstract() -> Abstract: ...
    def asked() -> Asked: ...
    async def waited() -> Car: ...
    def yielded() -> Car: yield
    @functools.wraps(car)
    def wrapped(*a): ...
    one_car = Car()
"""


OF_OBJECTS = {
    "lib:Car.wheels": there("value"),
    "lib:Car.listed": UNKNOWN,
    "lib:Car.colour": UNKNOWN,
    "lib:Car.driv": missing("driv", "Car", "drive"),
    "lib:Car.speed": missing("speed", "Car"),
    "lib:Made.whatever": UNKNOWN,
    "lib:Colour.RAD": missing("RAD", "Colour"),
    "lib:Colour.red": missing("red", "Colour", "RED"),
    "lib:one_car.driv": UNKNOWN,
    "lib:Car.()": UNKNOWN,
    "lib:Car.().drive": there("function", "lib:Car.drive", "far P, fast K"),
    "lib:Car.().drive!": there("function", "lib:Car.drive", "far P, fast K"),
    "lib:Car.drive": there("function", "lib:Car.drive", "self P, far P, fast K"),
    "lib:Car.().make": there("function", "lib:Car.make", ""),
    "lib:Car.().ring": there("function", "lib:Car.ring", "times P"),
    "lib:Car.().state": UNKNOWN,
    "lib:Car.().wheels": UNKNOWN,
    "lib:Car.().owner": UNKNOWN,
    "lib:Car.().colour": UNKNOWN,
    "lib:Car.().listed": UNKNOWN,
    "lib:Car.().speed": UNKNOWN,
    "lib:Car.().inside": UNKNOWN,
    "lib:Car.().asked": UNKNOWN,
    "lib:Car.().made": UNKNOWN,
    "lib:Car.().from_base": UNKNOWN,
    "lib:Car.().drives": missing("drives", "Car", "drive"),
    "lib:Car.().drives!": missing("drives", "Car", "drive"),
    "lib:Open.().driv": UNKNOWN,
    "lib:Below.().driv": UNKNOWN,
    "lib:Sets.().alll": UNKNOWN,
    "lib:Reads.().alll": UNKNOWN,
    "lib:Dict.().alll": UNKNOWN,
    "lib:Problem.().arg": UNKNOWN,
    "lib:Loader.().lod": missing("lod", "Loader", "load"),
    "lib:Stream.().x": UNKNOWN,
    "lib:Frame.().column": UNKNOWN,
    "lib:Frame.().column!": missing("column", "Frame"),
    "lib:Made.().x": UNKNOWN,
    "lib:New.().x": UNKNOWN,
    "lib:Number.().reel": UNKNOWN,
    "lib:car.().driv": missing("driv", "Car", "drive"),
    "lib:later.().driv": missing("driv", "Car", "drive"),
    "lib:Car.().copy.().driv": missing("driv", "Car", "drive"),
    "lib:Car.make.().driv": missing("driv", "Car", "drive"),
    "lib:number.().reel": UNKNOWN,
    "lib:unsaid.().x": UNKNOWN,
    "lib:abstract.().musst": UNKNOWN,
    "lib:asked.().x": UNKNOWN,
    "lib:waited.().x": UNKNOWN,
    "lib:yielded.().x": UNKNOWN,
    "lib:wrapped.().x": UNKNOWN,
    "lib:one_car.().x": UNKNOWN,
    "lib:Car.().enter().driv": missing("driv", "Car", "drive"),
    "lib:Car.enter().driv": UNKNOWN,
    "lib:Frame.().enter().x!": UNKNOWN,
    "lib:Gives.().enter().x": UNKNOWN,
    "lib:Both.().enter().x": UNKNOWN,
    "lib:Nothing.().enter().x": UNKNOWN,
    "lib:Problem.().enter().x": UNKNOWN,
}


def test_objects_that_the_program_will_make(install: Install) -> None:
    install("lib.py", OBJECTS)
    assert answers(OF_OBJECTS) == OF_OBJECTS


STANDARD_LIBRARY = {
    "datetime:date.().yeer": UNKNOWN,
    "pickle:Unpickler.().lod": missing("lod", "Unpickler", "load"),
    "collections:OrderedDict.().mov_to_end": UNKNOWN,
    "builtins:int.().reel": UNKNOWN,
    "pathlib:PurePath.().suffixx": missing("suffixx", "PurePath", "suffix", "suffixes"),
    "json:dumpz": missing("dumpz", "json", "dump", "dumps"),
}


def test_the_standard_library() -> None:
    assert answers(STANDARD_LIBRARY) == STANDARD_LIBRARY


TAKES = {
    "def f(): ...": "",
    "def f(a, /, b, *c, d, **e): ...": "?",
    "def f(a, /, b, *c, d): ...": "a O, b P, c V, d K",
    "def to(a, *, b): ...\ndef f(x, **kw): return to(1, **kw)": "x P, a K, b K",
    "def to(a, /, *b, c): ...\ndef f(**kw): return to(1, **kw)": "c K",
    "def to(a, *, b): ...\ndef f(**kw): return to(1, b=2, **kw)": "a K",
    "def to(a): ...\ndef so(b): ...\ndef f(**kw): return to(**kw) or so(**kw)": "a K, b K",
    "def last(a): ...\ndef to(**kw): last(**kw)\ndef f(**kw): to(**kw)": "a K",
    "def to(**kw): ...\ndef f(**kw): to(**kw)": "?",
    "def f(**kw): f(**kw)": "?",
    "def to(a): ...\ndef f(**kw): kw.pop('b'); to(**kw)": "?",
    "def to(a): ...\ndef f(**kw): to(kw)": "?",
    "def to(a): ...\ndef f(**kw): to(**dict(kw))": "?",
    "def to(a): ...\ndef f(other, **kw): to(**other)": "?",
    "def f(to, **kw): to(**kw)": "?",
    "def to(a): ...\ndef f(**kw):\n    to = print\n    to(**kw)": "?",
    "def to(a): ...\ndef f(to, **kw): to(**kw)": "?",
    "import textwrap\ndef f(textwrap, **kw): textwrap.indent(**kw)": "?",
    "to = 1\ndef f(**kw): to(**kw)": "?",
    "class C:\n    def __init__(self, a, *, b): ...\ndef f(**kw): C(**kw)": "a K, b K",
    "class C:\n    def m(self, a): ...\ndef f(**kw):\n    c = C()\n    c.m(**kw)": "a K",
    "class C:\n    def m(self, a): ...\ndef f(**kw):\n    with C() as c:\n        c.m(**kw)": "a K",
    "class C:\n    def m(self, a): ...\ndef f(**kw):\n    c = C()\n    c = C()\n    c.m(**kw)": "?",
    "class C:\n    def m(self, a): ...\ndef f(c, **kw):\n    c.m(**kw)": "?",
    "class C:\n    m = 1\ndef f(**kw):\n    c = C()\n    c.m(**kw)": "?",
    "def C(): ...\ndef f(**kw):\n    c = C()\n    c.m(**kw)": "?",
    "import bisect\ndef f(**kw): bisect.nothing(**kw)": "?",
    "import sys\ndef f(**kw): sys.version(**kw)": "?",
    "import textwrap\ndef f(**kw): textwrap.indent(**kw)": "text K, prefix K, predicate K",
    "def f(**kw): [len][0](**kw)": "?",
    "exec('def f(a): ...')": "a P",
    "exec('def f(**kw): print(**kw)')": "?",
    "import functools\ndef g(a, b): ...\n@functools.wraps(g)\ndef f(*a, **k): ...": "a P, b P",
    "import functools\ndef g(a, b): ...\n@functools.wraps(g)\ndef f(a, b): ...": "a P, b P",
    "import functools\ndef g(a, b): ...\n@functools.wraps(g)\ndef f(a): ...": "?",
    "import functools\ndef g(a, b): ...\n@functools.wraps(g)\ndef f(c, *a, **k): ...": "?",
    "f = dict.get": "self O, key O, default O",
    "f = dict.update": "?",
}


def test_what_functions_take_by_themselves_and_by_handing_on(install: Install) -> None:
    for number, text in enumerate(TAKES):
        install(f"lib{number}.py", text)
    facts = {text: answer(f"lib{number}:f").get("takes") for number, text in enumerate(TAKES)}
    assert facts == {text: listed(takes) for text, takes in TAKES.items()}


CLASSES = """
    import dataclasses, typing

    class Bare: ...
    class Own:
        def __init__(self, a, *, b=1): ...
    class Below(Own): ...
    @dataclasses.dataclass
    class Data:
        a: int
        b: int = 1
    class Only:
        def __init__(self, /, a): ...
    class Any:
        def __init__(*given): ...
    class New:
        def __new__(cls, a): ...
    class Kind(type):
        def __call__(cls, x): ...
    class Made(metaclass=Kind):
        def __init__(self, a): ...
    class Model:
        model_fields = {}
        def __init__(self, a): ...
    class Fielded:
        __pydantic_fields__ = {}
        def __init__(self, a): ...
    class Of(typing.Generic[typing.TypeVar("T")]):
        def __init__(self, a): ...
    class Self:
        kept = 1
        def open(self, a, *, b): ...
        def forwards(self, c, **kw): self.open(**kw)
        def elsewhere(this, **kw): other.open(**kw)
        def above(self, **kw): super().open(**kw)
        def data(self, **kw): self.kept(**kw)
"""

TAKEN_BY_CLASSES = {
    "Bare": "",
    "Own": "a P, b K",
    "Below": "a P, b K",
    "Data": "a P, b P",
    "Only": "a P",
    "Any": "?",
    "New": "?",
    "Made": "?",
    "Model": "?",
    "Fielded": "?",
    "Of": "a P",
    "Self.().open": "a P, b K",
    "Self.().forwards": "c P, a K, b K",
    "Self.forwards": "?",
    "Self.().elsewhere": "?",
    "Self.().above": "?",
    "Self.().data": "?",
}


def test_what_making_an_object_and_calling_its_methods_takes(install: Install) -> None:
    install("lib.py", CLASSES)
    facts = {path: answer(f"lib:{path}").get("takes") for path in TAKEN_BY_CLASSES}
    assert facts == {path: listed(takes) for path, takes in TAKEN_BY_CLASSES.items()}


@pytest.mark.parametrize(
    ("question", "accepted", "refused"),
    [
        ("json:loads", {"s", "cls", "object_hook", "parse_float", "strict"}, {"indent", "self"}),
        ("json:load", {"fp", "object_pairs_hook", "strict"}, {"indent"}),
        ("json:dumps", {"obj", "indent", "sort_keys", "default"}, {"object_hook", "self"}),
        ("json:dump", {"obj", "fp", "indent", "sort_keys"}, {"object_hook"}),
        ("subprocess:run", {"input", "check", "capture_output", "args", "cwd", "env", "text"}, {"shel"}),
        ("subprocess:call", {"timeout", "cwd", "env"}, {"input", "check"}),
        ("subprocess:check_call", {"cwd", "env"}, {"input", "check"}),
        ("subprocess:check_output", {"timeout", "input", "cwd", "env"}, {"check"}),
    ],
)
def test_keywords_that_the_standard_library_hands_on(question: str, accepted: set[str], refused: set[str]) -> None:
    takes = answer(question)["takes"]
    assert isinstance(takes, list)
    names = {name for name, kind in takes if kind in "PK"}
    assert (accepted - names, refused & names) == (set(), set())
    assert not [kind for _, kind in takes if kind == "W"]


DEPRECATED = """
    import warnings
    from warnings import warn

    def marked(): ...
    marked.__deprecated__ = "use other"
    def marked_only(): ...
    marked_only.__deprecated__ = ""
    def fine(): ...

    class Old:
        __deprecated__ = "use New"
    class Inherits(Old): ...

    def documented():
        '''Do it.

        .. deprecated:: 2.0
           Use other
           instead.

        More.
        '''
    def about_a_part():
        '''Do it.

        .. deprecated:: 2.0
           The argument a is not needed.
        '''
    def long():
        '''.. deprecated:: LONG'''
    class Documented:
        '''.. deprecated:: 3'''
    class Undocumented(Documented): ...

    def warns():
        '''Do it.'''
        x = 1
        warnings.warn("use " + "  other", DeprecationWarning)
    def warns_by_keyword():
        warn("gone soon", category=PendingDeprecationWarning, stacklevel=2)
    def warns_of_a_version():
        warn("gone in 6", RemovedIn60Warning)
    def warns_with_a_variable():
        warn(text, DeprecationWarning)
    def warns_long():
        warn("LONG", DeprecationWarning)
    def warns_of_else():
        warn("slow", UserWarning)
    def warns_of_nothing():
        warn()
        warn("slow")
    def warns_sometimes(a):
        if a:
            warn("a is old", DeprecationWarning)
    def calls():
        print("x", DeprecationWarning)
    class Warns:
        def __init__(self): warn("use New", DeprecationWarning)
        def method(self): warn("use another", DeprecationWarning)
    exec("def made(): ...")
    one = Warns.__new__(Warns)
""".replace("LONG", "so " * 100)

SAID = {
    "marked": "use other",
    "marked_only": "deprecated",
    "fine": "",
    "Old": "use New",
    "Inherits": "",
    "documented": "deprecated since 2.0 Use other instead.",
    "about_a_part": "",
    "long": "deprecated since " + ("so " * 100)[:200],
    "Documented": "deprecated since 3",
    "Undocumented": "",
    "warns": "use other",
    "warns_by_keyword": "gone soon",
    "warns_of_a_version": "gone in 6",
    "warns_with_a_variable": "deprecated",
    "warns_long": ("so " * 100)[:200],
    "warns_of_else": "",
    "warns_of_nothing": "",
    "warns_sometimes": "",
    "calls": "",
    "Warns": "use New",
    "Warns.().method": "use another",
    "made": "",
    "one": "",
}


def test_what_should_not_be_used_any_more(install: Install) -> None:
    install("lib.py", DEPRECATED)
    assert {path: answer(f"lib:{path}").get("deprecated") for path in SAID} == SAID


def test_only_facts_are_on_standard_output(
    install: Install, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever a library prints while it is loaded, and however it would warn."""

    def end(code: int) -> None:
        raise SystemExit(code)

    install(
        "lib.py", "import os, warnings\nos.write(1, b'loaded')\nwarnings.warn('old', DeprecationWarning)\nprice = 1\n"
    )
    monkeypatch.setattr(sys, "argv", ["introspect", "lib:price", "lib:prise"])
    monkeypatch.setattr(os, "_exit", end)
    kept = os.dup(1)
    try:
        with pytest.raises(SystemExit) as ended:
            introspect.main()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    facts = {"lib:price": there("value"), "lib:prise": missing("prise", "lib", "price")}
    assert json.loads(capfd.readouterr().out) == {"python": list(sys.version_info[:2]), "facts": facts}
    assert ended.value.code == 0
