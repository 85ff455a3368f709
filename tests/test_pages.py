"""Pages in a browser: of a video and of the report."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.browser import chromium, logged_errors, open_page, wait_until
from builders.small_reports import write_gaze_runs, write_lam_runs
from builders.small_videos import write_uneven_video
from builders.told_faces import ToldFaces, face
from PIL import Image

from common.prediction.videos import annotate_videos
from common.report.command import write_report

pytestmark = pytest.mark.slow

NUM_FRAMES = 100
# After three seconds without a frame it goes on.
TIMES_MS = [40 * i + (3000 if i >= 50 else 0) for i in range(NUM_FRAMES)]
END_S = 7.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def video_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three faces; the first looks from frame 60 on (5.4 s), the second from 20 on (0.8 s)."""
    folder = tmp_path_factory.mktemp("video")
    records = [
        [face("0", i >= 60, (20.0, 0.0)), face("1", 20 <= i < 30, (-30.0, 10.0))]
        for i in range(NUM_FRAMES)
    ]
    records[10].append(face("2"))
    path = write_uneven_video(folder / "in" / "v.mkv", [2 * i for i in range(100)], TIMES_MS)
    annotate_videos([path], ToldFaces(records), folder / "out")
    return folder / "out" / "v.html"


class VideoPage:
    """What a person does with a video's page, and sees."""

    def __init__(self, driver: Any, path: Path) -> None:
        self.driver = driver
        open_page(driver, path)
        wait_until(lambda: driver.execute_script("return video.readyState >= 2"))

    def find(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    @property
    def time_s(self) -> float:
        return float(self.driver.execute_script("return video.currentTime"))

    @property
    def said(self) -> list[str]:
        """What is said of each face at the time that the video shows."""
        wait_until(
            lambda: self.driver.execute_script("return !video.seeking && now === video.currentTime")
        )
        return [each.text for each in self.driver.find_elements("css selector", ".row .now")]

    @property
    def level(self) -> float:
        """How bright the frame is that the video shows, from 0 to 255."""
        # Controls would lie over it.
        self.driver.execute_script("video.controls = false")
        assert self.said
        with Image.open(BytesIO(self.find("video").screenshot_as_png)) as picture:
            return float(np.asarray(picture.convert("L")).mean())

    def click(self, css: str, share: float) -> None:
        """Click at a share of an element's width."""
        from selenium.webdriver import ActionChains  # an extra's

        element = self.find(css)
        offset = round((share - 0.5) * element.size["width"])
        ActionChains(self.driver).move_to_element_with_offset(element, offset, 0).click().perform()


@pytest.fixture
def page(browser: Any, video_page: Path) -> Iterator[VideoPage]:
    yield VideoPage(browser, video_page)
    assert logged_errors(browser) == []


def test_a_click_into_the_timeline_shows_that_moment(page: VideoPage) -> None:
    page.click("svg.lane", 6.0 / END_S)
    assert page.time_s == pytest.approx(6.0, abs=0.02)
    assert page.said == ["looks, yaw 20°, pitch 0°", "does not look, yaw -30°, pitch 10°", ""]
    # The video stands at its own time, too: of frame 75, which begins there.
    assert page.level == pytest.approx(150, abs=6)
    head = page.driver.execute_script("return getComputedStyle(all).getPropertyValue('--at')")
    assert float(head) == pytest.approx(6.0 / END_S, abs=0.005)


def test_playing_moves_the_timeline(page: VideoPage) -> None:
    page.find("#play").click()
    wait_until(lambda: page.time_s > 0.9)
    wait_until(lambda: "1" in page.find("output").text.split(" of ")[0])
    page.find("#play").click()


def test_keys_and_buttons_lead_to_looks(page: VideoPage) -> None:
    page.find("#next").click()
    assert page.time_s == pytest.approx(0.8, abs=0.002)
    assert page.said[1].startswith("looks")
    assert page.level == pytest.approx(40, abs=6)
    page.find("#next").click()
    assert page.time_s == pytest.approx(5.4, abs=0.002)
    page.find("#previous").click()
    assert page.time_s == pytest.approx(0.8, abs=0.002)
    axis = page.find("[role=slider]")
    axis.send_keys("+")
    axis.send_keys("\ue012")  # arrow to the left
    assert page.time_s == pytest.approx(0.8 - END_S / 200, abs=0.01)
    axis.send_keys("\ue010")  # End
    assert page.time_s == pytest.approx(END_S, abs=0.05)
    page.driver.find_elements("css selector", "td button")[1].click()  # the longest look of face 0
    assert page.time_s == pytest.approx(5.4, abs=0.002)


def test_zooming_leaves_the_faces_that_are_seen_there(page: VideoPage) -> None:
    names = page.driver.find_elements("css selector", ".row:not(.axis) b")
    page.click("svg.lane", 6.5 / END_S)
    for _ in range(3):
        page.find("#closer").click()
    assert [name.is_displayed() for name in names] == [True, True, False]
    assert page.find(".axis .name").text == "2 of 3 faces"
    page.click("[data-time='0.400']", 0.5)  # face 2: what is shown follows the video
    assert [name.is_displayed() for name in names] == [True, True, True]


def test_a_narrow_page_does_not_scroll_sideways(browser: Any, video_page: Path) -> None:
    open_page(browser, video_page, width=500)
    script = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert browser.execute_script(script)


def test_a_missing_video_is_said_and_leaves_the_timeline(
    browser: Any, video_page: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "v.html"
    alone.write_bytes(video_page.read_bytes())
    open_page(browser, alone)
    wait_until(lambda: browser.find_element("css selector", "#no-video").is_displayed())
    browser.find_element("css selector", "#next").click()
    wait_until(lambda: browser.find_elements("css selector", ".now")[1].text.startswith("looks"))
    # Chromium's own words on the file.
    assert all("ERR_FILE_NOT_FOUND" in error for error in logged_errors(browser))


def test_the_reports_page_opens_without_an_error(browser: Any, tmp_path: Path) -> None:
    write_gaze_runs(tmp_path)
    write_lam_runs(tmp_path)
    write_report(tmp_path)
    open_page(browser, tmp_path / "report" / "index.html")
    assert browser.find_element("css selector", "h1").text == "Gaze report"
    browser.execute_script("for (const image of document.images) image.loading = 'eager'")
    # The builder's own figures of tests are none.
    charts = browser.find_elements("css selector", ".chart img")
    assert charts
    wait_until(lambda: all(int(chart.get_property("naturalWidth")) for chart in charts))
    assert logged_errors(browser) == []
