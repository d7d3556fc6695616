"""Untrusted data in dangerous places of JavaScript and TypeScript, followed through the whole program."""

from __future__ import annotations

from collections.abc import Iterator

from omni.verify.analysis.minified import minified
from omni.verify.analysis.script_modules import aliases_of
from omni.verify.check import Check, Context, Gap, Item, Scope, Unseen
from omni.verify.dataflow.finding import findings
from omni.verify.dataflow_javascript.analysis import Script, analyse, imports_in
from omni.verify.dataflow_javascript.model import load
from omni.verify.files import File
from omni.verify.report import Severity, Status


def run(context: Context) -> Iterator[Item]:
    left_out = {each.path: each for each in minified(context)}
    yield from left_out.values()
    files = {file.path: file for file in context.files if file.path not in left_out}
    scripts: dict[str, Script] = {}
    for file in files.values():
        try:
            scripts[file.path] = _script(context, file)
        except ValueError:
            yield Unseen(file.path, "not a text in UTF-8")
    if not scripts:
        yield Gap("there is no script here to follow data through", Status.SKIPPED)
        return
    analysis = analyse(
        scripts.values(),
        aliases_of(context),
        lambda path, name, compute: context.fact(f"dataflow-javascript {name}", files[path], compute),
    )
    for path, why in sorted(analysis.unseen.items()):
        yield Unseen(path, why, harmless=why.startswith("minified"))
    yield from findings("dataflow-javascript", analysis.hits, load().weaknesses)


def _script(context: Context, file: File) -> Script:
    said = context.fact("script-imports", file, lambda: list(imports_in(context.text(file))))
    imports = tuple(str(each) for each in said) if isinstance(said, list) else ()
    return Script(file.path, file.digest, imports, lambda: context.text(file))


CHECK = Check(
    id="dataflow-javascript",
    title="Untrusted data does not reach dangerous places in scripts",
    tier=2,
    scope=Scope.PROJECT,
    languages=("javascript", "typescript"),
    config=("**/tsconfig*.json", "**/jsconfig*.json", "tsconfig*.json", "jsconfig*.json"),
    severity=Severity.ERROR,
    run=run,
)
