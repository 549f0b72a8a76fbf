"""Budgets: what each gives to the decoder and no more, with times, failures and stored scores as right as ever."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_files import MadeFile
from media_files import make_video
from moving_pictures import shifting, write_video
from salientclips import load_scores, save_scores, score
from salientclips.cache.features import entry_path
from salientclips.cli.run import run
from salientclips.compressed.budget import motion_to_read
from salientclips.compressed.choose import pairs_to_read
from salientclips.compressed.decoded import read_features
from salientclips.compressed.reader import FeatureReader
from salientclips.corpus.job import Job, Scoring
from salientclips.errors import InputError, StoredScoresError, UnknownNameError
from salientclips.media import motion
from salientclips.media.demux import clip_grid, read_packets
from salientclips.media.references import find_references, rows_from_keys
from salientclips.samplers import DEFAULT_SAMPLER, Motion, make_sampler
from salientclips.timeline import ClipSpec
from salientclips.types import BUDGETS, Budget, ClipFeatures, FeatureParameters

GetMade = Callable[[str], MadeFile]
SHORT = ClipSpec(8, 1)
MATCHED = ["hevc_mp4", "hevc_open_gop_ts", "vp9_webm", "av1_mp4", "mjpeg_avi", "prores_mov"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows of the packets that the decoder is given, as they come."""
    rows: list[int] = []
    decode = motion.decoded_frames

    def watched(context: Any, packet: Any) -> Any:
        if packet is not None:
            rows.append(packet.pts)
        return decode(context, packet)

    monkeypatch.setattr(motion, "decoded_frames", watched)
    return rows


def read(
    path: Path, budget: Budget, frames: int = 4, clip: ClipSpec = SHORT, threads: int = 1
) -> list[ClipFeatures]:
    table = read_packets(path)
    parameters = FeatureParameters(frames, ("md", "rgbr"), budget)
    return list(read_features(path, table, clip_grid(table, clip), parameters, threads=threads))


# --- what is decoded ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hevc_mp4", "hevc_open_gop_ts", "vp9_webm", "av1_mp4", "h264_bframes_mp4"])
def test_fast_decodes_little_behind_each_key_frame(made: GetMade, decoded: list[int], name: str) -> None:
    path = made(name).path
    table = read_packets(path)
    keys = np.flatnonzero(table.is_key)
    assert len(keys) > 1
    clips = read(path, "fast")
    assert all(clip.times and clip.failures == 0 for clip in clips)
    before = find_references(table).before
    for key in keys:
        behind = [
            row for row in decoded if key <= row < np.append(keys, len(table))[keys.searchsorted(key) + 1]
        ]
        assert behind[0] == key
        # up to the frame shown next, which B-frames and hidden frames may put some packets away
        assert before[behind[-1]] == key or table.pts[behind[-1]] > table.pts[key]
        assert len(behind) <= 5
        assert all(table.pts[row] >= table.pts[key] for row in behind)
    assert len(decoded) < 0.35 * len(table)


@pytest.mark.parametrize("name", ["mjpeg_avi", "prores_mov"])
@pytest.mark.parametrize(("budget", "pairs"), [("full", 4), ("balanced", 2), ("fast", 1)])
def test_of_intra_codecs_only_pairs_are_decoded(
    made: GetMade, decoded: list[int], name: str, budget: Budget, pairs: int
) -> None:
    clips = read(made(name).path, budget, clip=ClipSpec(15, 1))
    assert [len(clip.times) for clip in clips] == [pairs] * len(clips)
    assert len(decoded) == len(set(decoded)) == 2 * pairs * len(clips)


