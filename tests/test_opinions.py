"""f of ``rendered`` by what it said: opinions as a file, and I3D of which only the last blocks are tuned."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import i3d_tail, i3d_trunk, opinions, tune_i3d  # noqa: E402
from benchmarks.opinions import Opinions, Remembered  # noqa: E402

from media_files import make_video  # noqa: E402
from salientclips.cache.predictions import identity, load_or_look  # noqa: E402
from salientclips.classifiers import ClipInput, load_classifier  # noqa: E402
from salientclips.classifiers.network import NetworkClassifier  # noqa: E402
from salientclips.datasets.manifest import Entry  # noqa: E402
from salientclips.errors import InputError  # noqa: E402

CLIPS, LABELS = 4, ("crawl", "run")
"""Of the videos here, 64 frames at 25 frames/s in clips of 16."""
SPEC = ClipInput(16, 1, (64, 85), 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), gflops=2.0, antialias=False)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entry, ...]:
    """Two to learn from and one to choose by, of each class; salient are the second clip and the third."""
    folder = tmp_path_factory.mktemp("set")
    spans = ((Fraction(16, 25), Fraction(48, 25)),)
    return tuple(
        Entry(
            # Another GOP each: the cache goes by what is in a file, not by its name.
            make_video(
                folder / f"{number}-{label}.mp4",
                frames=16 * CLIPS,
                rate=Fraction(25),
                size=(96, 64),
                gop=20 + 2 * number + place,
            ),
            (label,),
            f"{number}-{label}",
            "validation" if number == 2 else "train",
            spans,
        )
        for number in range(3)
        for place, label in enumerate(LABELS)
    )


def said(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(len(LABELS)), CLIPS)


def remembered(videos: tuple[Entry, ...], tmp_path: Path) -> Opinions:
    """As a file brings them back."""
    known = Remembered("i3d_rgb@ab12", SPEC, LABELS)
    seconds = {"decode": 0.2, "prepare": 0.1, "classifier": 0.5}
    opinions.save(
        Opinions(known, seconds, {e.path.stem: said(i) for i, e in enumerate(videos)}), tmp_path / "o.npz"
    )
    return opinions.load(tmp_path / "o.npz")


def test_a_file_of_opinions_answers_where_f_would_be_asked(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    found = remembered(videos, tmp_path)
    assert found.classifier == Remembered("i3d_rgb@ab12", SPEC, LABELS)
    missing = replace(videos[0], path=videos[0].path.with_name("0-missing.mp4"))
    assert found.put((*videos[:2], missing), tmp_path / "cache") == 2
    for number, entry in enumerate(videos[:2]):
        dense = load_or_look(entry.path, found.classifier, folder=tmp_path / "cache")
        np.testing.assert_allclose(dense.probabilities, said(number), atol=1e-3)
        np.testing.assert_allclose(dense.probabilities.sum(axis=1), 1, atol=1e-6)
        assert dense.classifier == identity(found.classifier)
        assert dense.gflops_per_clip == 2.0
        assert dense.seconds["classifier"] == pytest.approx(0.5 * CLIPS)


def test_a_video_without_opinions_is_an_error_and_no_guess(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    found = remembered(videos, tmp_path)
    found.put(videos[:1], tmp_path / "cache")
    with pytest.raises(InputError, match="known by its opinions alone"):
        load_or_look(videos[1].path, found.classifier, folder=tmp_path / "cache")


def test_what_f_said_of_videos_is_collected_from_the_cache(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    f = load_classifier(
        "i3d_rgb", random_weights=True, frames=16, frame_step=1, crop_px=64, device="cpu", threads=1
    )
    with pytest.raises(InputError, match="looked at no video"):
        opinions.collected(videos, f, tmp_path / "cache")
    asked = [load_or_look(entry.path, f, folder=tmp_path / "cache") for entry in videos[:2]]
    opinions.save(opinions.collected(videos, f, tmp_path / "cache"), tmp_path / "o.npz")
    found = opinions.load(tmp_path / "o.npz")
    assert set(found.said) == {entry.path.stem for entry in videos[:2]}, "of others nothing is guessed"
    assert found.classifier.labels == f.labels
    assert found.seconds_per_clip["classifier"] == pytest.approx(
        sum(one.seconds["classifier"] for one in asked) / (2 * CLIPS)
    )
    found.put(videos, tmp_path / "elsewhere")
    for entry, before in zip(videos[:2], asked, strict=True):
        again = load_or_look(entry.path, found.classifier, folder=tmp_path / "elsewhere")
        np.testing.assert_allclose(again.probabilities, before.probabilities, atol=1e-3)
        assert again.gflops_per_clip == before.gflops_per_clip


def test_opinions_of_a_video_of_another_length_are_refused(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    found = remembered(videos, tmp_path)
    longer = {videos[0].path.stem: np.repeat(said(0), 2, axis=0)}
    with pytest.raises(InputError, match="has 4 clips and there are opinions of 8"):
        replace(found, said=longer).put(videos[:1], tmp_path / "cache")


def test_opinions_changed_are_another_f(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    one, other = (Remembered(f"i3d_rgb@{digest}", SPEC, LABELS) for digest in ("ab12", "cd34"))
    assert identity(one) != identity(other)


def test_trunk_and_tuned_tail_are_the_whole_network(videos: tuple[Entry, ...], tmp_path: Path) -> None:
    f = load_classifier(
        "i3d_rgb", random_weights=True, frames=16, frame_step=1, crop_px=64, device="cpu", threads=1
    )
    assert isinstance(f, NetworkClassifier)
    before = {name: tensor.clone() for name, tensor in f.network.state_dict().items()}
    trunk = i3d_trunk.trunk_of(f)
    for entry in videos:
        seen = i3d_trunk.look(entry, trunk, tmp_path / i3d_trunk.name_of(entry, mirrored=False))
        assert seen.shape == (CLIPS, 832, 2, 2, 2)
        assert seen.dtype == np.float32
    mirror = replace(trunk, mirrored=True)
    other = i3d_trunk.look(videos[0], mirror, tmp_path / i3d_trunk.name_of(videos[0], mirrored=True))
    assert other.shape == (2, 832, 2, 2, 2)
    read = [tune_i3d.video_of(entry, f, LABELS, tmp_path, None) for entry in videos]
    for place, video in enumerate(read):
        assert video.truth.tolist() == [-1, place % 2, place % 2, -1]
    assert tune_i3d.video_of(videos[1], f, LABELS, tmp_path, "crawl").truth.tolist() == [0, 1, 1, 0]
    assert [len(i3d_tail.rows(read[:1], mirrored=mirrored)[1]) for mirrored in (False, True)] == [2, 4]
    learned, held = (
        [v for v in read if v.entry.split == "train"],
        [v for v in read if v.entry.split != "train"],
    )
    recipe = i3d_tail.Recipe(epochs=2, rate=1e-3, batch=4)
    tail = i3d_tail.tuned(f.network, learned, held, len(LABELS), recipe)
    assert all(torch.equal(tensor, before[name]) for name, tensor in f.network.state_dict().items())
    figures = i3d_tail.figures([i3d_tail.says(tail, v) for v in held], held)
    assert figures["clips"] == 4
    assert 0 <= figures["accuracy"] <= 1
    whole = tune_i3d.assembled(f, tail, LABELS)
    # Other tails begin with f's blocks: what one has learned must not get into them.
    assert all(torch.equal(tensor, before[name]) for name, tensor in f.network.state_dict().items())
    tune_i3d.check_whole(whole, read[0], tail)
    changed = {
        n for n, t in whole.network.state_dict().items() if n in before and not torch.equal(t, before[n])
    }
    assert changed
    assert all(name.startswith(i3d_trunk.TAIL) for name in changed)


def test_parts_go_by_group(videos: tuple[Entry, ...]) -> None:
    copies = [replace(entry, path=entry.path.with_suffix(".mkv")) for entry in videos]
    assert [tune_i3d.part_of(e, 3) for e in videos] == [tune_i3d.part_of(e, 3) for e in copies]
    many = {tune_i3d.part_of(replace(videos[0], group=str(n)), 3) for n in range(40)}
    assert many == {0, 1, 2}
