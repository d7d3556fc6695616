"""What can go wrong before, around and after a sandboxed command."""

from __future__ import annotations

from omni.kernel.errors import Exit, declare

UNAVAILABLE = declare(
    "SB001",
    "The sandbox can't run here",
    Exit.INCOMPLETE,
    "Type `omni doctor --sandbox`: it says what is missing and how to install it.",
)
NOT_STARTED = declare(
    "SB002",
    "The sandbox did not start",
    Exit.INCOMPLETE,
    "Type `omni doctor --sandbox`; if it passes, read the message above: it is the sandbox's own.",
)
ESCAPED = declare(
    "SB003",
    "The sandbox does not hold",
    Exit.NOT_ALLOWED,
    "Do not run foreign code on this machine until `omni doctor --sandbox` passes.",
)
UNTRUSTED = declare(
    "SB004",
    "Foreign code was not run",
    Exit.NOT_ALLOWED,
    "Install bubblewrap (Debian, Ubuntu: `apt install bubblewrap`) or start Docker, then try again.",
)
WORKSPACE = declare(
    "SB005",
    "The workspace can't be copied into the sandbox",
    Exit.INCOMPLETE,
    "Make the workspace smaller, or give the job a larger `disk` limit.",
)
PORT = declare(
    "SB006",
    "The port is taken",
    Exit.INCOMPLETE,
    "Stop what listens there, or choose another port.",
)
