"""Chromium without a screen, as a reader of pages."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_NEEDED = ("chromium", "chromedriver")


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield Debian's Chromium, driven by Selenium; a test skips where there is none."""
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
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def logged_errors(driver: Any) -> list[str]:
    """Return what the console was told since the last call, but for mere information."""
    return [each["message"] for each in driver.get_log("browser") if each["level"] != "INFO"]


def open_page(driver: Any, path: Path, width: int = 1200, height: int = 900) -> None:
    driver.set_window_size(width, height)
    driver.get(path.resolve().as_uri())
