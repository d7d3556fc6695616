"""Makes the pictures of the README: a build in the terminal, its report, the app that came out.

.venv/bin/python docs/pictures.py    builds a todo app, and writes docs/pictures/{build,report,app}.png
"""

from __future__ import annotations

import base64
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from omni.delivery.screenshots import BROWSERS, FLAGS
from omni.kernel.settings import load_settings

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
REQUEST = "a todo app with user auth"
COLUMNS = 88


def build(folder: Path) -> str:
    """What a terminal shows at the end, with its colours."""
    screen, end = pty.openpty()
    home = folder / "home"  # nothing is known of an earlier build; what is installed is
    home.mkdir()
    (home / "envs").symlink_to(load_settings().home / "envs")
    command = [str(ROOT / "omni"), "build", REQUEST, "--yes", "--out", "out"]
    environment = {**os.environ, "OMNI_HOME": str(home), "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=folder, stdin=end, stdout=end, stderr=end, env=environment)
    os.close(end)
    said = b""
    while chunk := _read(screen):
        said += chunk
    if process.wait():
        sys.exit(said.decode()[-2000:])
    lines = said.decode().replace("\r\n", "\n").split("\n")
    shown = (line.rpartition("\r")[2].removeprefix("\033[K") for line in lines)
    return "\n".join([f'$ ./omni build "{REQUEST}" --out out', *shown]).rstrip()


def _read(screen: int) -> bytes:
    try:
        return os.read(screen, 65536)
    except OSError:  # Linux says so when the other end is closed
        return b""


def picture_of_terminal(page: Page, text: str) -> None:
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(text))
    html = console.export_html(theme=MONOKAI, inline_styles=True, code_format=TERMINAL)
    page.set_content(html)
    page.locator("pre").screenshot(path=PICTURES / "build.png")


TERMINAL = """<body style="margin: 0; background: {background}">
<pre style="color: {foreground}; background: {background}; font: 15px/1.5 monospace; padding: 22px 26px; margin: 0;
width: fit-content">{code}</pre>
"""


def pictures_of_report(page: Page, report: Path) -> None:
    page.set_viewport_size({"width": 1000, "height": 1330})
    page.goto(report.as_uri())
    page.screenshot(path=PICTURES / "report.png")
    app = page.locator("main img").first.get_attribute("src") or ""
    (PICTURES / "app.png").write_bytes(base64.b64decode(app.partition("base64,")[2]))


def main() -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        shown = build(Path(folder))
        page = playwright.chromium.launch(executable_path=browser, args=[*FLAGS]).new_page()
        picture_of_terminal(page, shown)
        pictures_of_report(page, Path(folder, "out", "report.html"))


if __name__ == "__main__":
    main()
