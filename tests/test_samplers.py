"""The samplers that need no training, on evidence whose answer is known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from builders import NTSC, make_evidence, make_features, make_table
from salientclips.errors import InputError, UnknownNameError
from salientclips.samplers import (
    SAMPLERS,
    CumulativeMotion,
    Empirical,
    Motion,
    PacketCost,
    Random,
    Uniform,
    VideoEvidence,
    make_sampler,
)
from salientclips.timeline import ClipGrid


def two_clips(types: str = "IPPPPPPP", sizes: list[int] | None = None) -> VideoEvidence:
    table = make_table(types, sizes or [100] * len(types))
    half = len(types) // 2
    grid = ClipGrid.from_spans([(0 * NTSC, half * NTSC), (half * NTSC, len(types) * NTSC)])
    return make_evidence(table, grid, [])


def moving(speed: float, *, pan: float = 0.0, side: int = 14) -> np.ndarray:
    """A field that pans, with a quarter of its cells moving against it by ``speed``."""
    md = np.zeros((1, 2, side, side))
    md[:, 0] = pan
    md[:, 1, : side // 2, : side // 2] += speed
    return md


def test_every_name_makes_the_sampler_of_that_name() -> None:
    assert [make_sampler(name).name for name in SAMPLERS] == list(SAMPLERS)
    with pytest.raises(UnknownNameError, match=r"choose one of: .*motion"):
        make_sampler("emotion")


def test_uniform_and_random() -> None:
    evidence = two_clips()
    assert Uniform()(evidence).tolist() == [1.0, 1.0]
    assert Random(7)(evidence).tolist() == Random(7)(evidence).tolist()
    assert Random(7)(evidence).tolist() != Random(8)(evidence).tolist()


def test_empirical_draws_clips_as_often_as_the_histogram_says() -> None:
    spans = [(Fraction(i), Fraction(i + 1)) for i in range(8)]
    evidence = make_evidence(make_table("IP", [1, 1]), ClipGrid.from_spans(spans), [])
    # quarters of the video with weights 1, 3, 0, 0: clips 0 and 1 share the first, 2 and 3 the second
    drawn = [Empirical((1.0, 3.0, 0.0, 0.0), seed)(evidence) for seed in range(2000)]
    first = np.bincount([int(np.argmax(scores)) for scores in drawn], minlength=8) / 2000
    assert first == pytest.approx([1 / 8, 1 / 8, 3 / 8, 3 / 8, 0, 0, 0, 0], abs=0.04)
    assert all(set(np.argsort(-scores)[:4]) == {0, 1, 2, 3} for scores in drawn)
    assert all(np.isfinite(scores).all() for scores in drawn)
    assert drawn[0].tolist() == Empirical((1.0, 3.0, 0.0, 0.0), 0)(evidence).tolist()


@pytest.mark.parametrize("histogram", [(), (0.0, 0.0), (1.0, -1.0), (float("nan"),)])
def test_empirical_refuses_an_impossible_histogram(histogram: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="histogram"):
        Empirical(histogram)


def test_packet_cost_is_relative_to_the_type() -> None:
    # P-frames cost 100 in the first clip and 300 in the second: mean 200, so 0.5 and 1.5.
    evidence = two_clips("PPPPPPPP", [100] * 4 + [300] * 4)
    assert PacketCost()(evidence) == pytest.approx([0.5, 1.5])
    # B-frames are cheap by nature: half as large, but no less dear among their kind.
    evidence = two_clips("PPPPBBBB", [100] * 4 + [50] * 4)
    assert PacketCost()(evidence) == pytest.approx([1.0, 1.0])


def test_packet_cost_leaves_out_key_frames_unless_there_is_nothing_else() -> None:
    assert PacketCost()(two_clips("IPPPPPPP", [9000] + [100] * 7)) == pytest.approx([1.0, 1.0])
    assert PacketCost()(two_clips("IIIIIIII", [100] * 4 + [300] * 4)) == pytest.approx([0.5, 1.5])


def test_packet_cost_of_a_clip_without_frames_is_unknown() -> None:
    table = make_table("PPPP", [1, 2, 3, 4])
    grid = ClipGrid.from_spans([(Fraction(0), Fraction(1)), (Fraction(50), Fraction(51))])
    scores = PacketCost()(make_evidence(table, grid, []))
    assert scores[0] == pytest.approx(1.0)
    assert np.isnan(scores[1])


@pytest.mark.parametrize("sampler", [Motion(), CumulativeMotion()])
def test_motion_against_the_camera_counts_and_a_pan_does_not(sampler: Motion) -> None:
    evidence = two_clips()
    clips = [make_features(0, moving(0, pan=30), 4.0), make_features(1, moving(6, pan=3), 4.0)]
    still, busy = sampler(make_evidence(evidence.table, evidence.grid, clips))
    assert still == pytest.approx(0.0, abs=1e-3)
    assert busy > 0.5


def test_motion_does_not_depend_on_the_size_of_the_picture() -> None:
    evidence = two_clips()
    clips = [make_features(0, moving(2, side=14), 4.0), make_features(1, moving(8, side=56), 4.0)]
    a, b = Motion()(make_evidence(evidence.table, evidence.grid, clips))
    assert a == pytest.approx(b, rel=1e-3)


def test_motion_counts_what_could_not_be_predicted() -> None:
    evidence = two_clips()
    clips = [make_features(0, moving(4), energy=1.0), make_features(1, moving(4), energy=100.0)]
    less, more = Motion()(make_evidence(evidence.table, evidence.grid, clips))
    # a quarter of the cells moves by 4 pixels: 1 on average; the camera's share is small but not nothing
    assert less == pytest.approx(np.log1p(1.0), abs=0.2)
    assert np.expm1(more) == pytest.approx(10 * np.expm1(less))


def test_noise_without_motion_and_sliding_without_residual_do_not_count() -> None:
    evidence = two_clips()
    clips = [make_features(0, moving(0), energy=99.0), make_features(1, moving(5), energy=0.0)]
    scores = Motion()(make_evidence(evidence.table, evidence.grid, clips))
    assert scores == pytest.approx([0.0, 0.0], abs=1e-6)


def test_the_residual_of_intra_cells_is_left_out() -> None:
    evidence = two_clips()
    valid = np.ones((1, 14, 14), dtype=np.bool_)
    valid[:, :, 7:] = False
    clip = make_features(0, moving(4), energy=4.0, valid=valid)
    wild = make_features(1, moving(4), energy=4.0, valid=valid)
    assert wild.energy is not None
    wild.energy[~valid] = 1e6
    a, b = Motion()(make_evidence(evidence.table, evidence.grid, [clip, wild]))
    assert a == b > 0


@pytest.mark.parametrize("sampler", [Motion(), CumulativeMotion()])
def test_clips_without_frames_are_unknown(sampler: Motion) -> None:
    evidence = two_clips()
    clips = [make_features(0, np.zeros((0, 2, 4, 4))), make_features(1, moving(1))]
    scores = sampler(make_evidence(evidence.table, evidence.grid, clips))
    assert np.isnan(scores).tolist() == [True, False]


def test_all_intra_frames_do_not_move() -> None:
    evidence = two_clips()
    intra = np.zeros((1, 14, 14), dtype=np.bool_)
    clips = [make_features(0, moving(0), valid=intra, energy=3.0), make_features(1, moving(1))]
    assert np.isfinite(Motion()(make_evidence(evidence.table, evidence.grid, clips))).all()
