from __future__ import annotations

import pytest
import yaml

from omni.verify.bounded_yaml import YAML_LOADER, bounded_yaml


@pytest.mark.parametrize("text", ["[" * 50_000, "- " * 50_000, "{a: " * 50_000])
def test_yaml_that_would_overflow_the_stack_is_refused(text: str) -> None:
    with pytest.raises((RecursionError, yaml.YAMLError)):
        yaml.load(bounded_yaml(text), Loader=YAML_LOADER)  # noqa: S506 - it is the safe one


def test_other_yaml_passes_as_it_is() -> None:
    assert bounded_yaml("a: [1, {b: 2}]\n---\nc: 3\n") == "a: [1, {b: 2}]\n---\nc: 3\n"