@pytest.mark.parametrize("name", ["hevc_mp4", "vp9_webm"])
def test_balanced_compares_half_as_often(made: GetMade, name: str) -> None:
    path = made(name).path
    full, balanced = read(path, "full", clip=ClipSpec(30, 1)), read(path, "balanced", clip=ClipSpec(30, 1))
    assert [len(clip.times) for clip in full] == [4] * len(full)
    assert [len(clip.times) for clip in balanced] == [2] * len(full)
    two = read(path, "full", frames=2, clip=ClipSpec(30, 1))
    for one, other in zip(balanced, two, strict=True):
        assert one.times == other.times
        np.testing.assert_array_equal(one.md, other.md)
        np.testing.assert_array_equal(one.energy, other.energy)


@pytest.mark.parametrize(("frames", "read_of_clip"), [(1, 1), (2, 2), (3, 2), (0, 2)])
def test_balanced_never_reads_more_than_is_asked_for(made: GetMade, frames: int, read_of_clip: int) -> None:
    clips = read(made("mjpeg_avi").path, "balanced", frames=frames)
    assert {len(clip.times) for clip in clips} == {read_of_clip}


def test_the_decoder_makes_small_pictures_of_mjpeg_and_leaves_out_the_chroma_of_prores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, int]] = []
    small = motion.small_planes

    def watched(frame: Any, *more: Any, **named: Any) -> Any:
        sizes.append((frame.width, frame.height))
        return small(frame, *more, **named)

    monkeypatch.setattr(motion, "small_planes", watched)
    pictures = [picture[:101, :161] for picture in shifting(3, -2, 16)]
    mjpeg = write_video(
        tmp_path / "a.avi",
        pictures,
        "mjpeg",
        pixel_format="yuvj420p",
        options={"qmin": "2", "qmax": "2"},
    )
    for budget in BUDGETS:
        sizes.clear()
        for clip in read(mjpeg, budget):
            assert clip.md is not None
            assert clip.md.shape[1:] == (2, 7, 11)
            inner = clip.md[:, :, 1:-1, 1:-1]
            np.testing.assert_allclose(np.median(inner, axis=(0, 2, 3)), [3, -2], atol=0.3)
        assert set(sizes) == {(161, 101) if budget == "full" else (41, 26)}
    prores = write_video(tmp_path / "a.mov", shifting(3, -2, 16), "prores_ks", pixel_format="yuv422p10le")
    for clip, grey in zip(read(prores, "full", frames=1), read(prores, "fast"), strict=True):
        assert clip.rgbr is not None
        assert grey.rgbr is not None
        np.testing.assert_allclose(clip.md, grey.md, atol=0.2)
        np.testing.assert_allclose(clip.energy, grey.energy, rtol=0.05, atol=0.5)
        assert np.ptp(grey.rgbr, axis=1).max() < 1e-3 < np.ptp(clip.rgbr, axis=1).max()


def test_stills_are_as_large_and_coloured_as_ever(made: GetMade) -> None:
    for name in ("mjpeg_avi", "prores_mov"):
        path = made(name).path
        table = read_packets(path)
        grid = clip_grid(table, SHORT)
        by_budget = [
            [c.iframes for c in read_features(path, table, grid, FeatureParameters(1, ("md", "if"), budget))]
            for budget in BUDGETS
        ]
        for pictures in zip(*by_budget, strict=True):
            np.testing.assert_array_equal(pictures[0], pictures[2])
            np.testing.assert_array_equal(pictures[1], pictures[2])


# --- what comes of it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["motion", DEFAULT_SAMPLER])
@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("name", [*MATCHED, "mpeg2_ts"])
def test_scores_do_not_depend_on_the_run_or_on_threads(
    made: GetMade, name: str, budget: Budget, sampler: str
) -> None:
    path = made(name).path
    first = score(path, sampler, clip=SHORT, budget=budget)
    assert score(path, sampler, clip=SHORT, budget=budget, threads=4) == first
    asked = make_sampler(sampler).feature_parameters
    assert asked.frames_per_clip == 4 or sampler != "motion"
    assert first.feature_parameters == FeatureParameters(asked.frames_per_clip, asked.features, budget)
    told = "md (decoded)" if budget == "full" else f"md (decoded, {budget})"
    assert first.features_used[0] == told
    is_intra = name in ("mjpeg_avi", "prores_mov") and "packets" in asked.features
    without = ("the video gives nothing of packets: the sampler judged without it",) if is_intra else ()
    assert first.warnings == (*read_packets(path).warnings, *without)


