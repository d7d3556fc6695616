from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from omni.pipeline import verification
from omni.pipeline.stage import Work
from omni.templates.catalog import get, templates
from omni.verify.registry import checks


@pytest.mark.parametrize("trusted", [True, False])
def test_what_steps_of_the_template_do_with_its_packages_no_check_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """Whoever wrote the code: the steps run on what a model wrote too."""
    monkeypatch.setattr(verification, "project_environment", lambda _work: None)
    work = cast(Work, SimpleNamespace(template=lambda: get("react-app"), trusted=trusted))
    options = verification._options(work, 2)
    assert (options.trusted, options.elsewhere) == (
        trusted,
        {
            "typescript": "the step “Types of the front end” of the template does it, with its packages",
            "javascript-tests": "the step “Tests of the front end” of the template does it, with its packages",
        },
    )


def test_what_a_step_does_instead_is_a_check() -> None:
    named = {step.instead_of for template in templates() for step in (*template.prepare, *template.checks)} - {""}
    assert named
    assert named <= {check.id for check in checks()}
