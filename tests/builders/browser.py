"""Chromium without a screen, as a reader of pages."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_NEEDED = ("chromium", "chromedriver")


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """Yield Debian's Chromium, driven by Selenium; a test skips where there is none.

    The arguments are further ones of its command line.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium ('.[dev]')")
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    options.add_argument("--headless=new")
    options.add_argument("--mute-audio")
    if os.geteuid() == 0:  # as in containers, where Chromium's own sandbox does not start
        options.add_argument("--no-sandbox")
        options.add_argument("--disable-dev-shm-usage")
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def logged_errors(driver: Any) -> list[str]:
    """Return what the console was told since the last call, but for mere information."""
    return [each["message"] for each in driver.get_log("browser") if each["level"] != "INFO"]


def network_events(driver: Any) -> list[dict[str, Any]]:
    """Return what the network was told since the last call, as Chromium's tools show it."""
    events = [json.loads(each["message"])["message"] for each in driver.get_log("performance")]
    return [event for event in events if event["method"].startswith("Network.")]


def hosts_asked(events: list[dict[str, Any]]) -> set[str | None]:
    """Return the hosts that were asked for anything; data of a page itself come from none."""
    asked = [event["params"].get("request", event["params"]).get("url", "") for event in events]
    return {urlsplit(url).hostname for url in asked} - {None}


def open_page(driver: Any, path: Path, width: int = 1200, height: int = 900) -> None:
    driver.set_window_size(width, height)
    driver.get(path.resolve().as_uri())


def wait_until(is_so: Callable[[], bool], most_s: float = 60) -> None:
    deadline = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
