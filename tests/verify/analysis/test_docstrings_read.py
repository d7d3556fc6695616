from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.verify.analysis.docstrings import Promises, read_docstring

GOOGLE = """Reads it.

    Args:
        path (str): where it is
        *names: which
            more: of them
        **options: how

    Returns:
        dict: what was read

    Raises:
        ValueError: when not
        app.errors.Missing: when it is not there
    """
NUMPY = """
    Parameters
    ----------
    path, other : str
        Where: it is.

    Returns
    -------
    None
    """
SPHINX = """Reads it.

    :param str path: where
    :param names: which
    :raises ValueError, KeyError: when not
    :return: what was read
    """


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GOOGLE,
            Promises({"path": 3, "names": 4, "options": 6}, {"ValueError": 12, "Missing": 13}, 9),
        ),
        (NUMPY, Promises({"path": 3, "other": 3}, {}, None)),
        (SPHINX, Promises({"path": 2, "names": 3}, {"ValueError": 4, "KeyError": 4}, 5)),
        ("Returns the name: of it. Raises nothing.", Promises({}, {}, None)),
        ("Args:\n", Promises({}, {}, None)),
    ],
)
def test_styles(text: str, expected: Promises) -> None:
    assert read_docstring(text) == expected


@given(st.text(alphabet="Args:\n param-Returns*(x) "))
def test_any_text_is_read(text: str) -> None:
    lines = text.count("\n")
    promises = read_docstring(text)
    assert all(0 <= line <= lines for line in (*promises.parameters.values(), *promises.raises.values()))