def test_full_is_what_is_read_when_nothing_is_said(made: GetMade) -> None:
    path = made("hevc_mp4").path
    assert score(path, clip=SHORT) == score(path, clip=SHORT, budget="full")
    assert FeatureParameters(3, ("md",)) == FeatureParameters(3, ("md",), "full")


def test_what_is_parsed_is_the_same_with_every_budget(made: GetMade) -> None:
    pytest.importorskip("salientclips.compressed._native._core")
    path = made("h264_bframes_mp4").path
    by_budget = [score(path, clip=SHORT, budget=budget) for budget in BUDGETS]
    assert all(found.features_used[:2] == ("md (bitstream)", "rgbr (bitstream)") for found in by_budget)
    assert len({found.scores.tobytes() for found in by_budget}) == 1


@pytest.mark.parametrize("name", ["vfr", "ts", "h264_open_gop", "h264_open_gop_cut", *MATCHED])
def test_fast_frames_follow_a_key_frame_and_are_shown_when_it_is_said(made: GetMade, name: str) -> None:
    file = made(name)
    table = read_packets(file.path)
    grid = clip_grid(table, SHORT)
    follows = {
        table.timeline.time(int(table.pts[row]))
        for row in np.flatnonzero(find_references(table).before >= 0)
        if table.is_key[find_references(table).before[row]]
    }
    reader = FeatureReader(file.path, table, grid, backend="decoded")
    clips = list(reader.read(FeatureParameters(4, ("md", "rgbr"), "fast")))
    assert reader.frames_failed == 0
    for clip, start, end in zip(clips, grid.starts, grid.ends, strict=True):
        assert len(clip.times) == 1
        assert clip.times[0] in follows
        assert clip.times[0] < end
        assert start - clip.times[0] <= 2


def test_a_key_frame_that_is_not_shown_is_no_pair(made: GetMade) -> None:
    path = made("edit_list").path
    table = read_packets(path)
    grid = clip_grid(table, SHORT)
    reader = FeatureReader(path, table, grid, backend="decoded")
    clips = list(reader.read(FeatureParameters(4, ("md",), "fast")))
    assert reader.frames_failed == 0
    # the first clip has its own middle frame, and those after it share that until there is a key frame
    assert [round(float(clip.times[0]) * 30) for clip in clips[:5]] == [4, 4, 4, 31, 31]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("name", ["rotated_90", "rotated_180"])
def test_rotation_turns_the_grid(made: GetMade, name: str, budget: Budget) -> None:
    upright = read(made("h264_bframes_mp4").path, budget, clip=ClipSpec(30, 1))[0]
    turned = read(made(name).path, budget, clip=ClipSpec(30, 1))[0]
    assert upright.md is not None
    assert turned.md is not None
    assert turned.md.shape[2:] == (upright.md.shape[2:] if name == "rotated_180" else upright.md.shape[:1:-1])


def test_decoding_may_begin_at_an_open_group_of_pictures(made: GetMade, decoded: list[int]) -> None:
    path = made("hevc_open_gop_ts").path
    table = read_packets(path)
    rows = {int(row) for some in pairs_to_read(table, clip_grid(table, SHORT)) for row in some}
    before = find_references(table).before
    feed = rows_from_keys(table, frozenset(rows | {int(before[row]) for row in rows}))
    leading = [
        row
        for row in range(len(table))
        for key in np.flatnonzero(table.is_key[: row + 1])[-1:]
        if table.pts[row] < table.pts[key]
    ]
    assert leading
    assert not feed[leading].any()
    # the pictures are those that a decoder makes that was given everything
    small = {}
    for budget in ("full", "fast"):
        small[budget] = {
            item.row: [plane.copy() for plane in item.planes]
            for item in motion.read_motion(
                path, table, rows, thrift=motion.Thrift(from_keys=budget == "fast")
            )
            if isinstance(item, motion.MotionFrame)
        }
    assert set(small["fast"]) == rows == set(small["full"])
    for row in rows:
        for one, other in zip(small["fast"][row], small["full"][row], strict=True):
            np.testing.assert_array_equal(one, other)
    assert len(decoded) > 0


