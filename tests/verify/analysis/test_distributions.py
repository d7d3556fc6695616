"""What is installed in an environment, as its metadata says."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni.verify.analysis.distributions import Distribution, closure, distributions
from omni.verify.analysis.packages import installed, providers


def install(environment: Path, name: str, metadata: str, record: str = "") -> None:
    folder = environment / "lib/python3.11/site-packages" / f"{name}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(metadata)
    if record:
        (folder / "RECORD").write_text(record)


def test_a_distribution(tmp_path: Path) -> None:
    install(
        tmp_path,
        "Some_Pkg-1.2",
        "Name: Some_Pkg\nVersion: 1.2\nLicense-Expression: MIT\nLicense: other\nRequires-Dist: A_b>=1\n"
        "Requires-Dist: c; extra == 'x'\nRequires-Dist: d; python_version > '3'\nRequires-Dist: ((\n\nName: no\n",
    )
    install(tmp_path, "bare-2", "\n")
    (tmp_path / "lib/python3.11/site-packages/odd-1.dist-info/METADATA").mkdir(parents=True)
    assert distributions(tmp_path) == {
        "some-pkg": Distribution("some-pkg", "1.2", ("MIT",), ("a-b", "d")),
        "bare": Distribution("bare", "", (), ()),
    }
    assert distributions(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("said", "licences"),
    [
        ("License: MIT\nClassifier: License :: OSI Approved :: BSD License", ("MIT",)),
        ("License: as it  pleases\nClassifier: License :: OSI Approved :: BSD License", ("BSD License",)),
        ("License: as it  pleases\n me", ("as it pleases me",)),
        (f"License: {'x' * 100}", ("x" * 80,)),
        ("Classifier: License :: OSI Approved\nClassifier: License :: A\nClassifier: License :: B", ("A", "B")),
        ("Classifier: Topic :: X", ()),
        ("Classifier: License :: OSI Approved", ()),
        ("Summary: x", ()),
    ],
)  # fmt: skip
def test_what_it_says_of_its_licence(tmp_path: Path, said: str, licences: tuple[str, ...]) -> None:
    install(tmp_path, "a-1", f"Name: a\n{said}\n")
    assert distributions(tmp_path)["a"].licences == licences


def test_what_is_needed_is_followed_to_its_end() -> None:
    needs = {"a": ("b", "c"), "b": ("d",), "d": ("a", "gone"), "x": ("c",)}
    known = {name: Distribution(name, "1", (), requires) for name, requires in needs.items()}
    assert closure(["a", "x", "absent"], known) == {
        "a": "a", "x": "x", "absent": "absent", "b": "a", "c": "a", "d": "a", "gone": "a",
    }  # fmt: skip


def test_the_modules_of_what_is_installed(tmp_path: Path) -> None:
    record = (
        "pkg/__init__.py,sha256=x,1\npkg/a.py,,\nsingle.py,,\nnative.cpython-311-x86_64-linux-gnu.so,,\n"
        "stable.abi3.so,,\nPkg_Name-1.dist-info/RECORD,,\n../../bin/tool,,\nns.part/x.py,,\n"
    )
    install(tmp_path, "Pkg_Name-1", "Name: x\n", record)
    install(tmp_path, "no_record-2", "Name: y\n")
    assert installed(tmp_path) == {
        "pkg-name": {"pkg", "single", "native", "stable", "ns"},
        "no-record": frozenset(),
    }
    assert installed(None) == {}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("requests", {"requests"}),
        ("yaml", {"yaml", "pyyaml"}),
        ("own.part", {"own", "own-part", "other-name"}),
    ],
)
def test_who_may_bring_a_module(module: str, names: set[str]) -> None:
    found = providers(module, {"other-name": frozenset({"own"}), "third": frozenset({"x"})})
    assert names <= found
    assert "third" not in found
