"""Any file of a repository, through every check of Omni'\''s own that looks at such files."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["omni"]):
    import shapes
    from omni.verify import registry
    from omni.verify.check import Failed

    CHECKS = [check for check in registry.checks() if check.run is not None and not check.tool and not check.network]

NAMES = (
    "README.md", "docs/openapi.json", "docs/openapi.yaml", "migrations/001.sql", "Dockerfile", "package.json", "a.sql",
    "pyproject.toml", "locales/en.json", "compose.yaml", ".github/workflows/ci.yml", ".env", "a.ts", "index.html",
    "requirements.txt", "src/a/models.py", "migrations/versions/a.py", "docs/adr/0001-a.md", "asyncapi.yaml",
    "k8s/deployment.yaml", "a.css", "a.proto", "alembic.ini", "a.tf",
)  # fmt: skip
WORDS = tuple({word for check in CHECKS for word in shapes.words_near(check.run)})


def target(data: bytes) -> None:
    path = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    text = shapes.json_text(data[1:], WORDS) if path.endswith("json") else shapes.worded(data[1:], WORDS)
    here = shapes.context(CHECKS[0], path, text)
    for check in CHECKS:
        if here.inventory.matching(check.languages, check.globs):
            try:
                shapes.said(check.run(shapes.with_check(here, check)))
            except (Failed, shapes.RanError):
                continue


if __name__ == "__main__":
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
