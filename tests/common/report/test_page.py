"""The report's page: it shows every run, moves with its images and needs nothing from elsewhere."""

import shutil
from html import unescape
from html.parser import HTMLParser

from builders.small_reports import page_of
from builders.small_runs import write_run, write_test

from common.report.command import write_report


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for name, value in attrs if name in ("src", "href")}


def test_the_page_shows_every_run_and_moves_with_its_images(gaze_dir, tmp_path):
    for number in range(14):
        photo = gaze_dir / f"b/predict/party {number % 2}/{number}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(b"a photo")
    write_report(gaze_dir)
    moved = shutil.move(gaze_dir / "report", tmp_path / "elsewhere")
    text = (moved / "index.html").read_text()
    for name in ("sweep/0", "#2 b", "broken_run", "0123abcd + uncommitted changes", "torch 2.15.0"):
        assert name in text
    assert "python train.py model=flame 'name=a b'" in unescape(text)
    links = Links()
    links.feed(text)
    assert len([link for link in links.found if "photo" in link]) == 12
    assert {"images/errors_1.png", "images/errors_1_test_2.png", "images/curves_1.png"} <= (
        links.found
    )
    assert all((moved / link).is_file() for link in links.found)
    assert "http" not in text


def test_the_best_is_the_lowest_error(gaze_dir):
    write_test(write_run(gaze_dir / "undefined"), mean_deg=None)
    assert "<div>demo_gaze, test: lowest of 3</div><strong>3.25 deg</strong>" in page_of(gaze_dir)


def test_names_are_escaped_in_the_page(gaze_dir):
    write_run(gaze_dir / "<b>&co", name="<script>", status="failed")
    text = page_of(gaze_dir)
    assert "&lt;b&gt;&amp;co" in text
    assert "<script>" not in text
