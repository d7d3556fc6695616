"""The software bill of materials: what the app is made of, as CycloneDX 1.6 JSON.

Written from the lock files that the app is installed from, so it says what will be installed, not what happened to be.
Format: CycloneDX 1.6 (ECMA-424); package URLs: purl-spec, types pypi and npm. No time is written, and the serial number
comes from the content: the same locks give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from omni import __version__
from omni.kernel import canonical
from omni.kernel.canonical import JsonValue
from omni.kernel.errors import Exit, OmniError, declare

BAD_LOCK = declare("D010", "A lock file can't be trusted", Exit.FAILED, "Make the lock again, with hashes.")

Component = dict[str, JsonValue]

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)")
_CLASSIFIER = re.compile(r"^License :: OSI Approved :: (.+)$")
_LICENSE_NAME_MAX = 80
"""A longer `License` field is the text of a licence, not its name."""


def build(
    project: Path, lock: Path, spec_name: str, version: str, environment: Path | None = None
) -> dict[str, JsonValue]:
    """The bill of an app from its `requirements.lock`, and every `package-lock.json` beneath `project`.

    `environment`, a virtual environment made from the lock, adds licences and who depends on whom.
    Raises OmniError for a lock that is not pinned with hashes or can't be read.
    """
    root = f"pkg:generic/{quote(spec_name)}@{quote(version)}"
    pinned = _read_lock(lock)
    metadata = _installed(environment) if environment else {}
    components = [_python_component(name, at, metadata.get(name)) for name, at in pinned.items()]
    for path in sorted(project.rglob("package-lock.json")):
        if "node_modules" not in path.relative_to(project).parts:
            components += _node_components(path)
    components = sorted({str(one["bom-ref"]): one for one in components}.values(), key=lambda one: str(one["bom-ref"]))
    references = [str(one["bom-ref"]) for one in components]
    bom: dict[str, JsonValue] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": root, "name": spec_name, "version": version},
            "tools": {"components": [{"type": "application", "name": "omni", "version": __version__}]},
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": references}, *_dependencies(pinned, metadata)],
    }
    serial = uuid.UUID(bytes=hashlib.sha256(canonical.dumps(bom)).digest()[:16], version=5)
    return bom | {"serialNumber": f"urn:uuid:{serial}"}


class _Pin:
    """One requirement of a lock with its hashes."""

    def __init__(self, requirement: Requirement, version: str, hashes: list[str]) -> None:
        self.requirement, self.version, self.hashes = requirement, version, hashes
        self.reference = f"pkg:pypi/{canonicalize_name(requirement.name)}@{quote(version)}"


def _read_lock(lock: Path) -> dict[str, _Pin]:
    pins = {}
    text = re.sub(r"\\\n", " ", lock.read_text("utf-8"))
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not content or content.startswith("-"):  # an option, such as where the index is
            continue
        hashes = _HASH.findall(content)
        try:
            requirement = Requirement(content.partition("--hash=")[0].strip())
        except InvalidRequirement as error:
            raise OmniError(BAD_LOCK, f"entry {number} is no requirement", where=str(lock)) from error
        exact = re.fullmatch(r"==([^*]+)", str(requirement.specifier))
        if exact is None or not hashes:
            raise OmniError(BAD_LOCK, f"{requirement.name} is not pinned with a hash", where=str(lock))
        pins[canonicalize_name(requirement.name)] = _Pin(requirement, exact[1], sorted(hashes))
    return dict(sorted(pins.items()))


class _Installed:
    """What a distribution in an environment says of itself."""

    def __init__(self, metadata: Path) -> None:
        headers = HeaderParser().parsestr(metadata.read_text("utf-8", "replace"))
        self.name = canonicalize_name(headers.get("Name", ""))
        self.version = headers.get("Version", "")
        self.summary = headers.get("Summary", "")
        self.requires = headers.get_all("Requires-Dist", [])
        self.expression = headers.get("License-Expression", "")
        classified = (_CLASSIFIER.match(line) for line in headers.get_all("Classifier", []))
        self.licenses = [match[1] for match in classified if match]
        stated = headers.get("License", "").strip()
        if not self.licenses and stated and len(stated) <= _LICENSE_NAME_MAX and "\n" not in stated:
            self.licenses = [stated]


def _installed(environment: Path) -> dict[str, _Installed]:
    places = environment.glob("lib/python*/site-packages/*.dist-info/METADATA")
    return {one.name: one for one in map(_Installed, sorted(places))}


def _python_component(name: str, pin: _Pin, installed: _Installed | None) -> Component:
    component: Component = {
        "type": "library",
        "bom-ref": pin.reference,
        "name": name,
        "version": pin.version,
        "purl": pin.reference,
        "hashes": [{"alg": "SHA-256", "content": content} for content in pin.hashes],
    }
    if installed is None or installed.version != pin.version:
        return component
    told: Component = {"description": installed.summary} if installed.summary else {}
    if installed.expression:
        told["licenses"] = [{"expression": installed.expression}]
    elif installed.licenses:
        told["licenses"] = [{"license": {"name": name}} for name in installed.licenses]
    return component | told


def _dependencies(pinned: dict[str, _Pin], metadata: dict[str, _Installed]) -> Iterable[Component]:
    """Who needs whom, for the packages whose metadata is at hand."""
    for name, pin in pinned.items():
        installed = metadata.get(name)
        if installed is None or installed.version != pin.version:
            continue
        extras = {"", *pin.requirement.extras}
        needed = {
            canonicalize_name(requirement.name)
            for requirement in map(Requirement, installed.requires)
            if any(_applies(requirement, extra) for extra in extras)
        }
        yield {"ref": pin.reference, "dependsOn": [pinned[other].reference for other in sorted(needed & pinned.keys())]}


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _node_components(path: Path) -> Iterable[Component]:
    """The packages of an npm lock (lockfileVersion 2 or 3)."""
    try:
        packages = json.loads(path.read_bytes())["packages"]
    except (ValueError, KeyError, TypeError) as error:
        raise OmniError(BAD_LOCK, "it has no `packages`", where=str(path)) from error
    for place, package in sorted(packages.items()):
        _, inside, name = place.rpartition("node_modules/")
        if not inside or package.get("link"):
            continue
        algorithm, _, encoded = package.get("integrity", "").partition("-")
        if not encoded or "version" not in package:
            raise OmniError(BAD_LOCK, f"{name} is not pinned with a hash", where=str(path))
        reference = f"pkg:npm/{quote(name, safe='/')}@{quote(package['version'])}"
        component: Component = {
            "type": "library",
            "bom-ref": reference,
            "name": name,
            "version": package["version"],
            "purl": reference,
            "scope": "excluded" if package.get("dev") else "optional" if package.get("optional") else "required",
            "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(encoded).hex()}],
        }
        if isinstance(package.get("license"), str):
            component |= {"licenses": [{"expression": package["license"]}]}
        yield component
