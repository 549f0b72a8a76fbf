"""The samplers that come with the package: each that is there is whole, and runs where there is no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import salientclips.samplers.released
from conftest import GetMade
from learned_samplers import make_card, make_learned
from salientclips import score
from salientclips.cli.run import run
from salientclips.errors import InputError, UnknownNameError, WeightsError
from salientclips.samplers import DEFAULT_SAMPLER, RELEASED, SAMPLERS, make_sampler
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.model_card import model_card
from salientclips.samplers.plain_networks import PlainNetworks
from salientclips.samplers.released import load_released, released_cards, released_names
from salientclips.samplers.sharing import CARD_FILE, README_FILE, WEIGHTS_FILE, read
from salientclips.timeline import ClipSpec
from test_plain_networks import WITHOUT_TORCH

FOLDER = Path(salientclips.samplers.released.__file__ or "").parent
FILES = {WEIGHTS_FILE, CARD_FILE, README_FILE}
MOST_BYTES = 6_000_000
"""Of a stream."""


def score_without_torch(setup: str, sampler: str, video: Path) -> list[float]:
    code = f"""{WITHOUT_TORCH}
{setup}
import salientclips
found = salientclips.score({str(video)!r}, {sampler!r}, clip=salientclips.ClipSpec(4, 2))
assert not {{"torch", "torchvision"}} & set(sys.modules)
print(*found.scores.tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


# --- every folder that is there ---------------------------------------------------------------------------


def test_nothing_lies_about_that_is_not_offered() -> None:
    folders = {f.name for f in FOLDER.iterdir() if f.is_dir() and f.name != "__pycache__"}
    assert folders == set(RELEASED)


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_sampler_is_whole(name: str) -> None:
    folder = FOLDER / name
    assert {f.name for f in folder.iterdir()} == FILES
    stored = read(folder)
    card = stored.card
    for stream, tensors in stored.weights.items():
        assert sum(tensor.nbytes for tensor in tensors.values()) < MOST_BYTES, stream
    assert all(f.stat().st_size < MOST_BYTES * len(card.streams) for f in folder.iterdir())
    assert card.name == name
    assert card.licence
    assert card.data
    assert card.classifier
    assert card.validation
    heard, seen = (any((s.stream == "audio") == is_audio for s in card.streams) for is_audio in (True, False))
    assert {"default": (False, True), "default-audio": (True, False), "default-av": (True, True)}.get(
        name, (heard, seen)
    ) == (heard, seen)
    assert (folder / README_FILE).read_text(encoding="utf-8") == model_card(card)


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_sampler_scores_without_torch(name: str, made: GetMade) -> None:
    video = made("stereo_aac").path
    found = score_without_torch("", name, video)
    assert np.isfinite(found).all()
    assert len(set(found)) > 1
    assert score(video, name, clip=ClipSpec(4, 2)).scores.tolist() == found


# --- how they are found -----------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of released samplers with a ``default`` of random weights and a ``default-audio``, and no other."""
    clip = ClipSpec(64, 1)
    make_learned(make_card(("md", "rgbr"), name="default", clip=clip)).save_pretrained(tmp_path / "default")
    make_learned(make_card(("audio",), name="default-audio")).save_pretrained(tmp_path / "default-audio")
    (tmp_path / "research").mkdir()
    monkeypatch.setattr("salientclips.samplers.released._FOLDER", tmp_path)
    monkeypatch.setattr("salientclips.samplers.RELEASED", released_names())
    return tmp_path


def test_only_what_is_there_is_offered(shelf: Path) -> None:
    assert released_names() == ("default", "default-audio")
    assert [card.name for card in released_cards()] == ["default", "default-audio"]
    with pytest.raises(WeightsError, match="does not exist"):
        load_released("research")


def test_numpy_computes_it_and_it_asks_for_no_clips(shelf: Path) -> None:
    sampler = make_sampler("default")
    assert isinstance(sampler, LearnedSampler)
    assert isinstance(sampler.networks, PlainNetworks)
    assert sampler.any_length
    assert sampler.clip_spec is None
    assert sampler.weights_hash == LearnedSampler.from_pretrained(shelf / "default").weights_hash
    with pytest.raises(InputError, match="--sampler motion"):
        make_sampler("default", frames_per_clip=9)


def test_it_is_read_once_a_process(shelf: Path) -> None:
    sampler = make_sampler("default")
    for file in (shelf / "default").iterdir():
        file.unlink()
    assert make_sampler("default") is sampler


def test_a_released_sampler_makes_the_usual_clips_without_nagging(shelf: Path, made: GetMade) -> None:
    scores = score(made("h264_mkv").path, "default")
    assert scores.clip_spec == ClipSpec()
    assert scores.sampler == "default"
    assert scores.warnings == ()
    assert np.isfinite(scores.scores).all()


def test_every_codec_gives_it_something(shelf: Path, made: GetMade) -> None:
    # All of its frames are intra-coded: motion is searched between them.
    scores = score(made("mjpeg_avi").path, "default", clip=ClipSpec(8, 2))
    assert scores.warnings == ()
    assert np.isfinite(scores.streams["visual"]).all()
    assert len(set(scores.scores.tolist())) > 1


def test_a_video_of_which_nothing_can_be_read_is_said_to_be_one(shelf: Path, made: GetMade) -> None:
    scores = score(made("h264_mkv").path, "default-audio")
    assert scores.scores.tolist() == [0.0] * len(scores)
    assert scores.warnings[-1] == (
        "no clip gave anything that 'default-audio' reads, so all have the score 0;"
        " uniform and packet-cost score every video"
    )


def test_it_needs_no_torch(shelf: Path, made: GetMade) -> None:
    setup = (
        "from pathlib import Path\nimport salientclips.samplers as s, salientclips.samplers.released as r\n"
        f"r._FOLDER = Path({str(shelf)!r}); s.RELEASED = r.released_names()"
    )
    video = made("stereo_aac").path
    found = score_without_torch(setup, "default", video)
    assert found == score(video, "default", clip=ClipSpec(4, 2)).scores.tolist()
    assert len(set(found)) > 1


def test_list_has_a_line_for_each(
    shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["released"] == [
        {
            "name": name,
            "streams": streams,
            "licence": "apache-2.0",
            "data": "random weights | never trained",
        }
        for name, streams in (("default", ["md", "rgbr"]), ("default-audio", ["audio"]))
    ]
    monkeypatch.setenv("COLUMNS", "160")
    assert run(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "default-audio" in line and "never trained" in line]
    assert "apache-2.0" in line


def test_the_default_is_released_and_the_first_that_is_offered() -> None:
    assert DEFAULT_SAMPLER in RELEASED
    assert SAMPLERS[0] == DEFAULT_SAMPLER


def test_scoring_when_nothing_is_said_loads_no_torch(made: GetMade) -> None:
    video = made("h264_bframes_mp4").path
    code = (
        f"import sys, salientclips\nprint(salientclips.score({str(video)!r}).sampler, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [DEFAULT_SAMPLER, "False"]


def test_an_unknown_name_lists_them() -> None:
    with pytest.raises(UnknownNameError, match=r"choose one of: .*motion.*FOLDER") as caught:
        make_sampler("defualt")
    assert all(name in str(caught.value) for name in RELEASED)
