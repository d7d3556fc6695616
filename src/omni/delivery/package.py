"""The package: everything that is handed over, with a signed manifest that covers every byte of it.

app/                     the app, a git repository
spec.md spec.json report.html findings.sarif scorecard.json sbom.cdx.json provenance.intoto.jsonl
review.json              where models wrote: what others said of it, and what came of it
specialists.json         where specialists were asked: what each handed over or changed, and what came of it
manifest.json            every file and folder above with its hash, and the public key
manifest.sig             Ed25519 over manifest.json, Base64
<name>-<version>.tar.gz  all of the above; and its signature beside it, `.sig`
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from omni.delivery.checkout import copy_repository
from omni.kernel import canonical, signing
from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.files import exchange, file_digest, sync_folder, write_atomic
from omni.kernel.signing import Signer

NOT_OURS = declare(
    "D001",
    "The output folder is in use",
    Exit.USAGE,
    "Name an empty or a new folder with --out; Omni replaces only packages of its own.",
)

NO_ROOM = declare(
    "D003", "The output folder can't be made", Exit.USAGE, "Name a folder with --out that you may write beside."
)

NO_PACKAGE = declare(
    "D004", "There is no package", Exit.USAGE, "Name the folder that `omni build` was told with --out: it holds app/."
)

DOCUMENTS = (
    "spec.md",
    "spec.json",
    "report.html",
    "findings.sarif",
    "scorecard.json",
    "sbom.cdx.json",
    "provenance.intoto.jsonl",
)
WHERE_MODELS_WROTE = ("review.json", "specialists.json")
"""Documents beside these: what other models said of what a model wrote."""
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_EPOCH = 315_532_800  # 1980-01-01, the earliest time that every archive format can say


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageContents(Model):
    name: str
    version: str
    run_id: str
    verdict: Literal["pass", "fail", "incomplete"]
    app: Path
    """The app's git repository; it is copied."""
    documents: Mapping[str, bytes]
    """The files of `DOCUMENTS`, and those of `WHERE_MODELS_WROTE` where there are any."""


class Entry(Model):
    path: str
    kind: Literal["file", "folder", "link"]
    mode: str
    """Permission bits in octal; of a link always 777."""
    size: int = 0
    sha256: str = ""
    """Of the bytes; of a link, of its target; of a folder empty."""


class Manifest(Model):
    format: Literal["omni-package"] = "omni-package"
    schema_version: Literal["1"] = "1"
    name: str
    version: str
    run_id: str
    verdict: Literal["pass", "fail", "incomplete"]
    archive: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*\.tar\.gz$")]
    tree: str
    """SHA-256 over the canonical JSON of `entries`."""
    public_key: str
    entries: tuple[Entry, ...]
    """Everything but the manifest, its signature and the archive; sorted by path."""


class PackageVerdict(Model):
    ok: bool
    problems: tuple[str, ...]
    signed_by: str = ""
    """Hash of the public key that the signature fits; compare it with the one you were told."""
    run_id: str = ""
    files: int = 0


