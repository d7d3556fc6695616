"""Fetching one commit from a host that is allowed, without running or believing anything that it says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from omni.kernel.errors import Exit, OmniError, declare
from omni.kernel.processes import clean_env, run
from omni.verify import repository

NOT_ALLOWED = declare(
    "G005", "This source is not allowed", Exit.NOT_ALLOWED, "Allow its host or folder in gate-engine.toml."
)
NO_FETCH = declare(
    "G006",
    "The repository can't be fetched",
    Exit.INCOMPLETE,
    "Check that it is there, and that the token may read it.",
)

SECONDS = 60.0
LARGEST_PACK = 1 << 30
"""Bytes that git may write to one file."""
LARGEST_TREE = 512 << 20
MOST_FILES = 100_000
OPTIONS = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "protocol.allow=never",
    "-c", "protocol.https.allow=always",
    "-c", "http.followRedirects=false",
    "-c", "fetch.fsckObjects=true",
    "-c", "fetch.recurseSubmodules=false",
    "-c", "gc.auto=0",
    "-c", "credential.helper=",
)  # fmt: skip
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "HOME": "/nonexistent",
}
COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,200}")


def allowed_path(place: str, folders: Iterable[Path]) -> Path:
    """The folder that is meant, if it lies below an allowed one, links resolved. Raises `G005`."""
    path = Path(place).resolve()
    if not any(path.is_relative_to(folder.resolve()) for folder in folders) or not path.is_dir():
        raise OmniError(NOT_ALLOWED, "no folder below an allowed one", where=place[:200])
    return path


def allowed_url(place: str, hosts: Iterable[str], insecure: Iterable[str] = ()) -> str:
    """The URL, if it is HTTPS (HTTP for `insecure` hosts) to an allowed host, without a user. Raises `G005`."""
    try:
        parts = urlsplit(place)
        host = parts.netloc.lower()
        schemes = {"https", "http"} if host in insecure else {"https"}
    except ValueError as problem:
        raise OmniError(NOT_ALLOWED, str(problem), where=place[:200]) from problem
    plain = re.fullmatch(r"[\x21-\x7e]+", place) and not parts.query and not parts.fragment
    if parts.scheme not in schemes or host not in {each.lower() for each in hosts} or not plain or len(place) > 500:
        raise OmniError(NOT_ALLOWED, "no HTTPS address of an allowed host", where=place[:200])
    return place


def fetch(url: str, revision: str, scratch: Path, into: Path, header: str = "") -> str:
    """Write the files of one commit below the empty folder `into`; returns its id.

    Git only moves objects here: there is no check-out, so no filter, hook, submodule or attribute of the repository
    has a say. `header` goes to the host with each request (`Authorization: …`), through the environment, which other
    users can't read. Raises `G006`.
    """
    if revision and not REVISION.fullmatch(revision):
        raise OmniError(NO_FETCH, "this is no name of a revision", where=revision[:100])
    bare = scratch / "repository.git"
    env = clean_env(**ENVIRONMENT)
    if header:
        env |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader", "GIT_CONFIG_VALUE_0": header}
    plain = ("-c", "protocol.http.allow=always") if url.startswith("http://") else ()
    _git(env, "init", "-q", "--bare", "--template=", str(bare))
    options = ("--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head")
    _git(env, *plain, "-C", str(bare), "fetch", "-q", *options, "--", url, f"{revision or 'HEAD'}:refs/heads/asked")
    commit = repository.commit(bare, "refs/heads/asked")
    _check_size(env, bare, commit)
    repository.export(bare, commit, into)
    return commit


def _git(env: dict[str, str], *argv: str) -> str:
    limit = ("prlimit", f"--fsize={LARGEST_PACK}")
    done = run([*limit, "git", *OPTIONS, *argv], env=env, timeout=SECONDS)
    if done.ended == "timeout":
        raise OmniError(NO_FETCH, f"it took longer than {SECONDS:.0f} s")
    if not done.ok:
        said = " ".join(done.stderr.split())[-300:]
        raise OmniError(NO_FETCH, said or "git said nothing")
    return done.stdout


def _check_size(env: dict[str, str], bare: Path, commit: str) -> None:
    """A small pack may hold a large tree."""
    listed = _git(env, "-C", str(bare), "ls-tree", "-r", "-l", "-z", commit).split("\0")
    sizes = [entry.split("\t", 1)[0].split()[3] for entry in listed if entry]
    total = sum(int(size) for size in sizes if size.isdecimal())
    if total > LARGEST_TREE or len(sizes) > MOST_FILES:
        raise OmniError(NO_FETCH, f"the commit has {len(sizes):,} files of {total >> 20} MiB, more than is allowed")
