"""The strings of a generated project, in English and German."""
from __future__ import annotations
from omni.spec.model import Specification
from omni.templates.catalog import Template
def messages(spec: Specification, template: Template, locale: str) -> dict[str, str]:
    return {}
