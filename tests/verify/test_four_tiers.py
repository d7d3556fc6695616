"""A commit flows through the tiers: each planted fault is blocked, alone, with its place, why and what to do.

One row a fault. `files` are laid over the clean twin of its program, which passes the same checks.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from omni.kernel import clock
from omni.kernel.settings import Settings, load_settings
from omni.verify import engine, machine
from omni.verify.analysis.osv import take
from omni.verify.check import Tier
from omni.verify.checks.vulnerabilities import snapshot_path
from omni.verify.plan import Options
from omni.verify.report import Report, Severity, Status
from omni.verify.tools import open_tools

pytestmark = [pytest.mark.host, pytest.mark.slow]

SHOP = {
    "README.md": "# Shop\n\nA page with a form, and what it does. Start it with `python -m shop`.\n",
    "src/shop/__init__.py": '"""A shop that people write to."""\n',
    "src/shop/letters.py": (
        '"""What people write."""\n\nfrom __future__ import annotations\n\nimport logging\n\n'
        "log = logging.getLogger(__name__)\n\n\n"
        "def received(letter_id: int, email: str) -> str:\n"
        '    """The answer to a letter; `email` is where it goes."""\n'
        '    log.info("letter %s received", letter_id)\n'
        '    return f"Thank you, we answer to {email}."\n'
    ),
    "src/shop/templates/letter.html": (
        '<!doctype html>\n<html lang="en">\n<head><title>Write to us</title></head>\n<body>\n<main>\n'
        '<h1>Write to us</h1>\n<form method="post">\n<label for="email">E-mail</label>\n'
        '<input id="email" name="email" type="email" required>\n<button>Send</button>\n</form>\n'
        "</main>\n</body>\n</html>\n"
    ),
    "tests/test_letters.py": (
        "from __future__ import annotations\n\nfrom shop.letters import received\n\n\n"
        "def test_a_letter_is_answered() -> None:\n"
        '    assert received(7, "ada@example.org") == "Thank you, we answer to ada@example.org."\n'
    ),
    "pyproject.toml": (
        '[project]\nname = "shop"\nversion = "1.0.0"\nrequires-python = ">=3.11"\ndependencies = []\n\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        '[tool.pytest.ini_options]\npythonpath = ["src"]\n'
    ),
    ".gitignore": "reports/\n",
}
"""The clean program that the faults of tiers 1 and 2 are planted into."""


@dataclass(frozen=True)
class Fault:
    name: str
    check: str
    rule: str
    path: str
    line: int
    replace: tuple[str, str] = ("", "")
    """What is changed in `path`: (before, after)."""
    files: Mapping[str, str] = field(default_factory=dict)
    clean: Mapping[str, str] = field(default_factory=lambda: SHOP)
    tiers: tuple[Tier, ...] = (1, 2)
    remove: tuple[str, ...] = ()
    committed: bool = False
    """The clean twin is a commit, and the fault a change of it."""


LOCK = (
    '{"name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": {\n'
    '"": {"name": "shop", "version": "1.0.0", "license": "MIT", "dependencies": {"lodash": "4.17.21"}},\n'
    '"node_modules/lodash": {"version": "4.17.21", "license": "MIT"}}}\n'
)
WITH_LODASH = SHOP | {
    "package.json": (
        '{\n  "name": "shop",\n  "version": "1.0.0",\n  "license": "MIT",\n'
        '  "dependencies": {\n    "lodash": "4.17.21"\n  }\n}\n'
    ),
    "package-lock.json": LOCK,
}
"""The same with something that it depends on."""
API = """\
openapi: 3.1.0
info: {title: Shop, version: 1.0.0}
paths:
  /letters/{id}:
    get:
      summary: A letter
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200":
          description: The letter.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Letter"}
components:
  schemas:
    Letter:
      type: object
      required: [id]
      properties:
        id: {type: integer}
        answer: {type: string}
