"""Pictures of a running app, taken by a real browser in a process of its own.

`shoot` starts this module as a program: it drives Chromium through the visits, in order, in one session.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter

from omni.kernel import processes

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = (1280, 800), (390, 844)
"""Desktop and phone, in CSS pixels."""
PATIENCE = 5000
"""Milliseconds that one step may take."""
SETTLED = 150
"""Milliseconds in which a page takes up an answer."""
FLAGS = (
    "--no-sandbox",  # it looks only at the app that Omni started, and the app's answers come through the relay
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # All that isn't the app goes to a proxy that isn't there: port 9 is for discarding (RFC 863).
    "--proxy-server=http://127.0.0.1:9",
)


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Visit(Model):
    """Open a page; then fill in its form and send it, or take its picture."""

    path: str
    values: dict[str, str | bool] = {}
    """Name of a form field → what to put in. Empty: a picture is taken."""
    title: str = ""
    narrow: bool = False
    dark: bool = False
    follow: str = ""
    """Beginning of the address of a link on the page to click first ("/todos/")."""


class Shot(Model):
    title: str
    path: str
    narrow: bool
    file: Path


class Session(Model):
    """What a browser session brought back."""

    shots: tuple[Shot, ...] = ()
    problems: tuple[str, ...] = ()
    """Forms that were refused, pages that failed; or why there is no browser."""


def shoot(url: str, visits: tuple[Visit, ...], folder: Path, timeout: float = 90) -> Session:
    """Take the pictures of `visits` into `folder`. Says why when there is no browser; never raises for a page."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return Session(problems=("no pictures: Chromium is not installed. Type: apt-get install -y chromium",))
    order = json.dumps(
        {
            "url": url,
            "browser": browser,
            "folder": str(folder),
            "visits": [visit.model_dump() for visit in visits],
        }
    )
    done = processes.run(
        (sys.executable, "-P", "-m", __name__),  # -P: no module of the current folder
        env=processes.clean_env(PYTHONPATH=str(Path(__file__).parents[2])),
        timeout=timeout,
        stdin=order.encode(),
    )
    if not done.ok:
        last = done.stderr.strip().splitlines()[-1:] or [done.ended]
        return Session(problems=(f"no pictures: the browser {done.ended}: {last[0]}",))
    return Session.model_validate_json(done.stdout)


def main() -> None:
    """The program: an order on standard input, a `Session` on standard output."""
    from playwright.sync_api import Error, sync_playwright  # heavy, and only this process needs it

    order = json.load(sys.stdin)
    visits = TypeAdapter(tuple[Visit, ...]).validate_python(order["visits"])
    shots, problems = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=order["browser"], args=[*FLAGS, _only(order["url"])])
        page = browser.new_context(locale="en-GB", reduced_motion="reduce").new_page()
        page.set_default_timeout(PATIENCE)
        for number, visit in enumerate(visits):
            try:
                _open(page, order["url"], visit)
                if visit.values:
                    _fill(page, visit)
                else:
                    file = Path(order["folder"]) / f"{number:02}.png"
                    page.screenshot(path=file)
                    shots.append(Shot(title=visit.title, path=visit.path, narrow=visit.narrow, file=file))
            except Error as error:
                problems.append(f"{visit.path}: {error.message.splitlines()[0]}")
        browser.close()
    sys.stdout.write(Session(shots=tuple(shots), problems=tuple(problems)).model_dump_json())


def _only(url: str) -> str:
    """The flag that lets the browser reach the app itself and no other port of this machine, though it is loopback."""
    return f"--proxy-bypass-list=<-loopback>;{urlsplit(url).netloc}"


def _open(page: Page, url: str, visit: Visit) -> None:
    width, height = NARROW if visit.narrow else WIDE
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if visit.dark else "light")
    page.goto(url + visit.path, wait_until="networkidle")
    if visit.follow:
        links = page.locator(f'main a[href^="{visit.follow}"]')
        links.filter(has_not_text="+").last.click()
        page.wait_for_load_state("networkidle")


def _fill(page: Page, visit: Visit) -> None:
    """Fill in what the page asks for by these names, choose something where a choice is due, and send it.

    Raises Error when the answer is a refusal.
    """
    from playwright.sync_api import Error  # as in main: heavy

    for name, value in visit.values.items():
        field = page.locator(f'main [name="{name}"]').first
        if field.count() == 0:
            continue
        if isinstance(value, bool):
            field.set_checked(value)
        elif field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    for choice in page.locator("main select[required]").all():
        if not choice.input_value():
            choice.select_option(index=1)
    form = page.locator('main form:has(input:not([type="hidden"]), textarea, select)').last
    with page.expect_response(lambda response: response.request.method == "POST") as sent:
        form.locator('button[type="submit"], button:not([type])').first.click()
    status = sent.value.status
    if status >= 400:
        raise Error(f"the form was refused with {status}")
    page.wait_for_timeout(SETTLED)
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
