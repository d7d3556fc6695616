"""Where a file of a project stands: in the product, beside it, or among its tests."""

from __future__ import annotations

import re

TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests)\.py$")
"""What pytest, or Django, looks for tests in."""
TESTS = re.compile(r"(^|/)([a-z]+[_-])?tests?/|(^|/)(test_[^/]+|conftest)\.py$")
"""Tests and what they use: what they are given comes from themselves."""
EXAMPLES = re.compile(r"(^|/)([a-z]+[_-])?(docs?|examples?)/")
"""Code that is read, not run."""
BESIDE_THE_PRODUCT = re.compile(
    r"(^|/)((\w+_)?tests?|testing|docs?|examples?|bench|benchmarks?|fuzz|scripts|tools)/"
    r"|(^|/)(conftest|noxfile|setup|tasks|test_[^/]+|[^/]+_test)\.py$"
    r"|\.(test|spec|config|stories)\.[cm]?[jt]sx?$"
)
"""Code that runs on a developer's machine, where development dependencies are installed."""


def within(path: str, folder: str) -> bool:
    """Whether the path is the folder, or lies in it; `.` is the target itself."""
    return folder == "." or path == folder or path.startswith(f"{folder}/")
