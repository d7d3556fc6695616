"""The `omni` command: its subcommands by name, loaded only when called, and one place that shows errors."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from omni import __version__

COMMANDS = {
    "build": ("omni.cli.build:build", "Turn one plain-English request into a verified, packaged app."),
    "analyse": ("omni.cli.analyse:analyse", "Read a codebase and say what it is, before it is changed."),
    "blame": ("omni.cli.blame:blame", "Say of each line which model, prompt, run and role wrote it."),
    "upgrade": ("omni.cli.upgrade:upgrade", "Upgrade vulnerable dependencies, one at a time, with tests after each."),
    "verify": ("omni.cli.verify:verify", "Tell the truth about a repository."),
    "review": ("omni.cli.review:review", "Let your own models review a change."),
    "affected": ("omni.cli.affected:affected", "List the packages that a change affects."),
    "ci": ("omni.cli.ci:ci", "Verify in CI and before each commit."),
    "serve": ("omni.cli.serve:serve", "Run a service, such as the gate engine."),
    "runs": ("omni.cli.runs:runs", "List, show, follow, resume and cancel runs."),
    "approve": ("omni.cli.decide:approve", "Let a waiting run go on."),
    "revise": ("omni.cli.decide:revise", "Send a waiting run back with what should change."),
    "reject": ("omni.cli.decide:reject", "Stop a waiting run."),
    "package": ("omni.cli.package:package", "Check what was handed over."),
    "audit": ("omni.cli.audit:audit", "Verify and export the tamper-evident log."),
    "models": ("omni.cli.models:models", "List, add, probe and watch models; none is asked before you add it."),
    "budget": ("omni.cli.budget:budget", "Show what a run has used of its budget, and by whom; raise it."),
    "checks": ("omni.cli.listings:checks", "List the checks."),
    "rules": ("omni.cli.rules:rules", "List, show and try the rules; make new ones."),
    "tools": ("omni.cli.tools:tools", "List, install, update and lock the tools that checks use."),
    "vulnerabilities": ("omni.cli.vulnerabilities:vulnerabilities", "Look dependencies up without a network."),
    "profiles": ("omni.cli.profiles:profiles", "List the profiles, and which of them a project should choose."),
    "wireframe": ("omni.cli.wireframe:wireframe", "Read a picture of a screen; print it as a request."),
    "roles": ("omni.cli.roles:roles", "List and show the roles and specialists, with their prompts."),
    "engines": ("omni.cli.engines:engines", "List and install engines, Omni's own and others; show their results."),
    "templates": ("omni.cli.listings:templates", "List the project templates."),
    "errors": ("omni.cli.listings:errors", "List the errors, with what to do about each."),
    "config": ("omni.cli.config:config", "Show each setting and where it comes from."),
    "doctor": ("omni.cli.doctor:doctor", "Say what is here, what is missing, what to type."),
    "setup": ("omni.cli.setup:setup", "Fetch what Omni needs to work without a network."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that start-up stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="omni", message="%(prog)s %(version)s")
@click.pass_context
def omni(context: click.Context) -> None:
    """One plain-English sentence in; a specified, verified, packaged app out, with the evidence.

    \b
    omni build "a todo app with user auth" --out out
    omni verify .

    Exit codes: 0 pass, 1 failed, 2 usage, 3 incomplete, 4 not allowed.
    """
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        context.color = False


def main() -> NoReturn:
    """Run the command line; ends the process."""
    arguments = sys.argv[1:]
    try:
        code = omni.main(args=arguments, prog_name="omni", standalone_mode=False, obj=tuple(arguments))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print("omni: stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        # Imported here: errors are rare, and start-up is not to pay for them.
        from omni.cli.errors import show

        sys.exit(show(error, as_json="--json" in arguments))
    sys.exit(code if isinstance(code, int) else 0)