"""
MIGRATION = "CREATE TABLE letters (id bigint PRIMARY KEY, email text NOT NULL);\n"
WITH_MIGRATION = SHOP | {
    "migrations/0001_letters.up.sql": MIGRATION,
    "migrations/0001_letters.down.sql": "DROP TABLE letters;\n",
}
WORK = (
    '"""What letters cost."""\n\nfrom __future__ import annotations\n\n\n'
    "def postage(letters: int) -> int:\n"
    '    """In cents."""\n    total = 0\n    for letter in range(letters):\n'
    "        total += letter % 100\n    return total\n"
)
WITH_BENCHMARK = SHOP | {
    "src/shop/postage.py": WORK,
    "tests/test_postage.py": (
        "from __future__ import annotations\n\nfrom shop.postage import postage\n\n\n"
        "def test_postage() -> None:\n    assert postage(3) == 3\n"
    ),
    "benchmarks/postage.py": (
        '"""How much work postage is."""\n\nfrom __future__ import annotations\n\n'
        "from shop.postage import postage\n\npostage(4_000_000)\n"
    ),
    "omni.toml": (
        '[[verify.benchmarks]]\ncommand = ["python", "-S", "benchmarks/postage.py"]\nmeasure = "instructions"\n'
    ),
}

SEARCH = (
    '"""Search for letters."""\n\nfrom __future__ import annotations\n\nimport sqlite3\n\n\n'
    "def search(store: sqlite3.Connection, term: str) -> list[str]:\n"
    '    """Addresses that hold the term."""\n'
    """    rows = store.execute("SELECT email FROM letters WHERE email LIKE ?", (f"%{term}%",)).fetchall()\n"""
    "    return [str(row[0]) for row in rows]\n"
)
WITH_SEARCH = SHOP | {"src/shop/search.py": SEARCH}
KEY = "gh" + "p_" + "x7Kd93jfLsQ2mVb8Nc4Tz6Wp1Rg5Yh0AeUiO"

FAULTS = (
    Fault(
        "SQL injection",
        check="sql-injection",
        rule="value-in-sql",
        path="src/shop/search.py",
        line=10,
        replace=(
            """"SELECT email FROM letters WHERE email LIKE ?", (f"%{term}%",)""",
            """f"SELECT email FROM letters WHERE email LIKE '%{term}%'\"""",
        ),
        clean=WITH_SEARCH,
    ),
    Fault(
        "invented import",
        check="api-use",
        rule="invented-name",
        path="src/shop/rates.py",
        line=5,
        files={
            "src/shop/rates.py": (
                '"""Exchange rates."""\n\nfrom __future__ import annotations\n\n'
                "from statistics import running_mean\n\n\n"
                "def rate(values: list[float]) -> float:\n"
                '    """Their mean."""\n    return float(running_mean(values))\n'
            )
        },
    ),
    Fault(
        "leaked key",
        check="secrets",
        rule="github-pat",
        path="src/shop/keys.py",
        line=3,
        files={"src/shop/keys.py": f'"""Keys."""\n\nTOKEN = "{KEY}"\n'},
    ),
    Fault(
        "missing tests",
        check="tests",
        rule="missing-tests",
        path="src/shop/letters.py",
        line=1,
        remove=("tests/test_letters.py",),
    ),
    Fault(
        "licence breach",
        check="licences",
        rule="incompatible",
        path="package.json",
        line=6,
        files={
            "package-lock.json": LOCK.replace('"4.17.21", "license": "MIT"', '"4.17.21", "license": "GPL-3.0-only"')
        },
        clean=WITH_LODASH,
        tiers=(1, 2, 3),
    ),
    Fault(
        "breaking API change",
        check="breaking-changes",
        rule="response-field-removed",
        path="openapi.yaml",
        line=17,
        replace=("        answer: {type: string}\n", ""),
        clean=SHOP | {"openapi.yaml": API},
        committed=True,
    ),
    Fault(
        "locking migration",
        check="migrations",
        rule="locks-table",
        path="migrations/0002_email.up.sql",
        line=1,
        files={
            "migrations/0002_email.up.sql": "CREATE INDEX ix_letters_email ON letters (email);\n",
            "migrations/0002_email.down.sql": "DROP INDEX ix_letters_email;\n",
        },
        clean=WITH_MIGRATION,
        committed=True,
    ),
    Fault(
        "6 % slower function",
        check="benchmarks",
        rule="slower",
        path="src/shop/postage.py",
        line=9,
        replace=("range(letters)", "range(letters + letters * 6 // 100)"),
        clean=WITH_BENCHMARK,
        tiers=(1, 2, 3),
        committed=True,
    ),
    Fault(
        "inaccessible form",
        check="wcag",
        rule="label",
        path="src/shop/templates/letter.html",
        line=8,
        replace=('<label for="email">E-mail</label>\n<input id="email"', '<input placeholder="E-mail"'),
    ),
    Fault(
        "personal data in a log",
        check="personal-data-in-logs",
        rule="personal-data-in-log",
        path="src/shop/letters.py",
        line=12,
        replace=('log.info("letter %s received", letter_id)', 'log.info("letter %s from %s", letter_id, email)'),
    ),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all of them, so that what a fault does not touch is looked at once. It knows a vulnerability."""
    home = tmp_path_factory.mktemp("home")
    events = [{"introduced": "0"}, {"fixed": "4.17.21"}]
    affected = {"package": {"ecosystem": "npm", "name": "lodash"}, "ranges": [{"type": "SEMVER", "events": events}]}
    entry = {"id": "GHSA-1", "modified": clock.now().isoformat(), "summary": "Pollution.", "affected": [affected]}
    with zipfile.ZipFile(home / "all.zip", "w") as archive:
        archive.writestr("GHSA-1.json", json.dumps(entry))
    take([home / "all.zip"], snapshot_path(home))
    return home


@pytest.fixture
def settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    here = load_settings()
    tools = open_tools(here.home, here.offline, print)
    monkeypatch.setattr("omni.verify.tools.open_tools", lambda *_: tools)
    return Settings(home=home, database_url="sqlite://", offline=True)


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def commit(root: Path) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for argv in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "clean")):
        subprocess.run(["git", *who, *argv], cwd=root, check=True, capture_output=True)


def verified(folder: Path, fault: Fault, settings: Settings) -> Report:
    return engine.verify(folder, Options(tiers=fault.tiers, environment=Path(sys.prefix)), settings)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_fault(tmp_path: Path, settings: Settings, fault: Fault) -> None:
    if fault.check == "benchmarks" and machine.find("valgrind") is None:
        pytest.skip("valgrind is not on this machine")
    root = lay(tmp_path / "project", fault.clean)
    if fault.committed:
        commit(root)
    clean = verified(root, fault, settings)
    known = {Status.PASS, Status.SKIPPED}
    assert [(each.check, each.reason, each.findings) for each in clean.results if each.status not in known] == []
    assert clean.verdict == "pass"

    before, after = fault.replace
    if before:
        text = fault.clean[fault.path]
        assert before in text
        lay(root, {fault.path: text.replace(before, after)})
    lay(root, fault.files)
    for path in fault.remove:
        (root / path).unlink()
    report = verified(root, fault, settings)
    assert report.verdict == "fail"
    errors = [each for each in report.findings if each.severity is Severity.ERROR]
    assert [(each.check, each.rule, each.path, each.line) for each in errors] == [
        (fault.check, fault.rule, fault.path, fault.line)
    ]
    assert errors[0].why
    assert errors[0].fix
    assert KEY not in report.model_dump_json()
