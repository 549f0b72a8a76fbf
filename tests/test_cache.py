"""The cache: what comes back is what was kept, damage is found, and a killed run goes on from where it was."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_files import make_video, read_counter
from salientclips.cache import predictions
from salientclips.cache.features import load_or_read
from salientclips.cache.predictions import identity, load_or_look
from salientclips.cache.store import DamagedEntry, Stored, clips_key, load, save
from salientclips.cache.types import VideoFeatures
from salientclips.classifiers import ClipInput
from salientclips.timeline import ClipGrid, ClipSpec
from salientclips.types import FeatureParameters

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

FRAMES = 160
MOTION = FeatureParameters(2, ("md", "rgbr"))


class CounterReader:
    """Sure of "late" in proportion to the burnt-in counter; can be told to die after some clips."""

    name = "counter-reader"
    labels = ("early", "late")
    input = ClipInput(4, 2, 128, 128, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), gflops=2.0)

    def __init__(self, dies_after: int | None = None) -> None:
        self.clips, self.dies_after = 0, dies_after

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        rows = []
        for clip in (clips * 255).round().byte().permute(0, 2, 3, 4, 1).numpy():
            if self.clips == self.dies_after:
                raise KeyboardInterrupt
            self.clips += 1
            late = float(np.mean([read_counter(frame) for frame in clip])) / FRAMES
            rows.append([1 - late, late])
        return torch.tensor(rows, dtype=torch.float32)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("v")
    return make_video(folder / "v.mp4", frames=FRAMES, size=(128, 128), bframes=2, gop=50)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.tuples(
            st.sampled_from([np.float32, np.float64, np.uint8, np.int32, np.int64, np.bool_]),
            st.lists(st.integers(0, 3), min_size=1, max_size=4),
        ),
        max_size=4,
    ),
    st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.text()),
)
def test_an_entry_comes_back_the_same(shapes: dict[str, Any], facts: dict[str, Any]) -> None:
    import tempfile

    rng = np.random.default_rng(0)
    arrays = {name: (rng.random(shape) * 200).astype(kind) for name, (kind, shape) in shapes.items()}
    # a view that is not contiguous must not be written as it lies in memory
    arrays = {name: array[..., ::-1] for name, array in arrays.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a" / "b.safetensors"
        save(path, Stored(arrays, facts))
        back = load(path)
        assert [p.name for p in path.parent.iterdir()] == ["b.safetensors"]
    assert back is not None
    assert back.facts == facts
    assert back.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back.arrays[name].dtype == array.dtype
        assert np.array_equal(back.arrays[name], array)


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.safetensors"
        save(path, Stored({"x": np.arange(50, dtype=np.float32)}, {"what": "a cache entry"}))
        content = bytearray(path.read_bytes())
        if data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] ^= data.draw(st.integers(1, 255))
            content_after = bytes(content)
        else:
            content_after = bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        path.write_bytes(content_after)
        try:
            back = load(path)
        except DamagedEntry:
            return
    # a byte that says nothing (a blank of the header's padding) may change
    assert back is not None
    assert back.facts == {"what": "a cache entry"}
    assert np.array_equal(back.arrays["x"], np.arange(50, dtype=np.float32))


def same(a: VideoFeatures, b: VideoFeatures) -> bool:
    def bits(value: Any) -> Any:
        return (value.dtype, value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value

    facts = [(f.fingerprint, f.parameters, f.grid, f.warnings) for f in (a, b)]
    clips = [[{k: bits(v) for k, v in vars(clip).items()} for clip in f.clips] for f in (a, b)]
    return facts[0] == facts[1] and clips[0] == clips[1]


def test_features_are_read_once(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_or_read(video, MOTION, ClipSpec(), folder=tmp_path)
    assert len(first.clips) == FRAMES // 32
    assert first.clips[2].md is not None
    assert first.clips[2].md.shape == (2, 2, 8, 8)
    monkeypatch.setattr("salientclips.cache.features.read_packets", None)
    again = load_or_read(video, MOTION, ClipSpec(), folder=tmp_path)
    assert same(first, again)
    assert again.seconds == first.seconds


def test_all_features_come_back_the_same(video: Path, tmp_path: Path) -> None:
    everything = FeatureParameters(0, ("md", "rgbr", "if"))
    first = load_or_read(video, everything, ClipSpec(4, 2), folder=tmp_path)
    assert same(first, load_or_read(video, everything, ClipSpec(4, 2), folder=tmp_path))
    assert first.clips[0].iframes is not None


def test_what_decides_the_numbers_decides_the_entry(video: Path, tmp_path: Path) -> None:
    other = make_video(tmp_path / "o.mp4", frames=64, size=(128, 128))
    cache = tmp_path / "cache"
    half = ClipGrid((Fraction(0),), (Fraction(1),))
    for path, parameters, clips in (
        (video, MOTION, ClipSpec()),
        (video, FeatureParameters(1, ("md", "rgbr")), ClipSpec()),
        (video, FeatureParameters(2, ("md",)), ClipSpec()),
        (video, MOTION, ClipSpec(8, 2)),
        (video, MOTION, half),
        (other, MOTION, ClipSpec()),
    ):
        load_or_read(path, parameters, clips, folder=cache)
    assert len(entries(cache)) == 6
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(other.read_bytes())
    load_or_read(moved, MOTION, ClipSpec(), folder=cache)
    assert len(entries(cache)) == 6, "a moved file is recognised"


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "text"])
def test_a_damaged_entry_is_found_and_made_again(video: Path, tmp_path: Path, harm: str) -> None:
    first = load_or_read(video, MOTION, ClipSpec(), folder=tmp_path)
    (entry,) = entries(tmp_path)
    content = bytearray(entry.read_bytes())
    content[-5] ^= 1
    harmed = {"flip": bytes(content), "cut": bytes(content[:-9]), "empty": b"", "text": b"hello " * 9}[harm]
    entry.write_bytes(harmed)
    said: list[str] = []
    again = load_or_read(video, MOTION, ClipSpec(), folder=tmp_path, warn=said.append)
    assert len(said) == 1
    assert "was damaged" in said[0]
    assert str(entry) in said[0]
    assert same(first, again)
    assert same(first, load_or_read(video, MOTION, ClipSpec(), folder=tmp_path, warn=said.append))
    assert len(said) == 1, "the new entry is sound"


def test_dense_predictions_are_looked_up(video: Path, tmp_path: Path) -> None:
    reader = CounterReader()
    first = load_or_look(video, reader, folder=tmp_path)
    assert reader.clips == len(first.grid) == FRAMES // 8
    assert first.labels == ("early", "late")
    expected = [(8 * i + 3) / FRAMES for i in range(FRAMES // 8)]
    assert first.probabilities[:, 1] == pytest.approx(expected, abs=1e-6)
    again = load_or_look(video, reader, folder=tmp_path)
    assert reader.clips == FRAMES // 8, "not asked again"
    assert again.probabilities.tobytes() == first.probabilities.tobytes()
    assert (again.grid, again.seconds, again.gflops_per_clip) == (first.grid, first.seconds, 2.0)


@pytest.mark.parametrize("dies_after", [0, 3, 7, 19])
def test_a_killed_run_goes_on(
    video: Path, tmp_path: Path, dies_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_or_look(video, CounterReader(), folder=tmp_path / "whole")
    monkeypatch.setattr(predictions, "CLIPS_A_PART", 3)
    with pytest.raises(KeyboardInterrupt):
        load_or_look(video, CounterReader(dies_after), folder=tmp_path / "cut")
    second = CounterReader()
    again = load_or_look(video, second, folder=tmp_path / "cut")
    assert again.probabilities.tobytes() == whole.probabilities.tobytes()
    assert second.clips == FRAMES // 8 - dies_after // 3 * 3, "whole parts are kept"


def test_progress_goes_up_to_the_end(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "CLIPS_A_PART", 6)
    seen: list[float] = []
    load_or_look(video, CounterReader(), folder=tmp_path, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[0] > 0
    assert seen[-1] == 1.0
    seen.clear()
    load_or_look(video, CounterReader(), folder=tmp_path, progress=seen.append)
    assert seen == [1.0]


def test_classifiers_are_told_apart_by_weights() -> None:
    from salientclips.classifiers.network import NetworkClassifier

    def make(seed: int, **changes: Any) -> NetworkClassifier:
        torch.manual_seed(seed)
        facts: dict[str, Any] = {
            "name": "net",
            "input": CounterReader.input,
            "labels": ("a", "b"),
            "network": torch.nn.Linear(3, 2),
            "device": torch.device("cpu"),
            "weights": "w.pt",
        }
        return NetworkClassifier(**{**facts, **changes})

    names = {
        identity(make(0)),
        identity(make(1)),
        identity(make(0, labels=("b", "a"))),
        identity(make(0, input=ClipInput(4, 1, 128, 128, (0, 0, 0), (1, 1, 1), None))),
    }
    assert len(names) == 4
    assert identity(make(0)) == identity(make(0, weights="the same, elsewhere"))
    assert identity(CounterReader()) == identity(CounterReader())


def test_divisions_are_told_apart() -> None:
    def grids() -> Iterator[ClipSpec | ClipGrid]:
        yield ClipSpec()
        yield ClipSpec(8, 4)
        yield ClipSpec(seconds=Fraction(1))
        yield ClipSpec(seconds=Fraction(11, 10))
        yield ClipGrid((Fraction(0),), (Fraction(1),))
        yield ClipGrid((Fraction(0), Fraction(1)), (Fraction(1), Fraction(2)))

    assert len({clips_key(clips) for clips in grids()}) == 6
