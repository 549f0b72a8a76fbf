"""``fit`` from end to end: folders and manifests in, a sampler with a true card out, whatever happens on the way."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import ActionVideo, ColourClassifier, make_action_videos  # noqa: E402
from salientclips import Fitted, SamplerPlan, TrainingOptions, fit, make_sampler, score  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.datasets.manifest import Entry, write_manifest  # noqa: E402
from salientclips.errors import FileMissingError, InputError, UnknownNameError  # noqa: E402
from salientclips.samplers.card import Stream  # noqa: E402
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402

PAGE = Path(__file__).resolve().parents[1] / "docs" / "json.md"
PLAN = SamplerPlan(("md",), frames_per_clip=1)
ONCE = TrainingOptions(epochs=2, clips_per_video=4, videos_per_batch=3)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> list[ActionVideo]:
    return make_action_videos(tmp_path_factory.mktemp("footage"), "together", 5)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, footage: list[ActionVideo]) -> Path:
    """A cache that knows the footage; tests that harm it take a copy."""
    folder = tmp_path_factory.mktemp("cache")
    fit([v.path for v in footage], ColourClassifier(), plan=PLAN, options=ONCE, cache=folder)
    return folder


def fitted(footage: list[ActionVideo], cache: Path, **changes: Any) -> Fitted:
    arguments: dict[str, Any] = {"plan": PLAN, "options": ONCE, "cache": cache}
    return fit([v.path for v in footage], ColourClassifier(), **{**arguments, **changes})


def test_raw_footage_becomes_a_sampler(footage: list[ActionVideo], cache: Path, tmp_path: Path) -> None:
    folder = footage[0].path.parent
    broken = folder / "broken.mp4"
    broken.write_bytes(b"this is no video")
    try:
        seen: list[tuple[str, float]] = []
        done = fit(
            folder,
            ColourClassifier(),
            plan=PLAN,
            options=ONCE,
            output=tmp_path / "mine",
            cache=cache,
            progress=lambda part, share: seen.append((part, share)),
        )
    finally:
        broken.unlink()
    assert [out.path for out in done.left_out] == [broken]
    assert "broken.mp4" in done.left_out[0].reason
    assert done.videos == {"train": 4, "validation": 1}
    card = done.card
    assert (card.name, card.classifier, card.videos) == ("mine", "colour", 4)
    assert card.clip == ClipSpec(4, 2)
    assert [s.stream for s in card.streams] == ["md"]
    assert card.combination is None
    assert "own verdict" in card.data
    assert str(tmp_path) not in card.data
    assert sum(card.histogram) == pytest.approx(1.0)
    assert card.validation["oracle_at_4"] == 1.0
    assert {"margin", "epochs", "seed", "best_epoch_md"} <= set(card.options)
    assert {part for part, _ in seen} == {"features", "labels", "training md"}
    for part in ("features", "labels", "training md"):
        shares = [share for name, share in seen if name == part]
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0)

    loaded = make_sampler(str(tmp_path / "mine"))
    assert isinstance(loaded, LearnedSampler)
    assert loaded.card == card
    scores = score(footage[0].path, loaded)
    assert len(scores) == 16
    assert np.isfinite(scores.scores).all()
    assert len(scores.select(4).clips) == 4


def test_what_was_looked_at_is_not_looked_at_again(footage: list[ActionVideo], cache: Path) -> None:
    f = ColourClassifier()
    first = fit([v.path for v in footage], f, plan=PLAN, options=ONCE, cache=cache)
    other = fit([v.path for v in footage], f, plan=PLAN, options=TrainingOptions(epochs=1), cache=cache)
    assert f.looked_at == 0
    assert first.sampler.weights_hash == fitted(footage, cache).sampler.weights_hash
    assert first.sampler.weights_hash != other.sampler.weights_hash
    assert first.seconds["classifier"] > 0, "the card's account says what it took when it was done"


def test_labels_and_groups_of_a_manifest(footage: list[ActionVideo], cache: Path, tmp_path: Path) -> None:
    entries = [Entry(v.path, (v.label,), group="cam1" if i < 3 else "cam2") for i, v in enumerate(footage)]
    entries[4] = Entry(footage[4].path, ("juggling",), group="cam2")
    write_manifest(entries, tmp_path / "m.csv")
    done = fit(tmp_path / "m.csv", ColourClassifier(), plan=PLAN, options=ONCE, cache=cache)
    assert done.videos in ({"train": 3, "validation": 1}, {"train": 1, "validation": 3})
    assert [out.path for out in done.left_out] == [footage[4].path]
    assert "'juggling' is none of the classifier's 3 classes" in done.left_out[0].reason
    assert done.card.data.endswith("labelled")
    without = fit(
        tmp_path / "m.csv", ColourClassifier(), plan=PLAN, options=ONCE, cache=cache, use_labels=False
    )
    assert without.left_out == ()


class StopError(Exception):
    """The run is over."""


@pytest.mark.parametrize("part", ["features", "labels", "training md"])
def test_a_run_that_was_stopped_ends_the_same(
    footage: list[ActionVideo], cache: Path, tmp_path: Path, part: str
) -> None:
    def stop(now: str, share: float) -> None:
        if now == part and share >= 0.5:
            raise StopError

    with pytest.raises(StopError):
        fitted(footage, tmp_path / "c", progress=stop)
    done = fitted(footage, tmp_path / "c", output=tmp_path / "a")
    fitted(footage, cache, output=tmp_path / "b")
    for name in ("model.safetensors",):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert done.card.validation == fitted(footage, cache).card.validation


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from pathlib import Path
from action_videos import ColourClassifier
from salientclips import SamplerPlan, TrainingOptions, fit
from salientclips.cache import predictions
from salientclips.training import loop
predictions.CLIPS_A_PART = 3
loop.SAVE_EVERY_S = 0.0

def die(part, share):
    if part == "labels" and share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

fit([Path(p) for p in sys.argv[3:]], ColourClassifier(), plan=SamplerPlan(("md",), frames_per_clip=1),
    options=TrainingOptions(epochs=2, clips_per_video=4, videos_per_batch=3), cache=sys.argv[2], progress=die)
"""


