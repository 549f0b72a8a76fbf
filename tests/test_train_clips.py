"""f of ``rendered``: scenes of which only the action is rendered, what is told of each clip, and a short training."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")
pytest.importorskip(
    "pybullet",
    reason="rendering needs pybullet: pip install 'salientclips[benchmarks]'",
    exc_type=ImportError,
)
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import drill_clips, train_clips  # noqa: E402
from benchmarks.rendered import drill  # noqa: E402
from benchmarks.rendered.draw import draw  # noqa: E402
from benchmarks.rendered.motions import CLIPS, load  # noqa: E402
from benchmarks.rendered.screenplay import ACTIONS, Settings  # noqa: E402
from benchmarks.rendered.stage import frames_of, pictures  # noqa: E402
from torchvision.models.video import mc3_18, r3d_18  # noqa: E402

from salientclips.classifiers import load_classifier  # noqa: E402

SCENES = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drill of two parts of two scenes: one to learn from, one that is kept back."""
    made = tmp_path_factory.mktemp("drill")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drill, "SCENES_A_PART", SCENES)
        for part in (0, 1):
            drill.make_part(made, part)
    return made


@pytest.fixture(autouse=True)
def few_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_clips, "SCENES_A_PART", SCENES)
    drill_clips._moments.cache_clear()


def test_the_action_of_a_scene_is_the_sets_own_frames() -> None:
    settings = Settings(seed=drill.SEED, shortest_s=12, longest_s=12)
    play = draw(settings, 0)
    wanted = range(play.spans[0][0], play.spans[0][0] + 4)
    some = list(frames_of(play, settings, wanted, parts=True))
    whole = [picture for number, picture in enumerate(pictures(play, settings)) if number in wanted]
    assert len(some) == len(whole) == 4
    for seen, picture in zip(some, whole, strict=True):
        assert np.array_equal(seen.picture, picture)
        assert seen.parts is not None
        assert seen.parts.shape == picture.shape[:2]
    parts = np.concatenate([seen.parts.ravel() for seen in some if seen.parts is not None])
    assert set(np.unique(parts)) == set(range(7)), "every part of the body is seen, and what is none"
    assert 0.01 < np.mean(parts > 0) < 0.3


def test_a_drill_holds_each_place_of_action_and_keeps_some_back(folder: Path) -> None:
    learned, held = (drill_clips.read(folder, kept_back=kept) for kept in (False, True))
    settings = Settings(seed=drill.SEED)
    for found, scenes in ((held, (0, 1)), (learned, (2, 3))):
        plays = [draw(settings, index) for index in scenes]
        spans = [(play.label, len(range(*span, drill.STEP))) for play in plays for span in play.spans]
        assert [
            (ACTIONS[label], len(place)) for label, place in zip(found.labels, found.places, strict=True)
        ] == [(label, count) for label, count in spans if count >= drill_clips.FRAMES]
        for place in found.places:
            assert place.shape[1:] == (*drill.SIZE_PX, 4)
            assert (place[..., 3] > 0).any(axis=(1, 2)).mean() > 0.5, "the person is seen in most frames"


def test_the_moment_goes_on_with_the_captured_clip(folder: Path) -> None:
    found = drill_clips.read(folder, kept_back=False)
    for place, label in enumerate(found.labels):
        captured, _, step = found.moments[place]
        name = drill_clips.CAPTURED[int(captured)]
        assert name in CLIPS[ACTIONS[label]]
        assert 0.85 <= step * load(name).duration_s * 12.5 / drill.STEP <= 1.15, "the speed of a behaviour"
        moments = [found.moment(place, first) for first in range(len(found.places[place]) - 7)]
        assert {moment // drill_clips.MOMENTS for moment in moments} == {int(captured)}
        quarter = np.diff(np.array(moments) % drill_clips.MOMENTS)
        assert set(np.unique(quarter % drill_clips.MOMENTS)) <= {0, 1}, (
            "time goes forward, a quarter at a time"
        )


def test_the_world_fades_and_the_person_stays(folder: Path) -> None:
    place = drill_clips.read(folder, kept_back=False).places[0]
    full, faded = (
        drill_clips.varied(place, 0, np.random.default_rng(3), world=world) for world in (1.0, 0.0)
    )
    person = full[..., 3] > 0
    assert person.any()
    assert np.array_equal(full[person], faded[person])
    assert np.ptp(faded[~person][:, :3]) < 1e-6
    assert np.ptp(full[~person][:, :3]) > 0.1


def test_mc3_begins_with_r3ds_filters_summed_over_time() -> None:
    torch.manual_seed(0)
    first, second = r3d_18(num_classes=3), mc3_18(num_classes=3)
    given = train_clips.summed(first.state_dict(), second.state_dict())
    second.load_state_dict(given)
    name = "layer2.0.conv1.0.weight"
    assert torch.allclose(second.state_dict()[name][:, :, 0], first.state_dict()[name].sum(dim=2))
    assert torch.equal(second.state_dict()["stem.0.weight"], first.state_dict()["stem.0.weight"])
    same = train_clips.summed(first.state_dict(), first.state_dict())
    assert all(torch.equal(same[name], tensor) for name, tensor in first.state_dict().items())


def test_a_training_by_command_learns_and_its_files_are_for_the_other_commands(
    folder: Path, tmp_path: Path
) -> None:
    # The command reads parts of fifty scenes; here they have two.
    script = (
        "from benchmarks import drill_clips, train_clips;"
        f"drill_clips.SCENES_A_PART = {SCENES};"
        "train_clips.main()"
    )
    options = ["--network", "mc3_18", "--phases", "24:96", "--batch", "8", "--every", "4", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), *options, "--out", str(tmp_path / "f")],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "f" / "training.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["clips"]) for row in rows] == [32, 64, 96]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]), "two scenes are learned by heart"
    assert (tmp_path / "f" / "confusion.csv").read_text().startswith("truth,backflip,")
    f = load_classifier(
        "mc3_18",
        weights=tmp_path / "f" / "mc3_18.safetensors",
        labels=tmp_path / "f" / "labels.txt",
        frames=drill_clips.FRAMES,
        frame_step=drill.STEP,
        crop_px=drill_clips.CROP_PX,
        device="cpu",
    )
    assert f.labels == ACTIONS
    assert f.input.resize_px == drill.SIZE_PX
    assert torch.isfinite(f(torch.zeros(1, 3, 8, 64, 64))).all()


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    options = ["--network", "mc3_18", "--phases", "24:12", "--batch", "4", "--every", "1", "--threads", "1"]
    save, saved = train_clips.save, []

    def stops_at_the_second(*arguments: object) -> None:
        if len(saved) == 1:
            raise KeyboardInterrupt
        saved.append(1)
        save(*arguments)  # type: ignore[arg-type]

    def run(out: str) -> None:
        monkeypatch.setattr(sys, "argv", ["train_clips", str(folder), *options, "--out", str(tmp_path / out)])
        train_clips.main()

    run("whole")
    with monkeypatch.context() as patch:
        patch.setattr(train_clips, "save", stops_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            run("stopped")
    assert len((tmp_path / "stopped" / "training.csv").read_text().splitlines()) == 2
    run("stopped")
    for name in ("training.csv", "mc3_18.safetensors", "confusion.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