def test_where_key_frames_are_far_apart_a_frame_stands_for_two_seconds(tmp_path: Path) -> None:
    rate = Fraction(5)
    path = make_video(
        tmp_path / "far.mp4",
        codec="mpeg2video",
        frames=160,
        rate=rate,
        gop=600,
        size=(64, 48),
        container="mp4",
    )
    table = read_packets(path)
    assert table.is_key.sum() == 1
    grid = clip_grid(table, SHORT)
    rows = [int(some[0]) for some in pairs_to_read(table, grid)]
    times = [float(table.timeline.time(int(table.pts[row]))) for row in rows]
    assert len(set(rows)) == len(rows) / 2
    assert times == sorted(times)
    for start, end, shown in zip(grid.start_s, grid.end_s, times, strict=True):
        assert start - 2 <= shown < end
    clips = read(path, "fast")
    assert [float(clip.times[0]) for clip in clips] == times


def test_a_video_of_one_frame_has_no_pair(tmp_path: Path) -> None:
    path = make_video(tmp_path / "one.avi", codec="mjpeg", frames=1, pixel_format="yuvj420p")
    for budget in BUDGETS:
        (clip,) = read(path, budget)
        assert clip.times == ()
        assert clip.failures == 0


@pytest.mark.parametrize("budget", BUDGETS)
def test_flipped_bytes_cost_frames_that_are_counted(made: GetMade, tmp_path: Path, budget: Budget) -> None:
    source = made("mjpeg_avi").path
    data = bytearray(source.read_bytes())
    table = read_packets(source)
    chosen = motion_to_read(table, clip_grid(table, SHORT), FeatureParameters(4, ("md", "rgbr"), budget))
    row = int(chosen[2][0])
    with motion.open_container(source) as container:
        packets = list(motion.counted_packets(container, container.streams.video[0]))
    at = data.find(bytes(packets[row]))
    data[at : at + len(bytes(packets[row]))] = bytes(len(bytes(packets[row])))
    broken = tmp_path / "broken.avi"
    broken.write_bytes(data)
    reader = FeatureReader(broken, table, clip_grid(table, SHORT), backend="decoded")
    clips = list(reader.read(FeatureParameters(4, ("md", "rgbr"), budget)))
    assert clips[2].failures >= 1
    assert len(clips[2].times) + clips[2].failures == len(chosen[2])
    assert reader.frames_failed == sum(clip.failures for clip in clips)
    assert "could not be read" in reader.warnings[0]


def test_a_lost_key_frame_is_counted_for_every_clip_that_it_stands_for(made: GetMade, tmp_path: Path) -> None:
    source = made("vp9_webm").path
    table = read_packets(source)
    grid = clip_grid(table, SHORT)
    key = int(np.flatnonzero(table.is_key)[1])
    data = bytearray(source.read_bytes())
    with motion.open_container(source) as container:
        packet = bytes(list(motion.counted_packets(container, container.streams.video[0]))[key])
    at = data.find(packet)
    data[at : at + len(packet)] = bytes(len(packet))
    broken = tmp_path / "broken.webm"
    broken.write_bytes(data)
    rows = pairs_to_read(table, grid)
    clips = list(read_features(broken, table, grid, FeatureParameters(1, ("md",), "fast")))
    lost = [clip.index for clip in clips if clip.failures]
    assert lost == [i for i, some in enumerate(rows) if find_references(table).before[some[0]] == key]
    assert len(lost) > 1


# --- the option -----------------------------------------------------------------------------------------------