def assemble(out: Path, contents: PackageContents, signer: Signer) -> Manifest:
    """Write a package to `out`, complete or not at all; an older package there stays until the new one is whole.

    Raises OmniError when `out` holds anything else.
    """
    if set(contents.documents) - set(WHERE_MODELS_WROTE) != set(DOCUMENTS):
        raise ValueError(f"a package has exactly these documents: {', '.join(DOCUMENTS)}")
    out = out.absolute()
    refuse_foreign(out)
    # Named after the run: when that is killed and resumed, it finds and clears what it had begun.
    partial = out.with_name(f".{out.name}.{contents.run_id}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True, mode=0o755)
        partial.chmod(0o755)
        copy_repository(contents.app, partial / "app")
        for name, data in contents.documents.items():
            write_atomic(partial / name, data)
        manifest = _sign(partial, contents, signer)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _swap(partial, out)
    return manifest


def verify_package(folder: Path, trusted_key: str = "") -> PackageVerdict:
    """Compare a package with its signed manifest: every byte, name and mode, and nothing missing or added.

    The signature must fit `trusted_key` (PEM). Without one it must fit the key in the manifest: that shows that nothing
    was changed since, not who signed. Raises OmniError where there is neither a manifest nor its signature.
    """
    if not any(os.path.lexists(folder / name) for name in (MANIFEST, SIGNATURE)):
        raise OmniError(NO_PACKAGE, f"neither {MANIFEST} nor {SIGNATURE} lies there", where=str(folder))
    problems: list[str] = []
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = Manifest.model_validate_json(raw)
    except (OSError, ValidationError):
        return PackageVerdict(ok=False, problems=(f"{MANIFEST}: missing, or not a manifest",))
    key = trusted_key or manifest.public_key
    if not _signature_fits(folder / SIGNATURE, key, raw):
        problems.append(f"{MANIFEST}: its signature does not fit")
    if manifest.tree != _tree(manifest.entries):
        problems.append(f"{MANIFEST}: its tree does not fit its entries")
    beside = {MANIFEST, SIGNATURE, manifest.archive, f"{manifest.archive}.sig"}
    problems += _differences(folder, manifest, beside)
    for name in sorted(beside):
        path = folder / name
        if not path.is_file() or path.is_symlink():
            problems.append(f"{name}: missing")
        elif stat.S_IMODE(path.stat().st_mode) != 0o644:
            problems.append(f"{name}: its mode was changed")
    problems += _archive_problems(folder, manifest.archive, key, raw)
    signed_by = hashlib.sha256(key.encode()).hexdigest()
    files = sum(entry.kind == "file" for entry in manifest.entries)
    return PackageVerdict(
        ok=not problems, problems=tuple(problems), signed_by=signed_by, run_id=manifest.run_id, files=files
    )


def _sign(folder: Path, contents: PackageContents, signer: Signer) -> Manifest:
    entries = tuple(_entries(folder, set()))
    archive = f"{contents.name}-{contents.version}.tar.gz"
    manifest = Manifest(
        name=contents.name,
        version=contents.version,
        run_id=contents.run_id,
        verdict=contents.verdict,
        archive=archive,
        tree=_tree(entries),
        public_key=signer.public_key_pem,
        entries=entries,
    )
    raw = manifest.model_dump_json(indent=1).encode() + b"\n"
    write_atomic(folder / MANIFEST, raw)
    write_atomic(folder / SIGNATURE, _signature(signer, raw))
    _pack(folder, folder / archive, f"{contents.name}-{contents.version}")
    write_atomic(folder / f"{archive}.sig", _signature(signer, file_digest(folder / archive).encode()))
    return manifest


def refuse_foreign(out: Path) -> None:
    """Raises OmniError when `out` holds anything but a package of Omni, or can't be made: before anything is built."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=f".{out.name[:100]}.", dir=out.parent).cleanup()
    except OSError as error:
        raise OmniError(NO_ROOM, error.strerror or str(error), where=str(out)) from error
    if not out.exists():
        return
    if not out.is_dir():
        raise OmniError(NOT_OURS, "it is a file", where=str(out))
    if not any(out.iterdir()):
        return
    try:
        Manifest.model_validate_json((out / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise OmniError(NOT_OURS, "it holds files that are no Omni package", where=str(out)) from error


def _swap(partial: Path, out: Path) -> None:
    """Put the new package in place in one step."""
    if out.exists():
        exchange(partial, out)
        shutil.rmtree(partial)
    else:
        partial.rename(out)
    sync_folder(out.parent)


def _entries(folder: Path, without: set[str], prefix: str = "") -> Iterator[Entry]:
    """Everything beneath, sorted by path; links are not followed."""
    found = sorted(os.scandir(folder), key=lambda item: item.name)
    for item in found:
        path = f"{prefix}{item.name}"
        if path in without:
            continue
        status = item.stat(follow_symlinks=False)
        mode = f"{stat.S_IMODE(status.st_mode):o}"
        if item.is_symlink():
            target = os.fsencode(os.readlink(item.path))  # noqa: PTH115 - exactly as stored
            digest = hashlib.sha256(target).hexdigest()
            yield Entry(path=path, kind="link", mode="777", size=len(target), sha256=digest)
        elif item.is_dir():
            yield Entry(path=path, kind="folder", mode=mode)
            yield from _entries(Path(item.path), without, f"{path}/")
        elif item.is_file():
            yield Entry(path=path, kind="file", mode=mode, size=status.st_size, sha256=file_digest(Path(item.path)))
        else:
            yield Entry(path=path, kind="file", mode="special")


def _tree(entries: tuple[Entry, ...]) -> str:
    return f"sha256:{canonical.digest([entry.model_dump() for entry in entries])}"


def _differences(folder: Path, manifest: Manifest, beside: set[str]) -> Iterator[str]:
    stated = {entry.path: entry for entry in manifest.entries}
    try:
        found = {entry.path: entry for entry in _entries(folder, beside)}
    except OSError as error:
        yield f"{error.filename}: can't be read ({error.strerror})"
        return
    for path in sorted(stated.keys() | found.keys()):
        old, new = stated.get(path), found.get(path)
        if new is None:
            yield f"{path}: missing"
        elif old is None:
            yield f"{path}: added"
        elif (old.kind, old.size, old.sha256) != (new.kind, new.size, new.sha256):
            yield f"{path}: its content was changed"
        elif old.mode != new.mode:
            yield f"{path}: its mode was changed from {old.mode} to {new.mode}"


def _pack(folder: Path, archive: Path, root: str) -> None:
    """All of a folder as a tar file (pax) in gzip: sorted, without times, owners or anything else of this machine."""
    names = [entry.path for entry in _entries(folder, set())]
    with archive.open("wb") as raw:
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name in names:
                tar.add(folder / name, f"{root}/{name}", recursive=False, filter=_anonymous)
        raw.flush()
        os.fsync(raw.fileno())
    archive.chmod(0o644)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = _EPOCH
    return member


def _archive_problems(folder: Path, name: str, key: str, manifest: bytes) -> Iterator[str]:
    """The archive is signed by itself, and must be of this very manifest."""
    path = folder / name
    if not path.is_file():
        return
    if not _signature_fits(folder / f"{name}.sig", key, file_digest(path).encode()):
        yield f"{name}: its signature does not fit"
        return
    try:
        with tarfile.open(path) as tar:
            member = tar.extractfile(f"{name.removesuffix('.tar.gz')}/{MANIFEST}")
            same = member is not None and member.read(len(manifest) + 1) == manifest
    except (KeyError, OSError, EOFError, tarfile.TarError, zlib.error):  # whoever made it may have signed anything
        same = False
    if not same:
        yield f"{name}: it is the archive of another package"


def _signature(signer: Signer, data: bytes) -> bytes:
    return base64.b64encode(signer.sign(data)) + b"\n"


def _signature_fits(path: Path, key: str, data: bytes) -> bool:
    try:
        text = path.read_bytes()
        signature = base64.b64decode(text.removesuffix(b"\n"), validate=True)
    except (OSError, binascii.Error):
        return False
    # Base64 has several spellings of the same bytes; only the one that was written counts.
    return base64.b64encode(signature) + b"\n" == text and signing.verify(key, data, signature)
