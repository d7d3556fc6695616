"""What every project brings along: documents, container files, pipeline, Makefile, scripts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from tests.templates.generated import write
from tests.templates.specs import todo
from tests.templates.tool_specs import fetcher, front_desk, orders, post_office, text_kit, todos

from omni.kernel.settings import load_settings
from omni.spec.model import Specification
from omni.templates.catalog import get
from omni.templates.render import Project, render
from omni.verify.tools import Tools, open_tools

SECTIONS = (
    "Overview",
    "Architecture",
    "Prerequisites",
    "Quick Start",
    "Configuration",
    "",
    "Development",
    "Deployment",
)
SERVICES = ("web-app", "rest-api", "react-app", "worker")
LIMITS = {
    "compose.yaml": ("512m", 0.5, "DEBUG", "1.0"),
    "compose.staging.yaml": ("1g", 1.0, "INFO", "1.0"),
    "compose.production.yaml": ("2g", 2.0, "WARNING", "0.1"),
}


def cases() -> dict[str, Specification]:
    tools = {f"{make.__name__}": make() for make in (todos, front_desk, text_kit, orders, fetcher, post_office)}
    served = {
        f"{name}-{auth}": todo(auth=auth) for name in ("web-app", "rest-api", "react-app") for auth in (True, False)
    }
    return tools | {
        case: spec.model_copy(update={"template": case.rpartition("-")[0]}) for case, spec in served.items()
    }


@pytest.fixture(scope="module", params=sorted(cases()))
def spec(request: pytest.FixtureRequest) -> Specification:
    return cases()[request.param]


@pytest.fixture(scope="module")
def project(spec: Specification) -> Project:
    return render(spec, get(spec.template))


def text(project: Project, path: str) -> str:
    return project.files[path].data.decode()


def test_the_readme(project: Project) -> None:
    readme = text(project, "README.md")
    found = re.findall(r"^## (.+)$", readme, re.MULTILINE)
    assert len(found) == 9
    assert all(wanted in ("", name) for wanted, name in zip(SECTIONS, found, strict=False))
    assert found[5] in ("API Reference", "Commands")
    assert found[8] == "Troubleshooting"
    assert 500 < len(readme.split()) < 3000
    assert "make run" in readme
    assert "make test" in readme


def test_documents_are_complete_and_their_links_lead_somewhere(spec: Specification, project: Project) -> None:
    made = {name for step in get(spec.template).prepare for name in step.makes}
    documents = [path for path in project.files if path.endswith(".md")]
    wanted = {"README.md", "CHANGELOG.md", "docs/architecture.md", "docs/runbook.md", "docs/slo.md", "docs/errors.md"}
    assert wanted < set(documents)
    assert sum(path.startswith("docs/adr/") for path in documents) >= 4
    for path in documents:
        content = text(project, path)
        assert not re.search(r"\b(TODO|TBD|FIXME|XXX)\b", content), path
        assert "{{" not in content.replace("${{", ""), path
        assert content.count("```") % 2 == 0, path
        assert "\n\n\n" not in content, path
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", content):
            assert os.path.normpath(Path(path).parent / target) in {*project.files, *made}, f"{path}: {target}"


def test_every_endpoint_has_a_curl_line(project: Project) -> None:
    """Paths of the API's own tests and of the README are the same ones."""
    if not any(path.startswith(f"src/{project.package}/api/") for path in project.files):
        pytest.skip("no API")
    readme = text(project, "README.md")
    for method in ("", "--request PATCH ", "--request DELETE "):
        assert re.search(rf"curl --fail[^\n]*{method}[^\n]*/api/v1/todos", readme)
    assert re.search(r"curl --fail[^\n]*--request POST [^\n]*/api/v1/todos/\$ID/complete", readme)


