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


@pytest.mark.parametrize(
    ("text", "parameters", "raises", "returns"),
    [
        ("Args:\n    a: x\n\nNotes\n    b: y\n", {"a": 1}, {}, None),
        ("Arguments:\n    a: x\nKeyword Args:\n    b (int): z\n", {"a": 1, "b": 3}, {}, None),
        ("Other Parameters:\n    a: x\nb: y\n", {"a": 1}, {}, None),
        (".\nArgs:\n    a\n    b:x\n    c: x\n", {"c": 4}, {}, None),
        (".\nExamples:\n    a: x\n", {}, {}, None),
        (".\nReturns:\n    x\n", {}, {}, 2),
        (".\nReturn:\n    x\n", {}, {}, 2),
        (".\nReturns:\n\n", {}, {}, None),
        ("Returns:\n        int: x\n    ", {}, {}, 1),
        ("Returns:\n        None\n", {}, {}, None),
        ("Returns:\n        x\n\n    Raises:\n        B: y\n", {}, {"B": 4}, 1),
        ("Args:\n        a: x\n        b: y\n", {"a": 1, "b": 2}, {}, None),
        ("Returns: the sum.", {}, {}, 0),
        ("Return: None.", {}, {}, None),
        ("It Returns: nothing of note", {}, {}, None),
        *((f".\nReturns:\n    {nothing}\n", {}, {}, None) for nothing in ("None.", "nothing", "N/A", "-", "none: x")),
        *((f":return: {nothing}\n", {}, {}, None) for nothing in ("None", "", "This method never returns.")),
        (":return: this function's name\n", {}, {}, 0),
        (":returns: nonesuch\n", {}, {}, 0),
        (".\nRaises:\n    a.B: x\n    C\n    D : y\n", {}, {"B": 2, "D": 4}, None),
        ("Raises\n------\na.B\n    why\nC, D\n", {}, {"C": 4, "D": 4}, None),
        ("\n\n    :param a: x\n    :raise a.B: y\n", {"a": 2}, {"B": 3}, None),
        ("  Parameters\n  ----------\n  *a, **b : int\n      c\n  d\n", {"a": 2, "b": 2, "d": 4}, {}, None),
    ],
)
def test_what_is_promised_where(
    text: str, parameters: dict[str, int], raises: dict[str, int], returns: int | None
) -> None:
    assert read_docstring(text) == Promises(parameters, raises, returns)
