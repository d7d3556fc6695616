from __future__ import annotations

from collections.abc import Callable

from inline_snapshot import snapshot

from omni.verify.report import CheckResult, Status

Told = Callable[..., str]
Found = Callable[..., list[str]]
Look = Callable[..., CheckResult]

CODE = {
    "src/app/__init__.py": "",
    "src/app/web.py": "from app import services\n",
    "src/app/services.py": "from app.models import User\n",
    "src/app/models.py": "class User: ...\n",
    "src/app/util.py": "",
}
LAYERS = '[architecture]\nlayers = ["app.web", "app.services", "app.models"]\n'
CONTRACTS = """
[tool.importlinter]
root_package = "app"
[[tool.importlinter.contracts]]
name = "layers"
type = "layers"
containers = ["app"]
layers = ["web", "services | util", "(later)", "models"]
[[tool.importlinter.contracts]]
name = "no models in web"
type = "forbidden"
source_modules = ["app.web"]
forbidden_modules = ["app.models"]
"""


def test_kept(look: Look) -> None:
    assert look("architecture", {**CODE, "omni.toml": LAYERS}).status is Status.PASS


def test_upward(look: Look) -> None:
    files = {**CODE, "omni.toml": LAYERS, "src/app/models.py": "import os\nfrom app.web import page\n"}
    (finding,) = look("architecture", files).findings
    assert (finding.rule, finding.path, finding.line) == ("layer-violation", "src/app/models.py", 2)
    assert finding.message == "“layers of omni.toml” forbids app.models → app.web"


def test_upward_through_a_module_of_no_layer(look: Look) -> None:
    files = {
        **CODE,
        "omni.toml": LAYERS,
        "src/app/models.py": "from . import util\n",
        "src/app/util.py": "import app.web\n",
    }
    (finding,) = look("architecture", files).findings
    assert finding.message.endswith("forbids app.models → app.util → app.web")


def test_for_type_checkers_only(found: Found) -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.web import page\n"
    assert found("architecture", {**CODE, "omni.toml": LAYERS, "src/app/models.py": source}) == []


def test_import_linter(found: Found) -> None:
    files = {
        **CODE,
        "pyproject.toml": CONTRACTS,
        "src/app/services.py": "import app.util\n",
        "src/app/web.py": "import app.models\n",
    }
    assert found("architecture", files) == [
        "error layer-violation src/app/services.py:1",
        "error layer-violation src/app/web.py:1",
    ]


def test_a_rule_about_nothing(found: Found) -> None:
    files = {**CODE, "omni.toml": '[architecture]\nlayers = ["app.web", "app.servces"]\n'}
    assert found("architecture", files) == ["error no-such-module omni.toml:1"]


def test_unknown_contract_is_not_passed_over(look: Look) -> None:
    contract = '[[tool.importlinter.contracts]]\nname = "x"\ntype = "acyclic_siblings"\n'
    result = look("architecture", {**CODE, "pyproject.toml": contract})
    assert (result.status, "acyclic_siblings" in result.reason) == (Status.INCOMPLETE, True)


def test_nothing_declared(look: Look) -> None:
    assert look("architecture", CODE).status is Status.SKIPPED


RULES = """
[[verify.architecture]]
name = "no controller imports a repository"
type = "forbidden"
source_modules = ["src/**/*.controller.ts"]
forbidden_modules = ["src/repositories"]

[[verify.architecture]]
name = "dependencies flow downward"
type = "layers"
layers = ["src/web", "src/services", "src/repositories"]

[[verify.architecture]]
name = "no circles"
type = "acyclic"
"""


def test_scripts_keep_to_rules_that_are_data(found: Found) -> None:
    files = {
        "omni.toml": RULES,
        "tsconfig.json": '{"compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"]}}} // paths\n',
        "src/web/cart.controller.ts": (
            "import { Cart } from '../services/cart';\nimport type { Row } from '@/repositories/carts';\n"
            "import { rows } from '@/repositories/carts';\n"
        ),
        "src/services/cart.ts": "import { rows } from '../repositories/carts.js';\nexport const Cart = rows;\n",
        "src/repositories/carts.ts": "export const rows = [];\n// import '../web/cart.controller'\n",
    }
    assert found("architecture", files) == ["error layer-violation src/web/cart.controller.ts:3"]
    files["src/repositories/carts.ts"] = "import { Cart } from '../services/cart';\nexport const rows = [Cart];\n"
    files["src/web/cart.controller.ts"] = "export const page = 1;\n"
    assert found("architecture", files) == [
        "error import-cycle src/repositories/carts.ts:1",
        "error layer-violation src/repositories/carts.ts:1",
    ]


