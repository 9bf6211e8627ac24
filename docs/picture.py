"""Take the picture of the pipelines' graph for docs from build/site: `make picture`."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
HIDDEN = ".pipeline-sidebar, .pipeline-global-toolbar { visibility: hidden }"
ANIMATED_MS = 1500  # until animations have ended


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without logging."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback interface and yield its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium or Chrome without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def opened(browser: Browser, address: str, width: int, height: int) -> Page:
    """Open the site for the first time in a window of that many pixels."""
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1.5)
    page.goto(address)
    page.wait_for_selector(".pipeline-node")
    return page


def take(site: Path, picture: Path) -> None:
    """Take a picture of the first view of the site in the light theme, without toolbars."""
    with served(site) as address, chromium() as browser:
        page = opened(browser, address, 1200, 1100)
        page.click("[data-test^='global-toolbar-theme-btn']")
        page.mouse.move(0, 0)  # off the button, which would name itself
        page.wait_for_timeout(ANIMATED_MS)
        page.locator(".pipeline-flowchart").screenshot(
            path=picture, style=HIDDEN, animations="disabled"
        )


if __name__ == "__main__":
    take(ROOT / "build" / "site", ROOT / "docs" / "lineage.png")
