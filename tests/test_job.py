"""A job: what it refuses before any work, and that its facts are equal just where its rows are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from salientclips import Choosing, ClipSpec, Job, Looking, Scoring
from salientclips.errors import InputError, UnknownNameError
from salientclips.samplers import DEFAULT_SAMPLER

F = Looking("mc3_18", random_weights=True)


def look(strategy: str = "sampler", **changes: object) -> Job:
    return Job("classify", looking=replace(F, strategy=strategy, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Job("vectors"),  # type: ignore[arg-type]
        lambda: Job("classify"),
        lambda: Job("score", looking=F),
        lambda: Job("select", choosing=Choosing(0)),
        lambda: Job("select", choosing=Choosing(min_gap_s=-1)),
        lambda: Job("select", choosing=Choosing(coverage=7)),
        lambda: Job("select", choosing=Choosing(threshold=float("nan"))),
        lambda: look(top=0),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_video(make: Callable[[], Job]) -> None:
    with pytest.raises(InputError):
        make()


def test_a_strategy_that_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownNameError, match="smapler"):
        look("smapler")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Job(), Job("select")),
        (Job(), Job(scoring=Scoring("uniform"))),
        (Job(scoring=Scoring("motion")), Job(scoring=Scoring("motion", frames_per_clip=1))),
        (Job(), Job(scoring=Scoring(clip=ClipSpec(8, 2)))),
        (Job(scoring=Scoring("random", 1)), Job(scoring=Scoring("random", 2))),
        (Job("select"), Job("select", choosing=Choosing(3))),
        (Job("select"), Job("select", choosing=Choosing(threshold=0.0))),
        (look(), look("dense")),
        (look(), look(top=2)),
        (look(), look(crop_px=64)),
        (look("random"), replace(look("random"), scoring=Scoring(seed=1))),
        (look("empirical"), replace(look("empirical"), scoring=Scoring(seed=1))),
    ],
)
def test_what_gives_other_rows_has_other_facts(one: Job, other: Job) -> None:
    assert one.facts() != other.facts()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Job(), Job(scoring=Scoring(seed=5))),
        (Job(), Job(scoring=Scoring(clip=ClipSpec(16, 2)))),
        (Job("select", choosing=Choosing(min_gap_s=2)), Job("select", choosing=Choosing(min_gap_s=2.0))),
        (Job(), Job(choosing=Choosing(3))),
        (look(), look(device="cpu")),
        (look("dense"), replace(look("dense"), scoring=Scoring("packet-cost", 3))),
    ],
)
def test_what_gives_the_same_rows_has_the_same_facts(one: Job, other: Job) -> None:
    assert one.facts() == other.facts()


def test_files_count_by_their_content_and_go_by_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in (("a.txt", "x\ny"), ("b.txt", "x\ny"), ("c.txt", "x\nz")):
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    a, b, c = (look(labels=Path(name), weights=name) for name in ("a.txt", "b.txt", "c.txt"))
    assert a.facts() == b.facts() != c.facts()
    assert a.absolute().facts() == a.facts()
    there = a.absolute().looking
    assert there is not None
    assert (there.labels, there.weights) == (tmp_path / "a.txt", str(tmp_path / "a.txt"))
    # A word is no path, though there be a file of that name.
    (tmp_path / DEFAULT_SAMPLER).mkdir()
    assert Job().absolute() == Job()
    assert look(weights="default").absolute() == look(weights="default")
