"""`omni build --repo` on public repositories: a real fault of each, with a scripted model in the place of a real one.

    .venv/bin/python benchmarks/repositories.py               # all; clones from where the repositories are
    .venv/bin/python benchmarks/repositories.py flask --mirrors FOLDER   # FOLDER/flask is a clone at hand

Each `repositories/NAME.yaml` names the commit before the upstream fix, the request in the words of the upstream issue,
and a script: what the model says, mistakes included. Everything else is real: the analysis, the sandbox, the suite of
the repository before and after, the test that has to fail first, verification, the branch. At the end the tests that
upstream wrote for its own fix, which no script has seen, are run on the branch.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from omni.kernel.settings import Settings, load_settings
from omni.models.enabling import Wish, add
from omni.models.script import Record, Script, serve
from omni.pipeline.change.suite import Tester
from omni.sandbox import choose
from omni.verify import repository
from omni.verify.config import ProjectConfig

HERE = Path(__file__).parent / "repositories"
OMNI = Path(sys.executable).with_name("omni")
UV = Path(sys.executable).with_name("uv")


class Upstream(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[str, ...]
    """Taken from the upstream fix, in place of what the branch has."""
    tests: tuple[str, ...]


class Case(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    repository: str
    commit: str
    """Before the fix."""
    fixed_by: str
    """The upstream fix, of which only the tests are used."""
    request: str
    environment: tuple[str, ...]
    upstream: Upstream
    script: Script


class Row(BaseModel):
    name: str
    exit_code: int
    seconds: float
    branch: str
    before: str
    after: str
    added: int
    removed: int
    sent_back: int
    """Attempts that were not accepted."""
    asked: int
    """Requests to the model."""
    upstream_before: str
    upstream_after: str
    untouched: bool
    """Work tree, index, branch and configuration of the repository are byte for byte what they were."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--mirrors", type=Path, help="Folder with clones at hand, by name.")
    parser.add_argument("--keep", type=Path, help="Work here, and leave everything for a look.")
    arguments = parser.parse_args()
    names = arguments.names or sorted(path.stem for path in HERE.glob("*.yaml"))
    with tempfile.TemporaryDirectory(prefix="omni-repositories-") as temporary:
        folder = (arguments.keep or Path(temporary)).absolute()
        rows = [measure(name, folder / name, arguments.mirrors) for name in names]
    print("\n".join(table(rows)))
    if not all(row.exit_code == 0 and row.upstream_after.endswith("passed") and row.untouched for row in rows):
        raise SystemExit(1)


def measure(name: str, folder: Path, mirrors: Path | None) -> Row:
    case = Case.model_validate(yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8")))
    source, environment = folder / "repository", folder / "environment"
    run("git", "clone", "-q", str(mirrors.absolute() / name) if mirrors else case.repository, str(source))
    run("git", "-C", str(source), "checkout", "-q", "-B", "work", case.commit)
    run(str(UV), "venv", "-q", "--python", "3.11", str(environment))
    run(str(UV), "pip", "install", "-q", "--python", str(environment / "bin" / "python"), *case.environment)
    settings = load_settings({"home": str(folder.parent / "home")})
    before, record, began = state(source), Record(), time.monotonic()
    with serve(case.script, record) as url:
        add(settings, Wish(name="scripted", base_url=url))
        code, result, events = build(case.request, source, environment, settings)
    seconds = time.monotonic() - began
    change = result.get("change") or {}
    branch = change.get("branch", "")

    def told(revision: str, into: str) -> str:
        return upstream(case, source, revision, environment, settings, folder / into)

    row = Row(
        name=name,
        exit_code=code,
        seconds=round(seconds, 1),
        branch=branch,
        before=change.get("before", ""),
        after=change.get("after", ""),
        added=change.get("added", 0),
        removed=change.get("removed", 0),
        sent_back=sum(each.get("kind") == "stage.ended" and not each.get("passed") for each in events),
        asked=record.chats,
        upstream_before=told(case.commit, "before"),
        upstream_after=told(branch or case.commit, "after"),
        untouched=state(source) == before,
    )
    print(row.model_dump_json(), file=sys.stderr)
    return row


def build(
    request: str, source: Path, environment: Path, settings: Settings
) -> tuple[int, dict[str, dict[str, str | int]], list[dict[str, object]]]:
    """Exit code, the result, and every event."""
    # One script stands for one model, so there is nobody else to judge; here upstream's own test does.
    alone = ("--waive", "independence")
    argv = (OMNI, "build", "--repo", source, "--environment", environment, *alone, "--json", request)
    done = subprocess.run(
        [str(word) for word in argv],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "OMNI_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in lines:
        if line.get("kind") in {"note", "stage.ended"}:
            came = line.get("doubt") or ("passed" if line.get("passed") else "sent back")
            ended = f"{line.get('title')}: {came} {line.get('reasons') or ''}"
            print(f"  {line.get('text') or ended}", file=sys.stderr)
    if done.stderr.strip():
        print(done.stderr[-2000:], file=sys.stderr)
    return done.returncode, next((line for line in lines if line["type"] == "result"), {}), lines


def upstream(case: Case, source: Path, revision: str, environment: Path, settings: Settings, into: Path) -> str:
    """What upstream's own tests say of a commit."""
    into.mkdir(parents=True)
    repository.export(source, repository.commit(source, revision), into)
    for path, data in repository.read(source, case.fixed_by, case.upstream.files).items():
        (into / path).write_bytes(data)
    return Tester(into, ProjectConfig(), environment, lambda: choose(settings)).run(case.upstream.tests).told


def state(source: Path) -> dict[str, str]:
    """Everything of a repository that a change must leave alone: its files, index, branch, configuration, hooks."""
    git = source / ".git"
    files = [path for path in source.rglob("*") if path.is_file() and not path.is_relative_to(git)]
    own = [git / "index", git / "HEAD", git / "config", *(git / "hooks").iterdir()]
    return {str(path): path.read_bytes().hex() for path in (*files, *own)} | {"work": repository.commit(source, "work")}


HEAD = (
    "repository",
    "exit",
    "seconds",
    "suite before",
    "suite after",
    "lines",
    "sent back",
    "asked",
    "upstream's test before",
    "and after",
    "rest untouched",
)


def table(rows: list[Row]) -> Iterator[str]:
    yield f"| {' | '.join(HEAD)} |"
    yield f"|{' --- |' * len(HEAD)}"
    for row in rows:
        size = f"+{row.added} -{row.removed}"
        counts = (str(row.sent_back), str(row.asked))
        shown = (row.upstream_before, row.upstream_after, "yes" if row.untouched else "NO")
        cells = (row.name, str(row.exit_code), f"{row.seconds:.0f}", row.before, row.after, size, *counts, *shown)
        yield f"| {' | '.join(cells)} |"


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


if __name__ == "__main__":
    main()