def test_diagrams_hold_together(project: Project) -> None:
    """A strict reading of the Mermaid that we write: known kinds, balanced, and every arrow between declared nodes."""
    blocks = re.findall(r"```mermaid\n(.*?)```", text(project, "docs/architecture.md"), re.DOTALL)
    kinds = [block.split(maxsplit=1)[0] for block in blocks]
    assert {"C4Context", "C4Container", "flowchart"} <= set(kinds)
    for block in blocks:
        assert all(block.count(opening) == block.count(closing) for opening, closing in ("()", "[]"))
        if block.startswith("C4"):
            declared = set(re.findall(r"^ +(?:Person|System|System_Ext|Container\w*)\((\w+),", block, re.MULTILINE))
            arrows = re.findall(r"^ +Rel\((\w+), (\w+),", block, re.MULTILINE)
        elif block.startswith("erDiagram"):
            declared = set(re.findall(r"^ {4}(\w+) \{$", block, re.MULTILINE))
            arrows = re.findall(r"^ {4}(\w+) [|}o]{2}--[|{o]{2} (\w+) :", block, re.MULTILINE)
        else:
            declared = set(re.findall(r"(\w+)(?:\[|\(\[)", block))
            arrows = re.findall(r"^ +(\w+).* --> (\w+)", block, re.MULTILINE)
        assert declared
        for arrow in arrows:
            assert set(arrow) <= declared | {"undo"}, block


def test_the_map_of_the_modules_shows_every_module(project: Project) -> None:
    document = text(project, "docs/architecture.md")
    package = f"src/{project.package}/"
    modules = {
        path.removeprefix(package).split("/")[0].removesuffix(".py")
        for path in project.files
        if path.startswith(package) and path.endswith(".py")
    }
    for module in modules - {"__init__", "__main__"}:
        assert f'    {module}["{module}"]\n' in document


@pytest.mark.parametrize("template", SERVICES)
@pytest.mark.parametrize("path", LIMITS)
def test_compose_files_follow_the_conventions(template: str, path: str) -> None:
    spec = post_office() if template == "worker" else todo().model_copy(update={"template": template})
    source = text(render(spec, get(template)), path)
    compose = yaml.safe_load(source)
    memory, cpus, level, ratio = LIMITS[path]
    app = compose["services"]["app"]
    assert (app["mem_limit"], app["cpus"]) == (memory, cpus)
    assert (app["environment"]["LOG_LEVEL"], app["environment"]["OTEL_TRACES_SAMPLER_ARG"]) == (level, ratio)
    behind_a_proxy = template != "worker" and path != "compose.yaml"
    assert ("172.16.0.0/12" in app["environment"].get("FORWARDED_ALLOW_IPS", "")) is behind_a_proxy
    production = path == "compose.production.yaml"
    assert ("postgres" in str(compose["services"])) is production
    for name, service in compose["services"].items():
        once = name == "migrate"
        assert re.search(r":(\d|\$\{VERSION:-\d)", service["image"])
        assert service["container_name"].startswith("omni-")
        assert service["restart"] == ("no" if once else "unless-stopped")
        assert service["logging"] == compose["x-logging"]
        assert {"omni.quantum.component", "omni.quantum.tier", "omni.quantum.critical", "prometheus.scrape"} <= set(
            service["labels"]
        )
        if not once:
            values = [service["healthcheck"][key] for key in ("interval", "timeout", "retries", "start_period")]
            assert values == ["15s", "10s", 5, "30s"]
    if path != "compose.yaml":
        assert compose["networks"] == {"omni-quantum-network": {"external": True}}
        assert "omni-quantum-network" in app["networks"]
    secrets = re.findall(r"\$\{(\w*(?:KEY|PASSWORD|SECRET))(:.)", source)
    assert all(operator == ":?" for _, operator in secrets if path != "compose.yaml" and production)
    assert secrets or not production


def test_images_are_pinned_and_nothing_runs_as_root(project: Project) -> None:
    dockerfile = text(project, "Dockerfile")
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in images)
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["10001"]
    assert "curl" not in dockerfile


def test_a_tool_for_the_terminal_has_nothing_of_a_server() -> None:
    files = render(todos(), get("cli-tool")).files
    assert not any(path.startswith(("compose", "scripts/deploy", "scripts/rollback", "docs/openapi")) for path in files)
    assert "migrate" not in files["Makefile"].data.decode()


FAKE_DOCKER = """#!/bin/sh
echo "$VERSION docker $*" >> "$LOG"
case "$VERSION" in bad) [ "$1" = compose ] && exit 1 ;; esac
exit 0
"""


@pytest.fixture
def deployable(tmp_path: Path) -> Path:
    """A worker's project, and a `docker` that writes down what it is asked to; version `bad` never becomes healthy."""
    write(render(orders(), get("worker")), tmp_path / "project")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").write_text(FAKE_DOCKER)
    (tmp_path / "bin" / "docker").chmod(0o755)
    return tmp_path / "project"


