"""Strategies as look-ups, what they cost, and the tables made of them, on made-up videos."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import make_table
from made_cases import grid_of, made_set, make_case
from made_files import MadeFile
from salientclips.classifiers import ClipInput
from salientclips.datasets.manifest import LeftOut
from salientclips.errors import InputError, MissingExtraError
from salientclips.evaluation.case import PARTS, variants
from salientclips.evaluation.cost import sampler_gflops
from salientclips.evaluation.decoding import DecodePlan, plan_decoding
from salientclips.evaluation.outcome import Bench, Row, make_bench, outcomes
from salientclips.evaluation.report import Evaluation, sampler_rows
from salientclips.evaluation.strategies import Strategy, chosen, usual_strategies
from salientclips.evaluation.tables import STRATEGY_COLUMNS, write_tables
from salientclips.media.decode import FrameReader
from salientclips.media.demux import clip_grid, read_packets
from salientclips.samplers.card import COMBINATIONS, SamplerCard, StreamCard
from salientclips.timeline import ClipSpec

SHOWN = ClipInput(4, 2, 64, 64, (0.0,) * 3, (1.0,) * 3, gflops=1.0)


def rows_by(found: tuple[Row, ...]) -> dict[tuple[str, int | None], Row]:
    return {(row.strategy.title, row.k): row for row in found}


def read_csv(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return make_bench(made_set(24), "top-1", draws=10, seed=0)


@pytest.fixture(scope="module")
def evaluation(bench: Bench) -> Evaluation:
    found = outcomes(bench, usual_strategies(("good", "fair"), (1.0, 2.0, 1.0)), (1, 3, 5, 10))
    samplers = sampler_rows(bench, ("good", "fair"), {}, 5)
    left = (LeftOut(Path("gone.mp4"), "'gone.mp4' does not exist"),)
    return Evaluation("made", "test", "f@0", "top-1", 5, bench, found, samplers, left, (), "abc")


def test_each_strategy_takes_the_clips_it_says() -> None:
    case = make_case([[0.1, 0.9], [0.7, 0.3], [0.6, 0.4], [0.9, 0.1]], 0, {"s": [4.0, 1.0, 3.0, 2.0]})
    assert chosen(case, Strategy("dense"), [2]) == (((0, 1, 2, 3),),)
    assert chosen(case, Strategy("oracle"), [1, 2]) == (((3,),), ((3, 1),))
    assert chosen(case, Strategy("sampler", "s"), [3]) == (((0, 2, 3),),)
    assert chosen(case, Strategy("uniform"), [2]) == (((0, 2),),)
    assert chosen(case, Strategy("oracle"), [9]) == (((3, 1, 2, 0),),)
    with pytest.raises(InputError, match="no strategy"):
        chosen(case, Strategy("luck"), [1])


@given(k=st.integers(1, 12), seed=st.integers(0, 5))
def test_chance_draws_different_clips_and_the_same_ones_again(k: int, seed: int) -> None:
    case = make_case([[0.5, 0.5]] * 10, 0)
    for strategy in (Strategy("random"), Strategy("empirical", histogram=(1.0, 0.0, 2.0))):
        (draws,) = chosen(case, strategy, [k], draws=7, seed=seed)
        assert len(draws) == 7
        assert all(len(set(clips)) == min(k, 10) for clips in draws)
        assert (draws,) == chosen(case, strategy, [k], draws=7, seed=seed)


def test_two_videos_of_one_length_are_not_drawn_alike() -> None:
    one, two = (make_case([[0.5, 0.5]] * 40, 0, name=name) for name in ("a", "b"))
    assert chosen(one, Strategy("random"), [10]) != chosen(two, Strategy("random"), [10])


def test_the_video_is_the_mean_of_its_clips_and_accuracy_is_counted() -> None:
    cases = [
        make_case([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], 0, {"s": [3.0, 2.0, 1.0]}, name="a"),
        make_case([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], 1, {"s": [3.0, 2.0, 1.0]}, name="b"),
    ]
    bench = make_bench(cases, "top-1", draws=3, seed=0)
    found = rows_by(tuple(o.row for o in outcomes(bench, usual_strategies(["s"], ()), [1, 2, 3])))
    # video a: dense mean of class 0 is 0.467, so it is wrong there; b is right
    assert found["dense", None].accuracy == 0.5
    assert found["oracle", 1].accuracy == 1.0
    # top 1 is clip 0, which says class 0: a right, b wrong; with clip 1 the mean is 0.55: the same
    assert found["s", 1].accuracy == found["s", 2].accuracy == 0.5
    assert found["random", 3].accuracy == found["dense", None].accuracy == found["s", 3].accuracy
    assert (found["s", 1].accuracy_low, found["s", 1].accuracy_high) == (0.0, 1.0)


def test_a_sampler_that_knows_beats_chance_and_not_the_oracle(evaluation: Evaluation) -> None:
    found = rows_by(evaluation.rows)
    for k in (1, 3, 5):
        oracle, good, fair = (found[name, k].accuracy for name in ("oracle", "good", "fair"))
        assert oracle >= good > fair > found["random", k].accuracy
    assert found["good", 5].accuracy_low > found["uniform", 5].accuracy_high
    aucs = {row.sampler: row.finding.auc for row in evaluation.samplers}
    assert aucs["good"] > 0.9 > aucs["fair"] > 0.6


def test_what_looking_costs() -> None:
    # 12 clips of 10 frames, a key frame every 3 clips; a clip takes 1 s of decoding, 1 s of preparing, 4 s of f
    case = make_case([[0.5, 0.5]] * 12, 0, {"s": [0.0] * 12}, gop=3)
    spent = case.seconds((5,), "s")
    # clip 5 is the third of its GOP: 30 frames pass of 120
    decode = 12 * 30 / 120 + 1
    assert spent == {"demux": 0.125, "features": 0.5, "sampler": 0.25, "decode": decode, "classifier": 4.0}
    assert case.seconds((3, 5), None)["decode"] == 3 + 2
    assert case.seconds((0, 5), None)["decode"] == pytest.approx(4 + 2)
    assert case.seconds((5,), None, looks_at_all=True)["classifier"] == 48.0
    assert case.gflops((1, 2), "s") == 81.5
    assert case.gflops((1, 2), None, looks_at_all=True) == 480.0


@given(st.lists(st.integers(0, 11), unique=True, min_size=1))
def test_frames_are_counted_once(clips: list[int]) -> None:
    plan = DecodePlan(np.arange(12) // 4 * 40, (np.arange(12) + 1) * 10)
    seen = set()
    for i in clips:
        seen |= set(range(i // 4 * 40, (i + 1) * 10))
    assert plan.frames(clips) == len(seen)
    assert plan.all_frames == 120


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "h264_mkv", "vfr"])
def test_the_frames_counted_are_those_the_decoder_passes(
    name: str, made: Callable[[str], MadeFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    from salientclips.classifiers.look import clip_frame_times
    from salientclips.media import decode
    from salientclips.media.demux import lazy_times
    from salientclips.types import SelectedClip

    path = made(name).path
    table = read_packets(path)
    grid = clip_grid(table, ClipSpec(4, 2))
    plan = plan_decoding(table, grid, SHOWN)
    passed = 0
    original = decode._Decoding._decode

    def counted(self):  # type: ignore[no-untyped-def]
        nonlocal passed
        for item in original(self):
            passed += 1
            yield item

    monkeypatch.setattr(decode._Decoding, "_decode", counted)
    for clips in ([0], [len(grid) - 1], [1, len(grid) // 2, len(grid) - 1], range(len(grid))):
        passed = 0
        with FrameReader(path, table) as reader:
            for i in clips:
                clip = SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0)
                reader.frames_at(clip_frame_times(clip, lazy_times(table), SHOWN))
        # frames that a seek shows before the wanted ones, and those of B-frames in flight, are the difference
        assert abs(plan.frames(clips) - passed) <= 4 * len(list(clips)), (
            list(clips),
            plan.frames(clips),
            passed,
        )


def test_plan_of_a_table_by_hand() -> None:
    table = make_table("IPPPIPPPIPPP", [1] * 12, time_base=Fraction(1, 10))
    plan = plan_decoding(
        table, clip_grid(table, ClipSpec(2, 1)), ClipInput(2, 1, 8, 8, (0.0,) * 3, (1.0,) * 3, None)
    )
    assert plan.first.tolist() == [0, 0, 4, 4, 8, 8]
    assert plan.stop.tolist() == [2, 4, 6, 8, 10, 12]


def test_other_clips_than_the_classifiers_are_refused() -> None:
    case = make_case([[0.5, 0.5]] * 4, 0, {"s": [0.0] * 4})
    with pytest.raises(InputError, match="other clips"):
        replace(case, dense=replace(case.dense, grid=grid_of(5)))


def test_variants_are_streams_and_combinations() -> None:
    streams = {
        "md": np.array([1.0, 2.0, 3.0]),
        "visual": np.array([1.0, 2.0, 3.0]),
        "audio": np.array([9.0, np.nan, 0.0]),
    }
    case = make_case([[0.5, 0.5]] * 3, 0, {"s": [1.0, 2.0, 3.0]}, streams=streams)
    found = variants(case.judgements["s"].scores)
    assert set(found) == {"md", "visual", "audio", *COMBINATIONS}
    assert found["audio"].scores.tolist() == [9.0, 4.5, 0.0]
    assert [c.index for c in found["av-union-list"].select(2).clips] == [2, 1]
    assert [c.index for c in found["audio"].select(1).clips] == [0]
    assert variants(make_case([[1.0]], 0, {"s": [1.0]}).judgements["s"].scores) == {}
    rows = sampler_rows(make_bench([case], "top-1", draws=1, seed=0), ["s"], {}, 2)
    assert [row.part for row in rows] == ["", *found]


def test_the_networks_of_a_sampler_are_counted() -> None:
    def stream(name: str, mmacs: float) -> StreamCard:
        return StreamCard(name, "resnet18", "ac", (0.0,), (1.0,), 1, mmacs)  # type: ignore[arg-type]

    card = SamplerCard("s", (stream("md", 10.0), stream("if", 100.0), stream("audio", 5.0)), ClipSpec(), 2)
    table = make_table("IPPPPPPPIPPP", [1] * 12)
    # 2 of 10 P-frames a clip in 3 clips, 1 key frame (the second I is none here), 3 windows
    keys = int(table.is_key.sum())
    assert sampler_gflops(card, table, 3) == pytest.approx((6 * 10 + keys * 100 + 3 * 5) / 1000)
    assert sampler_gflops(replace(card, frames_per_clip=0), table, 3) == pytest.approx(
        (100 + keys * 100 + 15) / 1000
    )
    assert sampler_gflops(None, table, 3) == 0.0


def test_tables_have_their_columns_and_numbers(evaluation: Evaluation, tmp_path: Path) -> None:
    files = {file.stem: file for file in write_tables(evaluation, tmp_path / "new")}
    assert set(files) == {"strategies", "metrics", "seconds", "samplers", "videos", "left_out"}
    rows = read_csv(files["strategies"])
    assert tuple(rows[0]) == STRATEGY_COLUMNS
    assert len(rows) == 6 * 4 + 1
    (dense,) = (row for row in rows if row["strategy"] == "dense")
    assert dense["k"] == ""
    assert {row["commit"] for row in rows} == {"abc"}
    good = next(row for row in rows if row["sampler"] == "good" and row["k"] == "5")
    found = rows_by(evaluation.rows)["good", 5]
    assert float(good["accuracy"]) == pytest.approx(found.accuracy, rel=1e-5)
    seconds = read_csv(files["seconds"])
    for row in seconds:
        assert float(row["total_s"]) == pytest.approx(
            sum(float(row[f"{part}_s"]) for part in PARTS), rel=1e-4
        )
    videos = read_csv(files["videos"])
    share = [float(row["correct"]) for row in videos if row["sampler"] == "good"]
    assert np.mean(share) == pytest.approx(found.accuracy)
    assert read_csv(files["left_out"])[0]["path"] == "gone.mp4"


def test_figures_come_with_their_numbers_and_are_the_same_twice(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install 'salientclips[plots]'")
    from salientclips.evaluation import figures
    from salientclips.evaluation.figure_data import accuracy_over_k

    names = ("accuracy_over_k", "accuracy_over_seconds", "where_clips_lie", "timelines")
    files = figures.draw_figures(evaluation, tmp_path / "a")
    assert {file.name for file in files} == {f"{n}.{s}" for n in names for s in ("csv", "svg", "png")}
    assert all(file.stat().st_size > 100 for file in files)
    svg, _ = figures._save(figures._draw_over_k(evaluation, accuracy_over_k(evaluation)), tmp_path / "again")
    same = hashlib.sha256(svg.read_bytes()).digest()
    assert same == hashlib.sha256((tmp_path / "a" / "accuracy_over_k.svg").read_bytes()).digest()
    drawn = (tmp_path / "a" / "accuracy_over_k.svg").read_text()
    for word in ("good", "fair", "oracle", "dense (all clips)", "top-1 accuracy (%)", "K, clips looked at"):
        assert word in drawn
    shares = read_csv(tmp_path / "a" / "where_clips_lie.csv")
    good = [float(row["share_percent"]) for row in shares if row["sampler"] == "good"]
    assert len(good) == 10
    assert sum(good) == pytest.approx(100, abs=0.01)


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from salientclips.evaluation.figures import check_can_draw

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"salientclips\[plots\]"):
        check_can_draw()


def test_names_at_line_ends_are_kept_apart() -> None:
    from salientclips.evaluation.figures import _apart

    places = _apart([1.0, 1.0, 1.1, 5.0], 1.0)
    assert np.diff(places).min() >= 1.0 - 1e-9
    assert np.mean(places[:3]) == pytest.approx(np.mean([1.0, 1.0, 1.1]))
    assert places[3] == 5.0
