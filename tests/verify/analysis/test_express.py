"""The endpoints of JavaScript programs, what runs for each, and what that does to models."""

from __future__ import annotations

import pytest
from tests.verify.analysis.conftest import ContextOf

from omni.verify.analysis.express import Scripts, enclosed, read_scripts, without_comments
from omni.verify.analysis.stored import Model


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("a // b\nc", "a     \nc"),
        ("a /* b\n c */ d", "a     \n      d"),
        ("'http://x' + a", "'http://x' + a"),
        ("a:// b", "a:// b"),
    ],
)
def test_comments_are_blanks(text: str, bare: str) -> None:
    assert without_comments(text) == bare


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a)", "a"),
        ("a(b)c)d", "a(b)c"),
        ("')' + \")\" + `)`)d", "')' + \")\" + `)`"),
        (r"'\')' + a)d", r"'\')' + a"),
        ("a(b)", "a(b)"),
        ("", ""),
    ],
)
def test_what_stands_in_brackets(text: str, inside: str) -> None:
    assert enclosed(f"({text}", 1) == inside


def test_other_brackets_may_be_meant() -> None:
    assert enclosed("f() { if (a) { b } } c", 5, "{}") == " if (a) { b } "
    assert len(enclosed("x" * 50_000, 5)) == 40_000


def endpoints(text: str, **others: str) -> list[tuple[str, int, str]]:
    scripts = Scripts({"a.js": text} | {f"{name}.js": other for name, other in others.items()})
    return [(each.shown, each.line, each.text) for each in scripts.endpoints()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app.get('/a', f)", [("GET /a", 1, " f")]),
        ("\n\nusersRouter.post(\n  `/a/:id`,\n  f)", [("POST /a/:id", 3, "\n  f")]),
        ("app.all('*', f)", [("ANY *", 1, " f")]),
        ("fastify.delete('/a', f); api.patch('/b', g)", [("DELETE /a", 1, " f"), ("PATCH /b", 1, " g")]),
        ("app.get('/a\", f)", []),
        ("app.get('name')", []),
        ("client.get('/a', f)", []),
        ("app.use(auth)\napp.get('/a', f)", [("GET /a", 2, "auth\n f")]),
        ("app.get('/a', f)\napp.use(auth)", [("GET /a", 1, " f")]),
        ("router.use(auth)\napp.get('/a', f)", [("GET /a", 2, " f")]),
        ("app.addHook('x', auth)\napp.get('/a', f)", [("GET /a", 2, "'x', auth\n f")]),
    ],
)
def test_routes_with_what_stands_before_them(text: str, found: list[tuple[str, int, str]]) -> None:
    assert endpoints(text) == found


def test_what_the_program_uses_everywhere_stands_before_routes_of_all_files() -> None:
    main = "const app = express()\napp.use(auth)\napp.use('/x', other)\nrouter.use(own)\n"
    assert endpoints("router.get('/a', f)", main=main) == [("GET /a", 1, "auth\n f")]
    assert endpoints("router.get('/a', f)", main=main.replace("express()", "make()")) == [("GET /a", 1, " f")]


NEST = """\
@UseGuards(Auth)
@Controller('/users/')
export class Users {
  @Get(':id')
  find() { return one() }
  @All()
  any() { return two({}) }
}
"""


def test_nest() -> None:
    (first, second) = endpoints(NEST)
    assert (first[:2], second[:2]) == (("GET /users/:id", 4), ("ANY /users", 6))
    assert "@UseGuards(Auth)" in first[2]
    assert "one()" in first[2]
    assert "two" not in first[2]
    assert "two({})" in second[2]
    assert [each[0] for each in endpoints("@Controller()\nclass A {\n  @Get() a() {}\n}")] == ["GET /"]
    assert endpoints("class A {\n  @Get() a() {}\n}") == []


FUNCTIONS = """\
async function first(a) { second(); if (x) { y } }
const second = async (a) => { third() }
let third: F = b => fourth(b); const after = 1
class C {
  private async fourth(a): void { fifth() }
  if (a) { wrong() }
}
var fifth = () => {
  sixth()
}
function sixth() { last_one() }
function first() { never() }
"""


def test_functions_are_found_by_name_with_their_code() -> None:
    scripts = Scripts({"a.ts": FUNCTIONS})
    assert scripts.functions == {
        "first": ("async function first(a) { second(); if (x) { y } ", "a.ts", 1),
        "second": ("const second = async (a) => { third() ", "a.ts", 2),
        "third": ("let third: F = b => fourth(b)", "a.ts", 3),
        "fourth": ("  private async fourth(a): void { fifth() ", "a.ts", 5),
        "fifth": ("var fifth = () => {\n  sixth()\n", "a.ts", 8),
        "sixth": ("function sixth() { last_one() ", "a.ts", 11),
    }


def test_four_calls_are_followed_one_into_another() -> None:
    scripts = Scripts({"a.ts": FUNCTIONS})
    reached = scripts.reached("first(first)")
    assert reached.count("first(first)") == 1
    assert [name for name, (text, _, _) in scripts.functions.items() if text in reached] == [
        "first",
        "second",
        "third",
        "fourth",
    ]


USER = Model("UserNote", "user_notes", "a.prisma", 1, "prisma")


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("prisma.userNote.createMany({})", ["create"]),
        ("this.prismaService.userNote.findMany()", ["read"]),
        ("UserNote.findOneAndUpdate(x)", ["update", "read"]),
        ("UserNote.destroy(x)", ["delete"]),
        ("userNotesRepository.save(x)", ["create", "update"]),
        ("getRepository(UserNote).softDelete(1)", ["delete"]),
        ("new UserNote()", ["create"]),
        ("INSERT INTO `user_notes` VALUES", ["create"]),
        ("Update user_notes set", ["update"]),
        ('delete from "user_notes"', ["delete", "read"]),
        ("select 1 from user_notes", ["read"]),
        ("select 1 from user_notes_old", []),
        ("prisma.user.create()", []),
        ("userNote.create()", []),
    ],
)
def test_what_code_does_to_a_model(code: str, kinds: list[str]) -> None:
    found = list(Scripts({}).changes([USER], code, "a.ts", 7))
    assert [each.kind for each in found] == kinds
    assert {(each.model, each.path, each.line) for each in found} <= {(USER, "a.ts", 7)}


def test_the_scripts_of_a_project(context_of: ContextOf) -> None:
    files = {"a.js": "app.get('/a', f) // x", "b.ts": "", "c.py": "app.get('/b', f)"}
    assert read_scripts(context_of(files)).texts == {"a.js": "app.get('/a', f)     ", "b.ts": ""}