def test_a_word_that_is_no_budget_is_refused(made: GetMade) -> None:
    path = made("mjpeg_avi").path
    with pytest.raises(UnknownNameError, match="budget 'cheap'"):
        score(path, budget="cheap")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="budget"):
        Scoring(budget="cheap")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        read(path, "fast", frames=-1)


@pytest.mark.parametrize("suffix", [".json", ".csv", ".parquet"])
def test_score_files_keep_the_budget_and_check_it(made: GetMade, tmp_path: Path, suffix: str) -> None:
    path, file = made("mjpeg_avi").path, tmp_path / f"scores{suffix}"
    found = score(path, Motion(), clip=SHORT, budget="fast")
    save_scores(found, file)
    assert load_scores(file, path) == found
    assert load_scores(file, path, sampler=Motion(), budget="fast") == found
    with pytest.raises(StoredScoresError, match="the budget fast, not full"):
        load_scores(file, path, budget="full")


def test_score_files_from_before_there_were_budgets_are_full(made: GetMade, tmp_path: Path) -> None:
    path, file = made("mjpeg_avi").path, tmp_path / "scores.json"
    found = score(path, Motion(), clip=SHORT)
    save_scores(found, file)
    content = json.loads(file.read_text())
    assert content["feature_parameters"].pop("budget") == "full"
    file.write_text(json.dumps(content))
    assert load_scores(file, path, sampler=Motion(), budget="full") == found
    content["feature_parameters"]["budget"] = "none"
    file.write_text(json.dumps(content))
    with pytest.raises(UnknownNameError, match="budget 'none'"):
        load_scores(file, path)


def test_the_cache_tells_budgets_apart_and_finds_what_it_had(made: GetMade, tmp_path: Path) -> None:
    path, parameters = made("mjpeg_avi").path, FeatureParameters(2, ("md",))
    names = {entry_path(path, replace(parameters, budget=one), SHORT, tmp_path).name for one in BUDGETS}
    assert len(names) == len(BUDGETS)
    assert parameters.facts() == {"frames_per_clip": 2, "features": ["md"]}
    assert replace(parameters, budget="fast").facts()["budget"] == "fast"


def test_a_corpus_job_of_another_budget_is_another_job() -> None:
    facts = [Job(scoring=Scoring(budget=one)).facts() for one in BUDGETS]
    assert facts[0] != facts[1] != facts[2] != facts[0]
    assert facts[2] == Job().facts()
    assert "budget" not in facts[2]["feature_parameters"]


def test_the_command_line_takes_it(made: GetMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video, file = str(made("mjpeg_avi").path), str(tmp_path / "scores.json")
    told = ["--clip-frames", "8", "--frame-step", "1", "--json"]
    assert run(["score", video, "--budget", "fast", "-o", file, *told]) == 0
    assert json.loads(capsys.readouterr().out)["feature_parameters"]["budget"] == "fast"
    assert run(["select", video, "--scores", file, "--budget", "fast", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["features_used"][0] == "md (decoded, fast)"
    assert run(["select", video, "--scores", file, "--budget", "balanced", "--json"]) != 0
    assert "the budget fast, not balanced" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert run(["select", video, "--budget", "cheap", "--json"]) != 0
    assert "fast" in json.loads(capsys.readouterr().out)["error"]["remedy"]
    exported = str(tmp_path / "clips.csv")
    assert run(["export", video, "-o", exported, "--budget", "fast", "-k", "2", "--json"]) == 0
    assert Path(exported).is_file()


DATA = Path(os.environ.get("SALIENTCLIPS_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.mark.parametrize("name", ["av1_video.mkv", "h265_10bits.mp4"])
def test_real_files(name: str) -> None:
    path = DATA / "originals" / name
    if not path.is_file():
        pytest.skip(f"the real videos are not at {DATA}")
    for budget in BUDGETS:
        found = score(path, clip=SHORT, budget=budget)
        assert np.isfinite(found.scores).all()
        assert not any("could not be read" in warning for warning in found.warnings)
