"""Runs inside the sandbox beside a service: opens connections to it and hands them out. Standard library only.

Started as `python3 -c SOURCE CONTROL PORT COMMAND …`. The command replaces this process, so that signals and its exit
status are its own; a grandchild stays behind. Without a command this process itself does it. CONTROL is the number of
an inherited Unix socket or the path of one.
For each byte on it the dialer connects to 127.0.0.1:PORT and sends the connected socket back (SCM_RIGHTS), or a byte
without one when nobody listens.
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
    if not sys.argv[3:]:
        dial(control, int(sys.argv[2]))
        return
    first = os.fork()
    if first == 0:
        if os.fork() == 0:
            os.setsid()  # so that it outlives the polite signal and the service can finish its last answers
            dial(control, int(sys.argv[2]))
        os._exit(0)
    os.waitpid(first, 0)
    control.close()
    try:
        os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606 - there is no shell on purpose
    except OSError as error:
        sys.stderr.write(f"{sys.argv[3]}: {error.strerror}\n")
        os._exit(127)


def dial(control: socket.socket, port: int) -> None:
    for stream in (0, 1, 2):  # or the end of the service's output would never be seen
        os.close(stream)
    while control.recv(1):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.settimeout(None)
                socket.send_fds(control, [b"+"], [connection.fileno()])
        except OSError:
            control.send(b"-")


if __name__ == "__main__":
    main()