def test_the_same_rules_hold_for_python(found: Found) -> None:
    rules = (
        "[[verify.architecture]]\nname = 'no circles'\ntype = 'acyclic'\nmodules = ['app']\n"
        "[[verify.architecture]]\nname = 'web stays out'\ntype = 'forbidden'\nsource_modules = ['src/app/web']\n"
        "forbidden_modules = ['app.tables']\n"
    )
    files = {
        "omni.toml": rules,
        "src/app/__init__.py": "",
        "src/app/web/__init__.py": "",
        "src/app/web/pages.py": "from app import services\n",
        "src/app/services.py": "import app.tables\n",
        "src/app/tables.py": "from app import services\n",
    }
    assert found("architecture", files) == [
        "error import-cycle src/app/services.py:1",
        "error layer-violation src/app/web/pages.py:1",
    ]


def test_a_glob_that_matches_nothing_is_an_error(found: Found) -> None:
    rule = (
        "[[verify.architecture]]\nname = 'x'\ntype = 'forbidden'\nsource_modules = ['{}']\nforbidden_modules = ['b']\n"
    )
    assert found("architecture", {"omni.toml": rule.format("src/a"), "src/a.py": ""}) == []
    gone = rule.format("gone/*")
    assert found("architecture", {"omni.toml": gone, "src/a.py": ""}) == ["error no-such-module omni.toml:1"]


INI = """\
[importlinter]
root_package = app

[importlinter:contract:1]
name = apart
type = independence
modules =
    app.a

    app.b
    app.c

[importlinter:contract:2]
type = layers
layers =
    app.top
    app.left | app.right : app.middle
    (app.optional)
    app.base

[importlinter:contract:3]
name = b alone
type = forbidden
source_modules = app.b
forbidden_modules =
    app.util
"""


def test_contracts_of_an_ini_file(told: Told) -> None:
    """What goes through another that is named is that one's own fault; each module is told its shortest way."""
    files = {
        ".importlinter": INI,
        "app/__init__.py": "",
        "app/a.py": "import app.util\nimport app.long\n",
        "app/b.py": "X = 1\nimport app.a\nfrom app import c\n",
        "app/c.py": "import app.a\n",
        "app/util.py": "import app.c\n",
        "app/long.py": "import app.longer\n",
        "app/longer.py": "import app.long\nimport app.b\n",
        "app/top.py": "import app.left\n",
        "app/left.py": "import app.right\nimport app.base\n",
        "app/right.py": "",
        "app/middle.py": "",
        "app/base.py": "import app.top\n",
    }
    assert told("architecture", files) == snapshot("""\
error layer-violation app/a.py:1: “apart” forbids app.a → app.util → app.c
    import app.util
error layer-violation app/a.py:2: “apart” forbids app.a → app.long → app.longer → app.b
    import app.long
error layer-violation app/b.py:2: “apart” forbids app.b → app.a
    import app.a
error layer-violation app/b.py:2: “b alone” forbids app.b → app.a → app.util
    import app.a
error layer-violation app/b.py:3: “apart” forbids app.b → app.c
    from app import c
error layer-violation app/base.py:1: “layers” forbids app.base → app.top
    import app.top
error layer-violation app/c.py:1: “apart” forbids app.c → app.a
    import app.a
error layer-violation app/left.py:1: “layers” forbids app.left → app.right
    import app.right
""")


def test_side_by_side(found: Found) -> None:
    """`a | b` are apart, `a : b` may use each other."""
    files = {"app/__init__.py": "", "app/a.py": "import app.b\n", "app/b.py": ""}
    for sign, expected in (("|", ["error layer-violation app/a.py:1"]), (":", [])):
        layers = f'[architecture]\nlayers = ["app.a {sign} app.b"]\n'
        assert found("architecture", {**files, "omni.toml": layers}) == expected


def test_circles(told: Told) -> None:
    """Each once, by its shortest way, among the modules that are named, from each of them."""
    modules = ["app.a", "app.b", "app.c", "app.d"]
    rule = f"[[verify.architecture]]\nname = 'no circles'\ntype = 'acyclic'\nmodules = {modules}\n"
    files = {
        "omni.toml": rule + "[[verify.architecture]]\nname = 'odd'\ntype = 'layers'\nlayers = ['app.gone', 'app.a']\n",
        "app/__init__.py": "",
        "app/a.py": "import app.a\nimport app.b\nimport app.e\n",
        "app/b.py": "import app.c\nimport app.d\n",
        "app/c.py": "import app.a\nimport app.b\n",
        "app/d.py": "import app.b\n",
        "app/e.py": "import app.a\n",
    }
    assert told("architecture", files) == snapshot("""\
error import-cycle app/a.py:2: “no circles” forbids the circle app.a → app.b → app.c → app.a
    import app.b
error import-cycle app/b.py:1: “no circles” forbids the circle app.b → app.c → app.b
    import app.c
error import-cycle app/d.py:1: “no circles” forbids the circle app.d → app.b → app.d
    import app.b
error no-such-module omni.toml:1: “odd” speaks of `app.gone`, which does not exist
    [[verify.architecture]]
""")
