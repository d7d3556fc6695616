.PHONY: test quick lint lock docs

# One command, from a bare machine to the verdict: sets up what it needs, then runs every check and test.
test:
	@./scripts/test

quick: ; .venv/bin/pytest -q -n 2 -m "not slow"

lint:
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

docs: ; .venv/bin/python docs/generate.py

lock:
	.venv/bin/uv pip compile -q --no-header --generate-hashes --python-version 3.11 pyproject.toml -o requirements/omni.lock
	.venv/bin/uv pip compile -q --no-header --generate-hashes --python-version 3.11 pyproject.toml --group dev -o requirements/dev.lock
	.venv/bin/uv pip compile -q --no-header --generate-hashes --python-version 3.11 src/omni/verify/toolsets/tools.in -o src/omni/verify/toolsets/tools.lock
