from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from inline_snapshot import Is, snapshot

from omni import __version__
from omni.delivery.sbom import build
from omni.kernel import canonical
from omni.kernel.errors import OmniError

_LOCK = """\
# made by hand
Some_Thing[fast]==1.2.3 ; python_version >= "3.8" \\
    --hash=sha256:{b} \\
    --hash=sha256:{a}
    # via nothing
helper==2.0+local.1 --hash=sha256:{a}
""".format(a="a" * 64, b="b" * 64)

_NODE = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "web"},
        "node_modules/@scope/part": {"version": "1.0.0", "integrity": "sha512-AAEC", "license": "MIT", "dev": True},
        "node_modules/part/node_modules/inner": {"version": "2.0.0", "integrity": "sha1-AAEC"},
        "node_modules/own": {"link": True},
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text(_LOCK)
    return tmp_path


def _install(environment: Path, name: str, *headers: str) -> None:
    folder = environment / f"lib/python3.11/site-packages/{name}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", *headers, "", "The text of the README."]))


def test_the_bill_of_an_app_with_python_and_node(project: Path, tmp_path: Path) -> None:
    (project / "web").mkdir()
    (project / "web/package-lock.json").write_text(json.dumps(_NODE))
    (project / "web/node_modules/x").mkdir(parents=True)
    (project / "web/node_modules/x/package-lock.json").write_text("not to be read")
    environment = tmp_path / "env"
    _install(
        environment,
        "some_thing",
        "Name: Some-Thing",
        "Version: 1.2.3",
        "Summary: It does.",
        "License-Expression: MIT",
        "Requires-Dist: helper>=1; extra == 'fast'",
        "Requires-Dist: never; extra == 'slow'",
    )
    _install(
        environment,
        "helper",
        "Name: helper",
        "Version: 2.0+local.1",
        "Classifier: License :: OSI Approved :: BSD License",
    )
    bom = build(project, project / "requirements.lock", "todo", "0.1.0", environment)
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", str(bom.pop("serialNumber"))
    )
    assert bom == snapshot(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "component": {
                    "type": "application",
                    "bom-ref": "pkg:generic/todo@0.1.0",
                    "name": "todo",
                    "version": "0.1.0",
                },
                "tools": {"components": [{"type": "application", "name": "omni", "version": Is(__version__)}]},
            },
            "components": [
                {
                    "type": "library",
                    "bom-ref": "pkg:npm/%40scope/part@1.0.0",
                    "name": "@scope/part",
                    "version": "1.0.0",
                    "purl": "pkg:npm/%40scope/part@1.0.0",
                    "scope": "excluded",
                    "hashes": [{"alg": "SHA-512", "content": "000102"}],
                    "licenses": [{"expression": "MIT"}],
                },
                {
                    "type": "library",
                    "bom-ref": "pkg:npm/inner@2.0.0",
                    "name": "inner",
                    "version": "2.0.0",
                    "purl": "pkg:npm/inner@2.0.0",
                    "scope": "required",
                    "hashes": [{"alg": "SHA-1", "content": "000102"}],
                },
                {
                    "type": "library",
                    "bom-ref": "pkg:pypi/helper@2.0%2Blocal.1",
                    "name": "helper",
                    "version": "2.0+local.1",
                    "purl": "pkg:pypi/helper@2.0%2Blocal.1",
                    "hashes": [
                        {
                            "alg": "SHA-256",
                            "content": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                        }
                    ],
                    "licenses": [{"license": {"name": "BSD License"}}],
                },
                {
                    "type": "library",
                    "bom-ref": "pkg:pypi/some-thing@1.2.3",
                    "name": "some-thing",
                    "version": "1.2.3",
                    "purl": "pkg:pypi/some-thing@1.2.3",
                    "hashes": [
                        {
                            "alg": "SHA-256",
                            "content": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                        },
                        {
                            "alg": "SHA-256",
                            "content": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                        },
                    ],
                    "description": "It does.",
                    "licenses": [{"expression": "MIT"}],
                },
            ],
            "dependencies": [
                {
                    "ref": "pkg:generic/todo@0.1.0",
                    "dependsOn": [
                        "pkg:npm/%40scope/part@1.0.0",
                        "pkg:npm/inner@2.0.0",
                        "pkg:pypi/helper@2.0%2Blocal.1",
                        "pkg:pypi/some-thing@1.2.3",
                    ],
                },
                {"ref": "pkg:pypi/helper@2.0%2Blocal.1", "dependsOn": []},
                {"ref": "pkg:pypi/some-thing@1.2.3", "dependsOn": ["pkg:pypi/helper@2.0%2Blocal.1"]},
            ],
        }
    )


def test_the_same_locks_give_the_same_bytes_and_others_another_serial_number(project: Path) -> None:
    lock = project / "requirements.lock"
    first = build(project, lock, "todo", "0.1.0")
    assert canonical.dumps(build(project, lock, "todo", "0.1.0")) == canonical.dumps(first)
    lock.write_text(_LOCK.replace("2.0", "2.1"))
    assert build(project, lock, "todo", "0.1.0")["serialNumber"] != first["serialNumber"]


def test_metadata_of_another_version_is_not_believed(project: Path, tmp_path: Path) -> None:
    _install(tmp_path / "env", "helper", "Name: helper", "Version: 1.0", "License-Expression: GPL-3.0-only")
    assert "GPL" not in json.dumps(build(project, project / "requirements.lock", "t", "1", tmp_path / "env"))


@pytest.mark.parametrize(
    ("lock", "why"),
    [
        ("helper==1.0\n", "helper is not pinned with a hash"),
        (f"helper>=1.0 --hash=sha256:{'a' * 64}\n", "helper is not pinned"),
        (f"helper==1.* --hash=sha256:{'a' * 64}\n", "helper is not pinned"),
        ("helper==1.0 --hash=sha256:abc\n", "entry 1 is no requirement|not pinned"),
        (f"git+https://x/y --hash=sha256:{'a' * 64}\n", "entry 1 is no requirement"),
    ],
)
def test_a_lock_that_is_none_is_refused(project: Path, lock: str, why: str) -> None:
    (project / "requirements.lock").write_text(lock)
    with pytest.raises(OmniError, match=why):
        build(project, project / "requirements.lock", "todo", "0.1.0")


@pytest.mark.parametrize("lock", ["", "{}", "[]", '{"packages": {"node_modules/a": {"version": "1"}}}'])
def test_a_node_lock_that_is_none_is_refused(project: Path, lock: str) -> None:
    (project / "package-lock.json").write_text(lock)
    with pytest.raises(OmniError, match="A lock file can't be trusted"):
        build(project, project / "requirements.lock", "todo", "0.1.0")
