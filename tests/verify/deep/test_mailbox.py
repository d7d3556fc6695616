from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from omni.verify.deep import mailbox
from omni.verify.deep.mailbox import Mailbox


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Mailbox]:
    with Mailbox(0, tmp_path / "a" / "mails") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def said(server: Mailbox, *lines: bytes) -> list[str]:
    """What it answers to what is sent at once."""
    with closing(socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=20)) as connection:
        connection.sendall(b"".join(line + b"\r\n" for line in lines))
        return connection.makefile("rb").read().decode().splitlines()


def kept(server: Mailbox) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(server.folder.iterdir())}


def test_each_mail_that_a_program_sends_is_a_file(served: Mailbox) -> None:
    with smtplib.SMTP("127.0.0.1", served.server_address[1], timeout=20) as client:
        client.sendmail("ada@example.org", ["bob@example.org"], b"Subject: one\r\n\r\n.hidden\r\n..\r\nend\r\n")
        client.sendmail("ada@example.org", ["bob@example.org", "eve@example.org"], b"Subject: two\r\n\r\n")
    assert kept(served) == {
        "0001.eml": b"Subject: one\r\n\r\n.hidden\r\n..\r\nend\r\n",
        "0002.eml": b"Subject: two\r\n\r\n",
    }


def test_every_command_has_its_answer(served: Mailbox) -> None:
    commands = (b"HELO x", b"EHLO x", b"mail from:<a>", b"RCPT TO:<b>", b"RSET", b"NOOP", b"STARTTLS", b"AUTH PLAIN x")
    assert said(served, *commands, b"DATA", b"text", b".", b"quit", b"NOOP") == [
        "220 mailbox", *(["250 ok"] * 6), "502 not here", "502 not here", "354 go on", "250 kept", "221 bye",
    ]  # fmt: skip
    assert kept(served) == {"0001.eml": b"text\r\n"}


def test_a_mail_that_is_too_large_is_refused_and_read_to_its_end(
    served: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "LARGEST", 12)
    mail = (b"DATA", b"12345", b"12345", b"QUIT", b".")
    answers = said(served, *mail, b"DATA", b"1234567890", b".", b"QUIT")
    assert answers == ["220 mailbox", "354 go on", "552 too large", "354 go on", "250 kept", "221 bye"]
    assert kept(served) == {"0001.eml": b"1234567890\r\n"}


def test_a_client_that_goes_in_the_middle_of_a_mail(served: Mailbox) -> None:
    with closing(socket.create_connection(("127.0.0.1", served.server_address[1]), timeout=20)) as connection:
        connection.sendall(b"DATA\r\nhalf")
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").read() == b"220 mailbox\r\n354 go on\r\n250 kept\r\n"
    assert kept(served) == {"0001.eml": b"half"}
