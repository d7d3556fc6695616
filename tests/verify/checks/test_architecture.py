from __future__ import annotations

from collections.abc import Callable

from omni.verify.report import CheckResult, Status

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
