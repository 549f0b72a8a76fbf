"""What validation videos choose after training: which stream counts, and how far a clip's neighbours reach."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

from learned_samplers import make_card
from salientclips.samplers.combine import put_together
from salientclips.timeline import ClipGrid
from salientclips.training.targets import Targets
from salientclips.training.tune import Opinion, tuned

CLIPS, RUN = 40, range(20, 26)
TRUTH = np.isin(np.arange(CLIPS), RUN).astype(np.float64)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(CLIPS)


class Sampler:
    """A card, and streams that say what is given, the same of every video."""

    def __init__(self, card: Any, **streams: np.ndarray) -> None:
        self.card = card
        visual = np.mean([said for name, said in streams.items() if name != "audio"], axis=0)
        self.streams = {**streams, "visual": visual}


def choose(sampler: Sampler, videos: int = 1, **how: Any) -> Any:
    grid = ClipGrid.from_spans([(Fraction(i), Fraction(i + 1)) for i in range(CLIPS)])
    targets = Targets(("yes",), (0,), TRUTH, TRUTH > 0, True)
    chances = np.stack([TRUTH, 1 - TRUTH], axis=1).astype(np.float32)
    said = [Opinion(sampler.streams, grid, chances, targets)] * videos
    options: dict[str, Any] = {"neighbours": None, "weighs_streams": True, **how}
    return tuned(sampler.card, said, 6, **options)


def weights(card: Any) -> dict[str, float]:
    return {stream.stream: stream.weight for stream in card.streams}


def test_a_misleading_stream_is_left_out() -> None:
    sampler = Sampler(make_card(("md", "rgbr")), md=TRUTH + 0.1 * noise(0), rgbr=5 * noise(1))
    card = choose(sampler)
    assert weights(card) == {"md": 1.0}, "nobody reads it, nobody runs it"
    assert card.options["left_out"] == "rgbr"
    assert weights(choose(sampler, weighs_streams=False)) == {"md": 1.0, "rgbr": 1.0}


def test_where_all_is_well_the_papers_choice_stays() -> None:
    card = make_card(("md", "rgbr"))
    assert choose(Sampler(card, md=TRUTH, rgbr=TRUTH)) == card
    assert choose(Sampler(card, md=TRUTH, rgbr=5 * noise(1)), videos=0) == card, "nothing to choose by"


def test_noise_of_single_clips_is_taken_out_by_neighbours() -> None:
    noisy = Sampler(make_card(("md",)), md=TRUTH + 0.7 * noise(2))
    card = choose(noisy)
    assert card.neighbours > 0
    alone, helped = (
        put_together(c, {"md": noisy.streams["md"], "visual": noisy.streams["md"]})[0]
        for c in (noisy.card, card)
    )
    found = [np.isin(np.argsort(-scores)[:6], RUN).sum() for scores in (alone, helped)]
    assert found[1] > found[0]
    assert choose(noisy, neighbours=0).neighbours == 0


def test_streams_of_the_objective_ac_count_alike() -> None:
    card = make_card(("md", "rgbr"), visual="ac")
    assert weights(choose(Sampler(card, md=TRUTH, rgbr=5 * noise(1)))) == {"md": 1.0, "rgbr": 1.0}


def test_a_clip_without_the_stream_that_counts_is_judged_by_the_others() -> None:
    card = make_card(("md", "rgbr"))
    streams = tuple(replace(s, weight=float(s.stream == "md")) for s in card.streams)
    md, rgbr = np.array([1.0, np.nan, np.nan]), np.array([5.0, 7.0, np.nan])
    scores, said = put_together(replace(card, streams=streams), {"md": md, "rgbr": rgbr, "visual": md})
    np.testing.assert_array_equal(scores, [1.0, 7.0, np.nan])
    np.testing.assert_array_equal(said["visual"], scores)