def script(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": f"{root.parent}/bin:/usr/bin:/bin", "LOG": str(root.parent / "log")}
    return subprocess.run(arguments, cwd=root, env=environ, capture_output=True, text=True)


def test_a_deployment_that_fails_goes_back_and_a_rollback_does_too(deployable: Path) -> None:
    log, state = deployable.parent / "log", deployable / ".deploy" / "production"
    assert script(deployable, "scripts/rollback.sh", "production").returncode == 1
    assert script(deployable, "scripts/deploy.sh", "production", "1.0.0").returncode == 0
    assert script(deployable, "scripts/deploy.sh", "production", "1.1.0").returncode == 0
    failed = script(deployable, "scripts/deploy.sh", "production", "bad")
    assert failed.returncode == 1
    assert "going back to 1.1.0" in failed.stderr
    assert log.read_text().splitlines()[-1].startswith("1.1.0 docker compose -f compose.production.yaml up")
    assert state.read_text().split() == ["1.0.0", "1.1.0"]
    assert script(deployable, "scripts/rollback.sh", "production").returncode == 0
    assert log.read_text().splitlines()[-1].startswith("1.0.0 docker compose")
    assert state.read_text().split() == ["1.0.0"]


@pytest.mark.parametrize(
    "arguments", [("scripts/deploy.sh",), ("scripts/deploy.sh", "mars", "1"), ("scripts/rollback.sh", "mars")]
)
def test_scripts_explain_themselves(deployable: Path, arguments: tuple[str, ...]) -> None:
    done = script(deployable, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: scripts/")


@pytest.fixture(scope="module")
def tools() -> Tools:
    settings = load_settings()
    return open_tools(settings.home, settings.offline, lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("hadolint", ("Dockerfile",)),
        ("yamllint", ("--strict", ".")),
        ("shellcheck", ("scripts/deploy.sh", "scripts/rollback.sh")),
        ("typos", (".",)),
    ],
)
@pytest.mark.parametrize("make", [todos, post_office])
def test_real_tools_find_nothing(
    tools: Tools, tool: str, arguments: tuple[str, ...], make: type[Specification], tmp_path: Path
) -> None:
    spec = make()
    if tool == "shellcheck" and spec.template == "cli-tool":
        pytest.skip("no scripts")
    write(render(spec, get(spec.template)), tmp_path)
    done = subprocess.run([str(tools.path(tool)), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.host
@pytest.mark.parametrize("make", [todos, orders])
def test_the_readme_alone_runs_and_tests_a_fresh_copy(make: type[Specification], tmp_path: Path) -> None:
    """`make run` and `make test`, with nothing but Python and make, outside of any sandbox."""
    spec = make()
    write(render(spec, get(spec.template)), tmp_path / "fresh")
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "COV"))
    }
    environ |= {"HOME": str(tmp_path), "PYTHON": shutil.which("python3") or "python3", "PORT": "0"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            arguments, cwd=tmp_path / "fresh", env=environ, capture_output=True, text=True, timeout=900
        )

    if spec.template == "cli-tool":
        assert "Added todo 1" in run("make", "run", "ARGS=add milk").stdout
        assert "milk" in run("make", "run", "ARGS=list").stdout
    else:
        assert run("make", ".venv/runtime").returncode == 0
        serve(tmp_path / "fresh", environ)
    tested = run("make", "test")
    assert tested.returncode == 0, tested.stdout[-3000:] + tested.stderr[-3000:]
    linted = run("make", "lint")
    assert linted.returncode == 0, linted.stdout + linted.stderr


def serve(root: Path, environ: dict[str, str]) -> None:
    """`make run` answers `/health`, and ends when it is told to."""
    process = subprocess.Popen(
        ["make", "run"], cwd=root, env=environ, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        port = next(json.loads(line)["port"] for line in process.stdout if '"listening"' in line)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
            assert json.load(answer)["status"] == "ok"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert '"stopped"' in rest


def test_a_missing_venv_module_is_explained(tmp_path: Path) -> None:
    write(render(todos(), get("cli-tool")), tmp_path / "fresh")
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexit 0\n')
    fake.chmod(0o755)
    done = subprocess.run(["make", "run", f"PYTHON={fake}"], cwd=tmp_path / "fresh", capture_output=True, text=True)
    assert done.returncode != 0
    assert "sudo apt-get install python3-venv" in done.stderr
