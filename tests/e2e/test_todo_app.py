"""The whole product once, for real: a sentence becomes an app, and two people use it in a browser.

The app is run outside the sandbox, with the two commands that its own README gives.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = [pytest.mark.slow, pytest.mark.host]
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `omni build` hands over."""
    out = tmp_path_factory.mktemp("todo") / "out"
    command = [sys.executable, "-m", "omni", "build", "a todo app with user auth", "--out", str(out), "--yes", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, result["verdict"], result["not_delivered"]) == (0, "pass", []), result
    return out


@pytest.fixture(scope="module")
def app(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the app, as the client would make it."""
    folder = tmp_path_factory.mktemp("clone") / "app"
    subprocess.run(["git", "clone", "-q", str(package / "app"), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def url(app: Path) -> Iterator[str]:
    """Where the app answers after `make run`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["make", "run"],
        cwd=app,
        env=os.environ | {"PORT": str(port)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 300
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()  # noqa: S310 - our own address
                break
            except OSError:
                assert process.poll() is None, "make run ended"
                assert time.monotonic() < deadline, "it was not healthy within five minutes"
                time.sleep(0.3)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install -y chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def person(browser: Browser, url: str, name: str, *, javascript: bool) -> Page:
    """Somebody who has just signed up, in a browser of their own."""
    page = browser.new_context(java_script_enabled=javascript, locale="en-GB").new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{url}/sign-up")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(f"{name.lower()}@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Log out").wait_for()
    return page


def add(page: Page, url: str, title: str) -> None:
    page.goto(f"{url}/todos/new")
    page.get_by_label("Title").fill(title)
    page.locator("main form").last.get_by_role("button").first.click()
    page.get_by_text(title).first.wait_for()


def titles(page: Page, url: str, query: str = "") -> list[str]:
    page.goto(f"{url}/todos{query}")
    return sorted(
        text
        for text in ("Buy bread", "Buy oat bread", "Call Bob", "Feed the cat")
        if page.get_by_text(text, exact=True).count()
    )


def test_two_people_keep_their_own_todos(browser: Browser, url: str) -> None:
    ada = person(browser, url, "Ada", javascript=True)
    bob = person(browser, url, "Bob", javascript=False)
    add(ada, url, "Buy bread")
    add(ada, url, "Call Bob")
    add(bob, url, "Feed the cat")
    assert titles(ada, url) == ["Buy bread", "Call Bob"]
    assert titles(bob, url) == ["Feed the cat"], "and it works without JavaScript"

    ada.goto(f"{url}/todos")
    ada.get_by_role("link", name="Buy bread").click()
    ada.get_by_role("heading", name="Buy bread").wait_for()
    address = ada.url
    ada.goto(f"{address}/edit")
    ada.get_by_label("Title").fill("Buy oat bread")
    ada.locator("main form").last.get_by_role("button").first.click()
    ada.get_by_role("heading", name="Buy oat bread").wait_for()

    for path in (address, f"{address}/edit"):
        answer = bob.goto(path)
        assert answer is not None
        assert answer.status == 404, "another person's todo is not there"
    assert "Buy oat bread" not in bob.content()

    assert titles(ada, url, "?q=oat") == ["Buy oat bread"]
    ada.goto(f"{url}/todos")
    ada.get_by_role("button", name="Mark as done").first.click()
    ada.wait_for_timeout(500)
    done, still_open = titles(ada, url, "?done=true"), titles(ada, url, "?done=false")
    assert (len(done), len(still_open)) == (1, 1)
    assert done != still_open

    ada.goto(address)
    ada.locator("summary", has_text="Delete").click()
    ada.locator("details form").get_by_role("button").click()
    ada.wait_for_url(f"{url}/todos*")
    assert titles(ada, url) == ["Call Bob"]
    assert titles(bob, url) == ["Feed the cat"]


def test_its_own_tests_pass_outside_the_sandbox(app: Path) -> None:
    done = subprocess.run(["make", "test"], cwd=app, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_the_package_is_as_it_was_signed(package: Path) -> None:
    command = [sys.executable, "-m", "omni", "package", "verify", str(package)]
    assert subprocess.run(command, capture_output=True, text=True).stdout.startswith("intact")
    spec = package / "spec.md"
    spec.write_bytes(spec.read_bytes().replace(b"Todo", b"Toda", 1))
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "TAMPERED\n  spec.md: its content was changed\n")
