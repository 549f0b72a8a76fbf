"""The objectives against their formulas, the targets, and what is drawn at each step."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.cache.types import DensePredictions
from salientclips.errors import InputError, UnknownNameError
from salientclips.timeline import ClipGrid
from salientclips.training.options import TrainingOptions
from salientclips.training.targets import histogram_of_best, make_targets
from salientclips.training.validate import card_figures, k_for, top
from salientclips.types import Fingerprint

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

from salientclips.training.batches import View, common_size, cut, draw_visit, generator, take_frames  # noqa: E402
from salientclips.training.objectives import (  # noqa: E402
    ac_loss,
    class_log_probabilities,
    make_pairs,
    raw_scores,
    sal_cl_loss,
    sal_rank_loss,
)


def logits(seed: int, clips: int, frames: int, outputs: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(clips, frames, outputs, generator=torch.Generator().manual_seed(seed))


def test_ac_is_the_cross_entropy_of_the_mean_probability() -> None:
    a, b = logits(0, 5, 3, 4), logits(1, 5, 2, 4)
    mean = 0.25 * torch.softmax(a, 2).mean(1) + 0.75 * torch.softmax(b, 2).mean(1)
    assert torch.allclose(class_log_probabilities([(a, 0.25), (b, 0.75)]).exp(), mean, atol=1e-6)
    truth = torch.zeros(5, 4, dtype=torch.bool)
    truth[:, 2] = True
    assert torch.allclose(ac_loss([(a, 0.25), (b, 0.75)], truth), -mean[:, 2].log(), atol=1e-5)
    truth[:, 0] = True
    expected = -(mean[:, 2] + mean[:, 0]).log()
    assert torch.allclose(ac_loss([(a, 0.25), (b, 0.75)], truth), expected, atol=1e-5)


def test_one_network_and_one_frame_is_plain_cross_entropy() -> None:
    x = logits(2, 6, 1, 3)
    truth = torch.tensor([0, 1, 2, 0, 1, 2])
    expected = torch.nn.functional.cross_entropy(x[:, 0], truth, reduction="none")
    hot = torch.nn.functional.one_hot(truth, 3).bool()
    assert torch.allclose(ac_loss([(x, 1.0)], hot), expected, atol=1e-6)
    right = torch.tensor([True, False, True, True, False, False])
    plain = torch.nn.functional.binary_cross_entropy_with_logits(x[:, 0, 0], right.float(), reduction="none")
    assert torch.allclose(sal_cl_loss([(x[:, :, :1], 1.0)], right), plain, atol=1e-6)


def test_sal_cl_is_the_cross_entropy_of_the_mean_probability() -> None:
    a, b = logits(0, 4, 3, 1), logits(1, 4, 1, 1)
    mean = 0.5 * torch.sigmoid(a).mean(1)[:, 0] + 0.5 * torch.sigmoid(b).mean(1)[:, 0]
    right = torch.tensor([True, False, True, False])
    expected = -torch.where(right, mean, 1 - mean).log()
    assert torch.allclose(sal_cl_loss([(a, 0.5), (b, 0.5)], right), expected, atol=1e-5)


def test_sal_cl_on_a_probability_by_hand() -> None:
    # two frames with the probabilities 1/2 and 3/4: their mean is 5/8
    x = torch.tensor([0.0, math.log(3)]).reshape(1, 2, 1).expand(4, 2, 1)
    taught = torch.tensor([0.25, 0.625, 1.0, 0.0])
    found = sal_cl_loss([(x, 1.0)], taught).tolist()
    by_hand = [-(p * math.log(5 / 8) + (1 - p) * math.log(3 / 8)) for p in taught.tolist()]
    assert found == pytest.approx(by_hand, abs=1e-6)
    assert by_hand[0] == pytest.approx(0.8531, abs=1e-4)
    y = logits(4, 6, 1, 1).requires_grad_()
    shares = torch.rand(6, generator=torch.Generator().manual_seed(5))
    (gradient,) = torch.autograd.grad(sal_cl_loss([(y, 1.0)], shares).sum(), y)
    assert torch.allclose(gradient[:, 0, 0], torch.sigmoid(y[:, 0, 0]) - shares, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_right_and_wrong_are_1_and_0_bit_for_bit(scale: float) -> None:
    x = logits(6, 64, 3, 1, scale).requires_grad_()
    right = logits(7, 64, 1, 1)[:, 0, 0] > 0
    yes = torch.logsumexp(torch.nn.functional.logsigmoid(x) + np.log(1 / 3), dim=1)[:, 0]
    no = torch.logsumexp(torch.nn.functional.logsigmoid(-x) + np.log(1 / 3), dim=1)[:, 0]
    losses = [-torch.where(right, yes, no).clamp(max=0.0)]
    losses += [sal_cl_loss([(x, 1.0)], taught) for taught in (right, right.float(), right.double())]
    gradients = [torch.autograd.grad(loss.mean(), x)[0] for loss in losses]
    for loss, gradient in zip(losses[1:], gradients[1:], strict=True):
        assert loss.dtype == torch.float32
        assert loss.detach().numpy().tobytes() == losses[0].detach().numpy().tobytes()
        assert torch.equal(gradient, gradients[0])


def test_whole_answers_never_meet_a_logarithm_of_nothing() -> None:
    x = torch.tensor([torch.inf, -torch.inf]).reshape(2, 1, 1)
    assert sal_cl_loss([(x, 1.0)], torch.tensor([1.0, 0.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_a_network_that_is_sure_of_the_wrong_thing_still_learns(scale: float) -> None:
    x = logits(3, 8, 2, 5, scale).requires_grad_()
    hot = torch.nn.functional.one_hot(x.detach().mean(1).argmin(1), 5).bool()
    loss = ac_loss([(x, 1.0)], hot).mean() + sal_cl_loss([(x[:, :, :1], 1.0)], x[:, 0, 0] < 0).mean()
    (gradient,) = torch.autograd.grad(loss, x)
    assert loss.isfinite()
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0.01


@given(st.integers(0, 1000), st.floats(0, 5), st.integers(2, 7))
def test_sal_rank_is_the_hinge_of_the_paper(seed: int, margin: float, clips: int) -> None:
    rng = np.random.default_rng(seed)
    surety = rng.random(clips).round(1)
    x = logits(seed, clips, 2, 1)
    s = raw_scores([(x, 1.0)]).tolist()
    pairs, weights = make_pairs(surety, tie_gap=0.0, most=0, weight="equal", rng=rng)
    found = sal_rank_loss([(x, 1.0)], torch.from_numpy(pairs), torch.from_numpy(weights), margin)
    hinges = [
        max(0.0, margin - (1 if surety[i] > surety[j] else -1) * (s[i] - s[j]))
        for i in range(clips)
        for j in range(i + 1, clips)
        if surety[i] != surety[j]
    ]
    assert float(found.sum()) == pytest.approx(np.mean(hinges) if hinges else 0.0, abs=1e-4)
    shifted = sal_rank_loss([(x + 3.0, 1.0)], torch.from_numpy(pairs), torch.from_numpy(weights), margin)
    assert torch.allclose(found, shifted, atol=1e-4), "only differences count"


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.floats(0, 0.5),
    st.integers(0, 10),
    st.sampled_from(["equal", "gap"]),
)
def test_pairs_are_of_different_clips_and_no_ties(
    surety: list[float], tie_gap: float, most: int, weight: str
) -> None:
    values = np.array(surety)
    pairs, weights = make_pairs(values, tie_gap=tie_gap, most=most, weight=weight, rng=generator(0))  # type: ignore[arg-type]
    assert pairs.shape == (len(weights), 2)
    assert all(values[i] - values[j] > tie_gap for i, j in pairs)
    assert len({tuple(p) for p in pairs.tolist()}) == len(pairs)
    if most:
        assert len(pairs) <= most
    assert len(pairs) == 0 or float(weights.sum()) == pytest.approx(1.0, abs=1e-5)
    if weight == "gap" and len(pairs) > 1:
        gaps = values[pairs[:, 0]] - values[pairs[:, 1]]
        assert weights == pytest.approx(gaps / gaps.sum(), abs=1e-5)


def opinion(rows: list[list[float]], labels: tuple[str, ...] = ("a", "b", "c")) -> DensePredictions:
    times = tuple(Fraction(i) for i in range(len(rows) + 1))
    return DensePredictions(
        Fingerprint(1, "x"), "f", labels, ClipGrid(times[:-1], times[1:]), np.array(rows, dtype=np.float32)
    )


def test_targets_with_labels() -> None:
    found = make_targets(opinion([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]), ("b",))
    assert (found.classes, found.indices, found.is_labelled) == (("b",), (1,), True)
    assert found.surety == pytest.approx([0.25, 0.8, 0.2], abs=1e-6)
    assert found.right.tolist() == [False, True, False]
    assert found.taught("right") is found.right
    assert found.taught("surety") is found.surety


def test_several_labels_are_true_together() -> None:
    found = make_targets(opinion([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]), ("c", "a"))
    assert found.classes == ("c", "a")
    assert found.surety == pytest.approx([0.75, 0.2], abs=1e-6)
    assert found.right.tolist() == [True, False]


def test_without_labels_the_dense_verdict_is_true() -> None:
    found = make_targets(opinion([[0.5, 0.25, 0.25], [0.4, 0.6, 0.0], [0.2, 0.35, 0.45]]))
    assert (found.classes, found.is_labelled) == (("b",), False)
    assert found.right.tolist() == [False, True, False]


def test_a_label_that_f_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match=r"'d' is none of the classifier's 3 classes") as caught:
        make_targets(opinion([[1, 0, 0]]), ("d",))
    assert "without labels" in caught.value.remedy


def test_the_histogram_says_where_the_best_clips_lie() -> None:
    middles = (np.arange(10) + 0.5) / 10
    late = np.arange(10.0)
    found = histogram_of_best([(late, middles), (-late, middles)], k=2, parts=5)
    assert found == pytest.approx((0.5, 0, 0, 0, 0.5))
    assert sum(histogram_of_best([(np.ones(3), (np.arange(3) + 0.5) / 3)], k=10)) == pytest.approx(1.0)


def test_k_is_less_for_short_videos() -> None:
    assert [k_for([n]) for n in (1, 4, 12, 39, 40, 400)] == [1, 1, 3, 9, 10, 10]
    assert k_for([]) == 10


def test_validation_figures_are_look_ups() -> None:
    said = opinion([[0.9, 0.1, 0], [0.55, 0.45, 0], [0.2, 0.8, 0], [0.8, 0.2, 0]])
    video = (said.probabilities, make_targets(said, ("b",)))
    found = card_figures([video], [said.grid], [[2]], 1)
    assert found["accuracy_at_1"] == 1.0
    assert found["surety_at_1"] == pytest.approx(0.8)
    assert found["oracle_at_1"] == 1.0
    assert found["uniform_at_1"] == 0.0, "uniform takes the second clip"
    assert found["dense"] == 0.0
    assert top(np.array([0.5, np.nan, 0.7, 0.5]), 4) == [2, 0, 3, 1]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=40),
    st.sampled_from(["ac", "sal-cl", "sal-rank"]),
    st.integers(2, 12),
    st.integers(0, 99),
)
def test_a_visit_draws_different_eligible_clips(
    surety: list[float], objective: str, wanted: int, seed: int
) -> None:
    eligible = np.flatnonzero(np.arange(len(surety)) % 3 != 1)
    options = TrainingOptions(clips_per_video=wanted, frames_per_visit=2)
    values = np.array(surety)
    visits = [
        draw_visit(values, eligible, objective, options, generator(seed))  # type: ignore[arg-type]
        for _ in range(2)
    ]
    assert visits[0].clips.tolist() == visits[1].clips.tolist()
    clips = visits[0].clips.tolist()
    assert len(clips) == min(wanted, len(eligible)) == len(set(clips))
    assert clips == sorted(clips)
    assert set(clips) <= set(eligible.tolist())
    if objective != "ac" and len(clips) == wanted:
        # one of each part of the ordered clips, so one of the best is always there
        part = int(np.ceil(len(eligible) / wanted))
        best = np.sort(values[eligible])[-part:].min()
        assert max(values[clips]) >= best


def test_frames_are_drawn_of_the_clips() -> None:
    inputs = [np.full((n, 2, 3, 4), i, dtype=np.float32) for i, n in enumerate((2, 0, 1, 3))]
    visit = draw_visit(
        np.zeros(4), np.array([0, 2, 3]), "ac", TrainingOptions(clips_per_video=3), generator(0)
    )
    frames = take_frames(inputs, visit)
    assert frames.shape == (3, 1, 2, 3, 4)
    assert frames[:, 0, 0, 0, 0].tolist() == [0, 2, 3]


def view(mirrored: bool, zoom: float, across: float = 0.5, down: float = 0.5, speed: float = 1.0) -> View:
    return View(*(np.array([value]) for value in (mirrored, zoom, across, down, speed)))


def test_nothing_is_changed_by_the_plain_view() -> None:
    frames = torch.randn(1, 2, 2, 14, 19, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(cut(frames, "md", view(False, 1.0), (14, 19)), frames, atol=1e-5)


def test_a_mirror_turns_the_picture_and_the_displacement_across() -> None:
    frames = torch.randn(1, 2, 2, 14, 19, generator=torch.Generator().manual_seed(0))
    md = cut(frames, "md", view(True, 1.0), (14, 19))
    assert torch.allclose(md[:, :, 0], -frames[:, :, 0].flip(-1), atol=1e-5)
    assert torch.allclose(md[:, :, 1], frames[:, :, 1].flip(-1), atol=1e-5)
    rgbr = torch.randn(1, 2, 3, 14, 19, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(cut(rgbr, "rgbr", view(True, 1.0), (14, 19)), rgbr.flip(-1), atol=1e-5)


def test_a_zoom_lengthens_displacements_and_leaves_residuals() -> None:
    md = torch.full((1, 1, 2, 14, 14), 3.0)
    assert torch.allclose(cut(md, "md", view(False, 1.2), (14, 14)), torch.tensor(3.6), atol=1e-5)
    rgbr = torch.full((1, 1, 3, 14, 14), 3.0)
    assert torch.allclose(cut(rgbr, "rgbr", view(False, 1.2), (14, 14)), rgbr)
    ramp = torch.arange(20.0).expand(1, 1, 3, 14, 20).contiguous()
    left, right = (cut(ramp, "rgbr", view(False, 1.0, across=a), (14, 10)) for a in (0.0, 1.0))
    assert left[0, 0, 0, 0].tolist() == pytest.approx(list(range(10)), abs=1e-4)
    assert right[0, 0, 0, 0].tolist() == pytest.approx(list(range(10, 20)), abs=1e-4)


def test_another_speed_changes_displacements_alone() -> None:
    md, rgbr = torch.full((1, 1, 2, 14, 14), 3.0), torch.full((1, 1, 3, 14, 14), 3.0)
    fast = view(False, 1.0, speed=2.0)
    assert torch.allclose(cut(md, "md", fast, (14, 14)), torch.tensor(6.0), atol=1e-5)
    assert torch.allclose(cut(rgbr, "rgbr", fast, (14, 14)), rgbr)
    drawn = [
        draw_visit(np.zeros(9), np.arange(9), "ac", TrainingOptions(speed=speed), generator(1)).view.speed
        for speed in (1.0, 2.0)
    ]
    assert (drawn[0] == 1).all()
    assert (drawn[1] >= 0.5).all()
    assert (drawn[1] <= 2).all()
    assert np.ptp(drawn[1]) > 0.2


def test_sound_is_neither_cut_nor_mirrored() -> None:
    mel = torch.randn(1, 1, 1, 40, 200)
    assert cut(mel, "audio", view(True, 1.3), (40, 200)) is mel


def test_pictures_of_several_shapes_meet_in_what_all_have() -> None:
    assert common_size([(14, 25), (14, 19), (25, 14)]) == (14, 14)


@pytest.mark.parametrize(
    "bad",
    [
        {"margin": -1.0},
        {"epochs": 0},
        {"zoom": 0.5},
        {"speed": 0.9},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"clips_per_video": 1},
        {"pair_weight": "heavy"},
        {"weight_decay": float("inf")},
    ],
)
def test_impossible_options_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises((InputError, UnknownNameError)):
        TrainingOptions(**bad)  # type: ignore[arg-type]


def test_what_sal_cl_learns_is_an_option_of_the_card() -> None:
    assert TrainingOptions().as_card()["sal_cl_target"] == "right"
    assert TrainingOptions(sal_cl_target="surety").as_card()["sal_cl_target"] == "surety"
    with pytest.raises(UnknownNameError, match="no target of sal-cl 'luck'; choose one of: right, surety"):
        TrainingOptions(sal_cl_target="luck")  # type: ignore[arg-type]