def test_a_killed_process_leaves_a_cache_that_can_be_used(
    footage: list[ActionVideo], cache: Path, tmp_path: Path
) -> None:
    words = [Path(__file__).parent, tmp_path / "c", *(v.path for v in footage)]
    dead = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], capture_output=True)
    assert dead.returncode == -signal.SIGKILL, dead.stderr[-2000:]
    f = ColourClassifier()
    done = fit([v.path for v in footage], f, plan=PLAN, options=ONCE, cache=tmp_path / "c")
    assert 0 < f.looked_at < 5 * 16, "it went on where the dead one was"
    assert done.sampler.weights_hash == fitted(footage, cache).sampler.weights_hash
    assert done.warnings == fitted(footage, cache).warnings


def test_damaged_cache_entries_are_made_again(
    footage: list[ActionVideo], cache: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "c"
    shutil.copytree(cache, copy)
    shutil.rmtree(copy / "training")
    damaged = [next((copy / kind).glob("*.safetensors")) for kind in ("features", "predictions")]
    for entry in damaged:
        content = bytearray(entry.read_bytes())
        content[-3] ^= 4
        entry.write_bytes(content)
    done = fitted(footage, copy)
    for entry in damaged:
        assert sum(str(entry) in warning and "damaged" in warning for warning in done.warnings) == 1
    assert done.sampler.weights_hash == fitted(footage, cache).sampler.weights_hash


def test_sound_is_left_out_where_videos_are_silent(cache: Path, tmp_path: Path) -> None:
    silent = make_action_videos(tmp_path / "silent", "apart", 3, with_sound=False)
    done = fitted(silent, cache, plan=SamplerPlan(("md", "audio"), frames_per_clip=1))
    assert [s.stream for s in done.card.streams] == ["md"]
    assert done.card.combination is None
    assert any("have sound" in warning for warning in done.warnings)
    with pytest.raises(InputError, match="no training video teaches"):
        fitted(silent, cache, plan=SamplerPlan(("audio",), frames_per_clip=1))


def test_without_validation_videos_it_says_so(footage: list[ActionVideo], cache: Path) -> None:
    done = fitted(footage[:1], cache)
    assert done.card.validation == {}
    assert any("no validation videos" in warning for warning in done.warnings)


def test_what_cannot_be_learned_is_refused(footage: list[ActionVideo], cache: Path, tmp_path: Path) -> None:
    across = [v for v in footage if v.label == "across"]
    with pytest.raises(InputError, match="all training videos are of one class, 'across'"):
        fitted(across, cache, plan=SamplerPlan(("md",), objective="ac", frames_per_clip=1))
    with pytest.raises(InputError, match="none of the"):
        fit([tmp_path / "gone.mp4"], ColourClassifier(), plan=PLAN, cache=cache)
    with pytest.raises(InputError, match="no training video teaches sal-rank"):
        fitted(footage, cache, options=TrainingOptions(tie_gap=0.99))
    with pytest.raises(InputError, match="given twice"):
        fitted([footage[0], footage[0]], cache)
    with pytest.raises(InputError, match="no video was given"):
        fitted([], cache)
    with pytest.raises(InputError, match="k = 0"):
        fitted(footage, cache, k=0)
    with pytest.raises(FileMissingError):
        fit(tmp_path / "nowhere", ColourClassifier(), cache=cache)


class Certain(ColourClassifier):
    """Sees one class everywhere, and is surer of it where something is coloured, if it cares."""

    def __init__(self, name: str, *, cares: bool) -> None:
        super().__init__()
        self.name, self.cares = name, cares

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        is_coloured = super().__call__(clips).amax(dim=1) > 0.5
        sure = torch.where(is_coloured, 0.9, 0.6) if self.cares else torch.full((len(clips),), 0.6)
        return torch.stack([sure, (1 - sure) / 2, (1 - sure) / 2], dim=1)


@pytest.mark.parametrize("stream", ["stats", "md"])
def test_a_classifier_that_is_always_right_teaches_by_its_certainty(
    footage: list[ActionVideo], tmp_path: Path, stream: Stream
) -> None:
    plan = SamplerPlan((stream,), objective="sal-cl", frames_per_clip=1)
    by_surety = replace(ONCE, sal_cl_target="surety")
    one = Certain("certain", cares=True)
    videos, places = [v.path for v in footage], {"plan": plan, "cache": tmp_path}
    with pytest.raises(InputError, match="always right on the clips") as caught:
        fit(videos, one, options=ONCE, **places)  # type: ignore[arg-type]
    assert "--sal-cl-target surety" in caught.value.remedy
    made = fit(videos, one, options=by_surety, **places)  # type: ignore[arg-type]
    assert made.card.options["sal_cl_target"] == "surety"
    if stream == "stats":
        chosen = score(footage[0].path, made.sampler).select(3).clips
        assert len({clip.index for clip in chosen} & footage[0].salient) >= 2
    with pytest.raises(InputError, match=r"the probability 0\.6 on all clips .* sal-cl has nothing to learn"):
        fit(videos, Certain("careless", cares=False), options=by_surety, **places)  # type: ignore[arg-type]


def test_nothing_is_written_over_that_is_no_sampler(
    footage: list[ActionVideo], cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="other things than a sampler"):
        fitted(footage, cache, output=tmp_path)
    with pytest.raises(InputError, match="is a file"):
        fitted(footage, cache, output=tmp_path / "thesis.tex")


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"streams": ("smell",)}, UnknownNameError),
        ({"streams": ()}, InputError),
        ({"architecture": "vgg99"}, UnknownNameError),
        ({"objective": "luck"}, UnknownNameError),
        ({"audio_objective": "luck"}, UnknownNameError),
        ({"combination": "av-cocktail"}, UnknownNameError),
        ({"combination": "av-joint-training", "audio_objective": "ac"}, InputError),
        ({"frames_per_clip": -1}, InputError),
        ({"short_side_cells": 3}, InputError),
    ],
)
def test_impossible_plans_are_refused(bad: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        SamplerPlan(**bad)


def test_streams_have_one_order() -> None:
    assert SamplerPlan(("audio", "md", "md")).streams == ("md", "audio")


def test_the_command_from_end_to_end_with_a_real_network(
    footage: list[ActionVideo], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for video in footage[:3]:
        (tmp_path / "in").mkdir(exist_ok=True)
        shutil.copy(video.path, tmp_path / "in")
    (tmp_path / "in" / "cut.mp4").write_bytes(footage[3].path.read_bytes()[:5000])
    words = ["fit", tmp_path / "in", "-o", tmp_path / "mine", "--cache", tmp_path / "cache"]
    words += ["--classifier", "r3d_18", "--random-weights", "--clip-frames", "2", "--frame-step", "16"]
    words += ["--streams", "md,rgbr", "--epochs", "1", "--tie-gap", "0", "--device", "cpu"]
    assert run([*map(str, words), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    page = PAGE.read_text(encoding="utf-8").split("## fit")[1].split("\n## ")[0]
    assert [key for key in found if key != "schema" and key not in page] == []
    assert [Path(out["path"]).name for out in found["left_out"]] == ["cut.mp4"]
    assert found["card"]["classifier"] == "r3d_18"
    assert run([*map(str, words)]) == 0
    said = capsys.readouterr()
    assert "a sampler for r3d_18" in said.out
    assert "1 video was left out" in said.err
    sampler = str(tmp_path / "mine")
    assert run(["select", str(footage[0].path), "-k", "2", "--sampler", sampler, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["clips"]) == 2


def test_the_command_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fit", str(tmp_path), "--objective", "luck", "--random-weights"]) == 1
    said = capsys.readouterr()
    assert said.err == "error: there is no objective 'luck'; choose one of: ac, sal-cl, sal-rank\n"
    assert run(["fit", str(tmp_path), "--sal-cl-target", "luck", "--random-weights"]) == 1
    said = capsys.readouterr()
    assert said.err == "error: there is no target of sal-cl 'luck'; choose one of: right, surety\n"
