"""Runs inside the sandbox before a command that may reach ports of the host: opens them inside and hands them out.
Standard library only.

Started as `python3 -c SOURCE CONTROL PORT,… COMMAND …`; the command replaces this process. CONTROL is the number of an
inherited Unix socket or the path of one. For each port the socket that listens on 127.0.0.1:PORT is sent over it
(SCM_RIGHTS), in order: it belongs to the sandbox's network for ever, but whoever holds it accepts, and nobody inside
does.
"""

import os
import socket
import sys


def main() -> None:
    if sys.argv[1].isdigit():
        control = socket.socket(fileno=int(sys.argv[1]))
    else:
        control = socket.socket(socket.AF_UNIX)
        control.connect(sys.argv[1])
    with control:
        for port in sys.argv[2].split(","):
            with socket.create_server(("127.0.0.1", int(port)), backlog=256) as listener:
                socket.send_fds(control, [b"+"], [listener.fileno()])
    try:
        os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606 - there is no shell on purpose
    except OSError as error:
        sys.stderr.write(f"{sys.argv[3]}: {error.strerror}\n")
        os._exit(127)


if __name__ == "__main__":
    main()
