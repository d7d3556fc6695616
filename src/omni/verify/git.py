"""How git is called on a repository that may be hostile. Imports nothing: what has to start fast asks git, too.

Nothing that the repository's own configuration names is executed: no hooks, no file-system monitor, no filters, no
text conversion, no fetch of missing objects.
"""

from __future__ import annotations

LISTING = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
"""For the files of a project: tracked ones, and new ones that are not ignored."""
SAFE = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.quotePath=false",
    "-c", "protocol.allow=never",
)  # fmt: skip
ANYBODYS = ("-c", "safe.directory=*")
"""Read it, whoever owns it."""
ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
}
