"""Runs inside the sandbox: opens the served pages in Chromium and lets axe-core look at each.

Its one argument is JSON: `{"url", "pages", "most", "browser"}`. Links to other pages of the same server are followed,
up to `most` pages. Prints JSON: `{"pages": [{"path", "violations": […]}], "problems": [{"path", "why"}]}`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TypedDict
from urllib.parse import urljoin, urlsplit

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
FLAGS = [
    "--no-sandbox",  # it is in one already
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-zygote",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOOK = """async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
  return found.violations.map((each) => ({
    id: each.id, impact: each.impact, help: each.help, url: each.helpUrl,
    nodes: each.nodes.slice(0, 5).map((node) => ({html: node.html.slice(0, 300), target: String(node.target)})),
  }));
}"""


class Order(TypedDict):
    url: str
    pages: list[str]
    most: int
    browser: str


def main(order: Order) -> None:
    from playwright.sync_api import Error, sync_playwright  # only the sandbox has it

    spec = importlib.util.find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        raise SystemExit("axe-core is not there")
    axe = Path(spec.origin).with_name("axe.min.js").read_text("utf-8")
    waiting, seen = list(order["pages"]), set(order["pages"])
    pages: list[dict[str, object]] = []
    problems: list[dict[str, str]] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=order["browser"], args=FLAGS)
        page = browser.new_context(bypass_csp=True, reduced_motion="reduce").new_page()
        page.set_default_timeout(10_000)
        while waiting and len(pages) + len(problems) < order["most"]:
            path = waiting.pop(0)
            try:
                answer = page.goto(order["url"] + path, wait_until="load")
                kind = answer.headers.get("content-type", "") if answer else ""
                if not kind.startswith("text/html"):
                    continue
                page.evaluate(axe)
                pages.append({"path": path, "violations": page.evaluate(LOOK, TAGS)})
                links = page.eval_on_selector_all("a[href]", "all => all.map((each) => each.getAttribute('href'))")
            except Error as problem:
                problems.append({"path": path, "why": problem.message.splitlines()[0]})
                continue
            for link in links:
                target = urlsplit(urljoin(order["url"] + path, link))
                if f"{target.scheme}://{target.netloc}" == order["url"] and target.path not in seen:
                    seen.add(target.path)
                    waiting.append(target.path)
        browser.close()
    print(json.dumps({"pages": pages, "problems": problems}))  # noqa: T201 - it is a program


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
