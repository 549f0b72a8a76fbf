"""The page in a real browser: what the user sees, presses and gets.

Skipped where playwright or a Chromium is absent; see browser.py. Screenshots of desktop and phone, light and
dark, go to the folder that ``SALIENTCLIPS_ARTEFACTS`` names, else into pytest's own folder of the run; they are
not compared.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from browser import DESKTOP, PHONE, Watched, axe_source, busy_ms, launched, point
from made_files import MadeFile
from media_files import loop_video, make_video
from report_media import HOSTILE, HOSTILE_TITLE, hostile_video
from salientclips.timeline import ClipSpec
from salientclips.types import ClipScores
from salientclips.verbs.compare import compare
from salientclips.verbs.report import write_report
from salientclips.verbs.score import score
from salientclips.verbs.view import serve

pytest.importorskip("jinja2", reason="jinja2 is not installed")

SPEC = ClipSpec(8, 1)
"""Short clips, so that six seconds have 22 of them."""
Open = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as running:
        yield running


@pytest.fixture
def watched(browser: Any) -> Iterator[Open]:
    opened: list[Watched] = []

    def new(**options: Any) -> Watched:
        opened.append(Watched(browser, **options))
        return opened[-1]

    yield new
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def counted(folder: Path, made: Callable[[str], MadeFile], name: str = "h264_bframes_mp4") -> ClipScores:
    """Scores of a video with a burnt-in counter, each clip another one."""
    source = made(name)
    video = folder / f"{name}{source.path.suffix}"
    shutil.copyfile(source.path, video)
    scores = score(video, "packet-cost", clip=SPEC)
    count = len(scores)
    values = np.random.default_rng(4).permutation(count).astype(np.float64)
    streams = {"visual": values, "audio": np.roll(values[::-1], 3)}
    return replace(scores, scores=values, streams=streams)


@pytest.fixture(scope="module")
def scores(folder: Path, made: Callable[[str], MadeFile]) -> ClipScores:
    return counted(folder, made)


@pytest.fixture(scope="module")
def report(folder: Path, scores: ClipScores) -> str:
    write_report(scores.select(5, min_gap_s=0.1), folder / "report.html", min_gap_s=0.1)
    return (folder / "report.html").as_uri()


# --- the report ---------------------------------------------------------------------------------------------


def test_the_page_renders_and_asks_nobody(
    report: str, folder: Path, watched: Open, scores: ClipScores
) -> None:
    watch = watched()
    page = watch.open(report)
    assert page.title() == "h264_bframes_mp4.mp4 · salientclips"
    assert page.locator("#ranked li").count() == page.locator("#top li").count() == 5
    assert page.locator(".lane svg .line").count() == 3
    assert page.locator("#bands .band").count() == 5
    shown = [int(i.get_attribute("data-index")) for i in page.locator("#top li").all()]
    assert shown == [c.index for c in scores.select(5, min_gap_s=0.1).clips]
    assert page.locator("#axis span").count() >= 5
    pictures = page.locator("#top img")
    assert all(
        p.evaluate("i => i.decode().then(() => i.naturalWidth / i.naturalHeight)") > 8 for p in pictures.all()
    )
    assert page.locator("#unplayable").is_hidden()
    watch.check(folder.as_uri())


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "vfr", "late_video", "rotated_90"])
def test_a_click_on_the_curve_seeks(
    name: str, folder: Path, made: Callable[[str], MadeFile], watched: Open
) -> None:
    file = made(name)
    output = folder / f"click_{name}.html"
    scores = counted(folder, made, name)
    write_report(scores.select(3), output)
    watch = watched()
    page = watch.open(output.as_uri())
    end = float(scores.grid.end_s[-1])
    for share in (0.32, 0.81, 0.503):
        page.mouse.click(*point(page, share))
        time = watch.settled()
        assert time == pytest.approx(share * end, abs=2 * end / 1100)  # the curve is 1,100 pixels wide
        # what is shown then, give or take what containers and browsers round
        known = np.array([float(t) for t in file.times]) + file.start_s
        near = {
            file.counters[max(0, int(np.searchsorted(known, time + d, side="right")) - 1)]
            for d in (-2e-3, 2e-3)
        }
        assert watch.counter() in near
    watch.check(folder.as_uri())


def test_every_selected_clip_starts_on_its_first_frame(
    report: str, watched: Open, scores: ClipScores
) -> None:
    watch = watched()
    page = watch.open(report)
    for clip in scores.select(5, min_gap_s=0.1).clips:
        page.locator(f"#ranked li[data-index='{clip.index}'] button").click()
        watch.settled()
        assert watch.counter() == round(clip.start * 30)
        assert page.locator("#ranked li.now").get_attribute("data-index") == str(clip.index)


def test_keys(report: str, watched: Open, scores: ClipScores) -> None:
    watch = watched()
    page = watch.open(report)
    clips = scores.select(5, min_gap_s=0.1).clips
    for key, clip in (("1", clips[0]), ("3", clips[2]), ("5", clips[4])):
        page.keyboard.press(key)
        assert watch.settled() == pytest.approx(clip.start_s, abs=0.01)
    before = watch.settled()
    page.keyboard.press("9")  # there is no ninth clip
    assert watch.settled() == before
    in_time = sorted(clip.start_s for clip in clips if clip.start_s > 0.05)
    page.locator("#timeline").press("Home")
    assert watch.settled() == 0
    for start in in_time:
        page.keyboard.press("ArrowDown")
        assert watch.settled() == pytest.approx(start, abs=0.01)
    page.keyboard.press("ArrowUp")
    assert watch.settled() == pytest.approx(in_time[-2], abs=0.01)
    page.locator("#timeline").press("Home")
    page.keyboard.press("ArrowRight")
    assert watch.settled() == pytest.approx(5.0, abs=0.01)
    page.keyboard.press("ArrowLeft")
    assert watch.settled() == 0
    page.keyboard.press(" ")
    watch.wait("!player.paused && player.currentTime > 0.1")
    page.keyboard.press(" ")
    watch.wait("player.paused")
    slider = page.locator("#timeline")
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(watch.settled(), abs=0.2)
    assert slider.get_attribute("aria-valuetext").startswith("0:0")


def test_the_highlights_play_one_after_another(report: str, watched: Open, scores: ClipScores) -> None:
    watch = watched()
    page = watch.open(report)
    page.evaluate(
        "window.seen = [];(function look() { seen.push(player.currentTime); requestAnimationFrame(look); })()"
    )
    page.locator("#watch").click()
    watch.wait("document.getElementById('watch').textContent.startsWith('Stop (5 of 5')")
    watch.wait("player.paused")
    assert page.locator("#watch").text_content() == "Watch the highlights"
    seen = np.array(page.evaluate("seen"))[1:]
    clips = scores.select(5, min_gap_s=0.1).clips
    inside = np.zeros(len(seen), dtype=bool)
    for clip in clips:
        here = (seen >= clip.start_s - 0.01) & (seen <= clip.end_s + 0.25)
        assert here.any()
        inside |= here
    # before the first clip the player stands at 0
    assert inside[seen > 0].all()
    assert (np.diff(seen) > -1e-6).all()


def test_zooming_keeps_the_place(report: str, watched: Open) -> None:
    watch = watched()
    page = watch.open(report)
    page.keyboard.press("1")
    at = watch.settled()
    before = page.locator("#axis span").count()
    for _ in range(3):
        page.locator("#in").click()
    assert page.locator("#zoom").text_content() == "8×"
    assert page.locator("#axis span").count() > before
    head, box = page.locator("#head").bounding_box(), page.locator("#scroller").bounding_box()
    assert box["x"] <= head["x"] <= box["x"] + box["width"]
    share = at / float(page.locator("#timeline").get_attribute("aria-valuemax"))
    page.mouse.click(*point(page, share))
    assert watch.settled() == pytest.approx(at, abs=0.01)


@pytest.mark.parametrize(
    "name", ["bryanyzhu__abseiling_k400.mp4", "flipping_a_pancake.mkv", "nasa_13013.mp4"]
)
def test_a_real_video(name: str, data_dir: Path, folder: Path, watched: Open) -> None:
    video = folder / name
    shutil.copyfile(data_dir / "originals" / name, video)
    selection = score(video).select(3)
    write_report(selection, folder / "real.html")
    watch = watched()
    page = watch.open((folder / "real.html").as_uri())
    end = float(selection.scores.grid.end_s[-1])
    assert page.evaluate("player.duration") == pytest.approx(end, abs=0.5)
    assert page.evaluate("player.videoWidth") > 0
    page.mouse.click(*point(page, 0.5))
    assert watch.settled() == pytest.approx(end / 2, abs=2 * end / 1100)
    page.keyboard.press("1")
    assert watch.settled() == pytest.approx(selection.clips[0].start_s, abs=0.01)
    watch.check(folder.as_uri())


def test_a_file_that_cannot_be_played_is_said(
    folder: Path, made: Callable[[str], MadeFile], watched: Open
) -> None:
    video = folder / "old.avi"
    shutil.copyfile(made("mpeg4_avi").path, video)
    write_report(score(video, "packet-cost", clip=SPEC).select(2), folder / "old.html")
    watch = watched()
    page = watch.open((folder / "old.html").as_uri(), waits_for_video=False)
    page.locator("#unplayable").wait_for()
    assert "codec mpeg4" in page.locator("#unplayable").text_content()
    page.keyboard.press("1")  # all else works
    assert page.locator("#ranked li.now").count() == 1
    assert page.locator("#top img").count() == 2


def test_hostile_names_do_nothing(folder: Path, watched: Open) -> None:
    video = hostile_video(folder)
    selection = score(video, "packet-cost", clip=SPEC).select(3)
    write_report(selection, folder / "hostile.html")
    watch = watched()
    page = watch.open((folder / "hostile.html").as_uri())
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator(".tag").text_content() == HOSTILE_TITLE
    watch.check(folder.as_uri())
    with serve(selection, others=()) as url:
        watch = watched()
        page = watch.open(url)
        assert page.evaluate("window.hacked") is None
        assert page.locator("h1").text_content() == HOSTILE
        with page.expect_download() as loading:
            page.locator(".download[data-format=json]").click()
        assert json.loads(Path(loading.value.path()).read_text(encoding="utf-8"))["path"] == str(video)
        watch.check(url)


def test_three_hours_open_at_once(
    tmp_path: Path, watched: Open, record_property: Callable[..., None]
) -> None:
    # 5 frames/s, so that three hours are made in seconds; the page sees clips, not frames
    part = make_video(tmp_path / "part.mp4", frames=150, rate=Fraction(5), size=(192, 144), bframes=2, gop=10)
    video = loop_video(part, tmp_path / "long.mp4", times=360)
    scores = score(video, "packet-cost", clip=ClipSpec(6, 1))
    assert len(scores) == 9_000
    assert float(scores.grid.end_s[-1]) == pytest.approx(3 * 3600, abs=1)
    noise = np.random.default_rng(1).normal(size=(6, len(scores)))
    streams = dict(zip(("md", "rgbr", "if", "visual", "audio"), noise, strict=False))
    scores = replace(scores, scores=noise[5], streams=streams)
    written = write_report(scores.select(10), tmp_path / "long.html")
    assert written.size_bytes < 3_000_000
    seconds, busy_s = 60.0, 60.0
    for _ in range(3):
        watch = watched()
        ticks = watch.context.new_cdp_session(watch.page)
        ticks.send("Performance.enable", {"timeDomain": "threadTicks"})
        began = perf_counter()
        page = watch.open((tmp_path / "long.html").as_uri(), waits_for_video=False)
        page.locator("#bands .band").nth(9).wait_for(state="attached")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        seconds = min(seconds, perf_counter() - began)
        metrics = {m["name"]: m["value"] for m in ticks.send("Performance.getMetrics")["metrics"]}
        busy_s = min(busy_s, metrics["TaskDuration"])
    print(
        f"3 hours: {written.size_bytes:,} bytes, open after {seconds:.2f} s, {busy_s:.2f} s of CPU in the page"
    )
    record_property("seconds_to_open", round(seconds, 2))
    record_property("seconds_of_cpu", round(busy_s, 2))
    record_property("bytes", written.size_bytes)
    assert busy_s < 1
    # where others keep the cores busy, the clock on the wall says nothing of the page
    if os.getloadavg()[0] < 1.5 * (os.cpu_count() or 1):
        assert seconds < 2
    watch.wait("player.readyState >= 2")
    page.mouse.click(*point(page, 0.75))
    assert watch.settled() == pytest.approx(0.75 * 10_800, abs=12)
    # moving along the whole curve and drawing all clips anew are cheap: CPU of the page's own thread
    assert (
        busy_ms(watch, ticks, "timeline.say(data.begin + span * i / 100); timeline.moveHead(span * i / 100)")
        < 10
    )
    assert busy_ms(watch, ticks, "showClips(selected, data.bottom, '')") < 100
    watch.check(tmp_path.as_uri())


# --- view ---------------------------------------------------------------------------------------------------


def shown(page: Any) -> list[int]:
    """Indices of the selected clips, as the page shows them."""
    return [
        int(i) for i in page.locator("#ranked li").evaluate_all("(all) => all.map((l) => l.dataset.index)")
    ]


def wait_for(watch: Watched, indices: list[int]) -> None:
    want = json.dumps([str(i) for i in indices])
    watch.wait(
        f"JSON.stringify([...document.querySelectorAll('#ranked li')].map((l) => l.dataset.index)) === "
        f"JSON.stringify({want})"
    )


def test_view_selects_anew_and_downloads(scores: ClipScores, watched: Open) -> None:
    def chosen(k: int, gap: float = 0.0, of: ClipScores = scores) -> list[int]:
        return [c.index for c in of.select(k, min_gap_s=gap).clips]

    with serve(scores.select(5), others=("uniform", "motion")) as url:
        watch = watched()
        page = watch.open(url)
        wait_for(watch, chosen(5))
        page.locator("#k").fill("9")
        wait_for(watch, chosen(9))
        assert page.locator("#bands .band").count() == 9
        page.locator("#gap").fill("100")
        longest = round(max(1.0, float(scores.grid.end_s[-1]) / 10), 1)
        wait_for(watch, chosen(9, longest))
        assert page.locator("#gap-said").text_content() == f"{longest:g} s"
        assert "gap" in page.locator("#note").text_content()
        page.locator("#gap").fill("0")
        # the mix of picture and sound
        page.locator("#mix").fill("100")
        wait_for(watch, chosen(9, of=replace(scores, scores=scores.streams["audio"])))
        page.locator("#mix").fill("0")
        wait_for(watch, chosen(9, of=replace(scores, scores=scores.streams["visual"])))
        curve = page.locator(".lane.main .line").get_attribute("d")
        page.locator("#sampler").select_option("uniform")
        wait_for(watch, chosen(9, of=score(scores.path, "uniform", clip=SPEC)))
        assert page.locator(".lane.main .line").get_attribute("d") != curve
        assert page.locator("#mix-label").is_hidden()
        watch.wait("!document.querySelector('option[value=motion]').disabled")
        page.locator("#sampler").select_option("motion")
        wait_for(watch, chosen(9, of=score(scores.path, "motion", clip=SPEC)))
        check_downloads(page, shown(page))
        page.mouse.click(*point(page, 0.5))
        middle = float(scores.grid.end_s[-1]) / 2
        assert watch.settled() == pytest.approx(middle, abs=0.02)
        page.locator("#bottom").scroll_into_view_if_needed()
        watch.wait("[...document.querySelectorAll('#top img')].some((i) => i.naturalWidth > 0)")
        watch.check(url)


def check_downloads(page: Any, indices: list[int]) -> None:
    import pyarrow.parquet as pq

    content = {}
    for name in ("json", "csv", "parquet", "webvtt"):
        with page.expect_download() as loading:
            page.locator(f".download[data-format={name}]").click()
        content[name] = Path(loading.value.path()).read_bytes()
    clips = json.loads(content["json"])["clips"]
    assert [clip["index"] for clip in clips] == indices
    assert pq.read_table(io.BytesIO(content["parquet"])).column("index").to_pylist() == indices
    rows = list(csv.DictReader(io.StringIO(content["csv"].decode())))
    assert sorted(float(row["Score"]) for row in rows) == sorted(clip["score"] for clip in clips)
    assert content["webvtt"].startswith(b"WEBVTT")


# --- all pages ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(report: str, folder: Path, scores: ClipScores) -> Iterator[dict[str, str]]:
    compare(scores.path, ["packet-cost", "uniform"], k=4, clip=SPEC, output=folder / "compare.html")
    with serve(scores.select(5), others=("uniform",)) as url:
        yield {"report": report, "compare": (folder / "compare.html").as_uri(), "view": url}


@pytest.mark.parametrize("kind", ["report", "compare", "view"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_how_it_looks(
    kind: str, scheme: str, size: tuple[int, int], pages: dict[str, str], folder: Path, watched: Open
) -> None:
    watch = watched(size=size, scheme=scheme)
    page = watch.open(pages[kind])
    page.evaluate("seek(2)")
    watch.settled()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    kept = Path(os.environ.get("SALIENTCLIPS_ARTEFACTS", folder))
    kept.mkdir(parents=True, exist_ok=True)
    shot = kept / f"{kind}-{'phone' if size == PHONE else 'desktop'}-{scheme}.png"
    page.screenshot(path=shot, full_page=True)
    assert shot.stat().st_size > 10_000


@pytest.mark.parametrize("kind", ["report", "compare", "view"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(kind: str, scheme: str, pages: dict[str, str], watched: Open) -> None:
    source = axe_source()
    watch = watched(scheme=scheme)
    page = watch.open(pages[kind])
    page.evaluate(source)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]] == []


def test_a_page_that_compares_marks_each_lane(pages: dict[str, str], folder: Path, watched: Open) -> None:
    watch = watched()
    page = watch.open(pages["compare"])
    lanes = page.locator(".lane-marks")
    assert [lane.locator(".band").count() for lane in lanes.all()] == [4, 4]
    assert [lane.locator(".rank").count() > 0 for lane in lanes.all()] == [True, True]
    page.keyboard.press("ArrowDown")
    first = page.evaluate("Math.min(...data.lanes.flat().map((clip) => clip.start).filter((t) => t > 0.05))")
    assert watch.settled() == pytest.approx(first, abs=0.01)
    watch.check(folder.as_uri())
