"""Pages as a browser shows them: Debian's Chromium, driven by playwright.

ARCHLINT_AXE names the axe.min.js of axe-core. ARCHLINT_SCREENSHOTS names a folder that pictures of
all pages go to.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

Scheme = Literal["light", "dark"]
AXE, SCREENSHOTS = "ARCHLINT_AXE", "ARCHLINT_SCREENSHOTS"
CHROMIUM = shutil.which("chromium")
WIDE, NARROW, HEIGHT = 1280, 390, 900
JENKINS = {
    "Content-Security-Policy": "sandbox allow-same-origin; default-src 'none'; img-src 'self'; "
    "style-src 'self'"
}
"""What Jenkins sends by default with files of a build."""


def lacking() -> str:
    """Why no browser can be driven here; empty where one can."""
    if CHROMIUM is None:
        return "there is no chromium here"
    missing = [name for name in ("playwright", "pypdfium2") if find_spec(name) is None]
    return f"needs {' and '.join(missing)}: pip install 'archlint[browser]'" if missing else ""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    from playwright.sync_api import sync_playwright  # late: not everybody has it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that is open, and what happened to it: addresses that it asked for, but for its own;
    what scripts and the console complained of; what its dialogs said."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def do(self, script: str, argument: object = None) -> Any:
        """What a function of JavaScript answers in the page."""
        return self.page.evaluate(script, argument)

    def look(self, width: int, scheme: Scheme | None = None) -> None:
        """The window is as wide, in this theme or in the one it was in."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        if scheme is not None:
            self.page.emulate_media(color_scheme=scheme)

    def set_font(self, pixels: int) -> None:
        """Text is as large where a page does not say how large it is, as readers can have it."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Page.setFontSizes", {"fontSizes": {"standard": pixels}})
        session.detach()

    def text(self) -> str:
        """All text, shown or folded, but for that of scripts and styles."""
        return " ".join(str(self.do(_TEXT)).split())


_TEXT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const parts = [];
  while (walker.nextNode()) {
    if (!walker.currentNode.parentElement.closest('script, style')) {
      parts.push(walker.currentNode.data);
    }
  }
  return parts.join(' ');
}"""


@contextmanager
def visit(
    browser: Browser,
    address: str,
    *,
    width: int = WIDE,
    scheme: Scheme = "light",
    script: bool = True,
    trusted: bool = False,
    still: bool = False,
) -> Iterator[Visit]:
    """A page in a profile of its own; one that is ``trusted`` may run what its own policy forbids,
    one that is ``still`` is asked for less motion."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=scheme,
        java_script_enabled=script,
        bypass_csp=trusted,
        reduced_motion="reduce" if still else "no-preference",
    )
    context.set_default_timeout(10_000)
    try:
        seen = Visit(context.new_page())
        _listen(seen, address)
        seen.page.goto(address)
        yield seen
    finally:
        context.close()


def _listen(seen: Visit, address: str) -> None:
    own = address.partition("#")[0]

    def asked(sent: Request) -> None:
        if sent.url != own:
            seen.asked.append(sent.url)

    def said(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.complaints.append(message.text)

    def dismissed(dialog: Dialog) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    seen.page.on("request", asked)
    seen.page.on("console", said)
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", dismissed)


class _Handler(SimpleHTTPRequestHandler):
    """Files of a folder with some more headers; says nothing of who asks."""

    def __init__(self, *arguments: Any, headers: Mapping[str, str], directory: str) -> None:
        self._added = headers
        super().__init__(*arguments, directory=directory)

    def do_GET(self) -> None:
        """A browser asks each server for an icon, which no page has."""
        if self.path == "/favicon.ico":
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
        else:
            super().do_GET()

    def end_headers(self) -> None:
        for name, value in self._added.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base names it
        pass


@contextmanager
def served(folder: Path, headers: Mapping[str, str]) -> Iterator[str]:
    """The address of a server of this folder, which sends these headers too."""
    handler = partial(_Handler, headers=headers, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def violations(seen: Visit) -> list[str]:
    """What axe-core finds in a trusted page by all of its rules, those of best practice among
    them."""
    seen.page.add_script_tag(path=os.environ[AXE])
    found = seen.do(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


_VIOLATIONS = """async () =>
  (await axe.run(document, {resultTypes: ['violations']})).violations"""


def picture(seen: Visit, name: str) -> None:
    """A picture of the whole page in the folder for them, where there is one."""
    if folder := os.environ.get(SCREENSHOTS):
        seen.page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)
