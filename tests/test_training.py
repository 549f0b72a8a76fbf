"""Training finds what is salient: each objective and each combination, on videos whose salient clips are known.

And the loop itself: seeded runs agree bit for bit, a stopped run ends at the same bits, the finished sampler scores
as the loop did, and several processes train together.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")

from action_videos import ActionVideo, ColourClassifier, Kind, make_action_videos  # noqa: E402
from learned_samplers import modules  # noqa: E402
from salientclips.cache.types import VideoFeatures  # noqa: E402
from salientclips.ranking import choose  # noqa: E402
from salientclips.samplers.card import (  # noqa: E402
    COMBINATIONS,
    Combination,
    Objective,
    SamplerCard,
    Stream,
)
from salientclips.samplers.learned import LearnedSampler  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402
from salientclips.training.assemble import Assembler, Material  # noqa: E402
from salientclips.training.lesson import Lesson, Networks, Unit  # noqa: E402
from salientclips.training.loop import Trained, train  # noqa: E402
from salientclips.training.options import TrainingOptions  # noqa: E402
from salientclips.training.plan import SamplerPlan  # noqa: E402
from salientclips.training.prepare import Preparation  # noqa: E402
from salientclips.training.validate import top  # noqa: E402
from salientclips.training.videos import (  # noqa: E402
    Held,
    InputKeeper,
    TrainingVideo,
    channel_statistics,
)
from salientclips.training.world import World  # noqa: E402
from salientclips.types import FeatureParameters  # noqa: E402

STREAMS: tuple[Stream, ...] = ("md", "rgbr", "audio")
HERE = World(torch.device("cpu"))
ABOUT = SamplerCard("made", (), ClipSpec(4, 2), 2)
QUICK = TrainingOptions(
    epochs=5, patience=0, learning_rate=3e-3, videos_per_batch=3, clips_per_video=6, flip=False, zoom=1.0
)
"""As much as it takes to learn the made-up videos by heart."""


pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass(frozen=True)
class Ready:
    """Some made-up videos, read and labelled."""

    truth: list[ActionVideo]
    videos: tuple[TrainingVideo, ...]
    features: Callable[[Path], VideoFeatures]
    folder: Path

    def material(self) -> Material:
        return Material(self.videos, (), 4, ClipSpec(4, 2), self.features)

    def lesson(self, streams: tuple[Stream, ...], objective: Objective, options: TrainingOptions) -> Lesson:
        kinds = tuple("vgg18" if stream == "audio" else "shufflenet26" for stream in streams)
        return Lesson(
            Unit(streams, kinds, objective),  # type: ignore[arg-type]
            self.videos,
            (),
            ("across", "down") if objective == "ac" else (),
            {stream: channel_statistics(self.videos, stream) for stream in streams},
            14,
            options,
            3,
        )


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kind], Ready]:
    """Videos of a kind, made, read and labelled once."""
    folder = tmp_path_factory.mktemp("actions")
    kept: dict[str, Ready] = {}

    def get(kind: Kind) -> Ready:
        if kind not in kept:
            truth = make_action_videos(folder / kind, kind, 9)
            work = Preparation(
                ColourClassifier(), ClipSpec(4, 2), FeatureParameters(2, STREAMS), folder / "cache", HERE
            )
            keeper = InputKeeper(STREAMS, 14, folder / "inputs")
            found = work.prepare([video.entry() for video in truth], keeper, use_labels=True)
            assert not work.left_out
            kept[kind] = Ready(truth, tuple(found.values()), work.features, folder)
        return kept[kind]

    return get


def hit_rate(chosen: Sequence[Sequence[int]], true: Sequence[frozenset[int]]) -> float:
    """The share of the chosen clips that are true ones."""
    return float(
        np.mean([np.mean([clip in truth for clip in c]) for c, truth in zip(chosen, true, strict=True)])
    )


def test_f_is_sure_where_the_action_is(ready: Callable[[Kind], Ready]) -> None:
    for kind in ("together", "apart"):
        found = ready(kind)  # type: ignore[arg-type]
        for truth, video in zip(found.truth, found.videos, strict=True):
            assert set(np.flatnonzero(video.targets.right)) == truth.salient
            assert set(np.flatnonzero(video.targets.surety > 0.5)) == truth.salient
            assert video.targets.classes == (truth.label,)


def scores_of(lesson: Lesson, done: Trained) -> list[list[int]]:
    """The order in which the trained networks would choose the clips of each video."""
    networks = loaded(lesson, done)
    count = [len(video.targets.surety) for video in lesson.training]
    return [
        top(lesson.scores(networks, v, HERE.device), n) for v, n in zip(lesson.training, count, strict=True)
    ]


def loaded(lesson: Lesson, done: Trained) -> Networks:
    networks = Networks.drawn(lesson.unit, lesson.outputs, 0).eval()
    for stream, tensors in done.tensors.items():
        networks.of[stream].load_state_dict(tensors)
    return networks


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_pictures_find_the_moving_object(ready: Callable[[Kind], Ready], objective: Objective) -> None:
    found = ready("apart")
    stream: Stream = "md"
    options = replace(QUICK, epochs=8)
    if objective == "ac":
        # It is taught that every clip shows the class: without changed views it would learn the others by heart.
        stream, options = "rgbr", replace(QUICK, epochs=14, clips_per_video=8, flip=True, zoom=1.25)
    lesson = found.lesson((stream,), objective, options)
    orders = scores_of(lesson, train(lesson, HERE))
    true = [video.seen for video in found.truth]
    rate = hit_rate([o[: len(t)] for o, t in zip(orders, true, strict=True)], true)
    assert rate > 0.95


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_sound_finds_the_tone(ready: Callable[[Kind], Ready], objective: Objective) -> None:
    found = ready("together")
    lesson = found.lesson(("audio",), objective, replace(QUICK, epochs=12, learning_rate=2e-3))
    orders = scores_of(lesson, train(lesson, HERE))
    true = [video.heard for video in found.truth]
    rate = hit_rate([o[: len(t)] for o, t in zip(orders, true, strict=True)], true)
    assert rate > 0.95


def chosen_by(sampler: LearnedSampler, ready: Ready, k: int) -> list[tuple[int, ...]]:
    found = []
    for video in ready.videos:
        features = ready.features(video.path)
        judged = sampler.judge_features(features)
        chosen = choose(judged.scores, features.grid, k, rule=sampler.rule, streams=judged.streams)
        found.append(chosen.indices)
    return found


@pytest.fixture(scope="module")
def two(ready: Callable[[Kind], Ready]) -> dict[Kind, LearnedSampler]:
    """Samplers whose picture and sound were trained by themselves: on sights and sounds together, and apart."""
    made = {}
    for kind in ("together", "apart"):
        plan = SamplerPlan(("md", "audio"), objective="sal-cl", audio_objective="ac", frames_per_clip=2)
        work = Assembler(plan, replace(QUICK, epochs=7, learning_rate=2e-3), HERE, ready(kind).folder / "t")  # type: ignore[arg-type]
        made[kind] = work.assemble(ready(kind).material(), ABOUT)  # type: ignore[arg-type]
    return made  # type: ignore[return-value]


@pytest.mark.parametrize("combination", [c for c in COMBINATIONS if c != "av-joint-training"])
def test_every_combination_finds_what_moves_and_sounds(
    ready: Callable[[Kind], Ready], two: dict[Kind, LearnedSampler], combination: Combination
) -> None:
    sampler = two["together"]
    sampler = LearnedSampler(replace(sampler.card, combination=combination), sampler.networks)
    found = ready("together")
    assert hit_rate(chosen_by(sampler, found, 3), [video.salient for video in found.truth]) > 0.95


def test_sight_and_sound_find_what_either_alone_would_miss(
    ready: Callable[[Kind], Ready], two: dict[Kind, LearnedSampler]
) -> None:
    sampler = two["apart"]
    assert sampler.card.combination == "av-union-list"
    found = ready("apart")
    true = [video.salient for video in found.truth]
    assert hit_rate(chosen_by(sampler, found, 5), true) > 0.95
    for stream in ("visual", "audio"):
        alone = [top(sampler.judge_features(found.features(v.path)).streams[stream], 5) for v in found.videos]
        assert hit_rate(alone, true) < 0.95


def test_joint_training_finds_what_moves_and_sounds(ready: Callable[[Kind], Ready]) -> None:
    found = ready("together")
    plan = SamplerPlan(("md", "audio"), combination="av-joint-training", frames_per_clip=2)
    work = Assembler(plan, replace(QUICK, learning_rate=2e-3), HERE, found.folder / "joint")
    # Few steps leave the last epoch to chance, so two of the videos say which one to keep.
    material = replace(found.material(), validation=found.videos[-2:])
    sampler = work.assemble(material, ABOUT)
    assert list(work.history) == ["md+audio"], "one training for both"
    assert hit_rate(chosen_by(sampler, found, 3), [video.salient for video in found.truth]) > 0.95


FAST = replace(QUICK, epochs=3, clips_per_video=4, videos_per_batch=4)


def test_the_sampler_scores_as_the_loop_did(ready: Callable[[Kind], Ready]) -> None:
    found = ready("together")
    for objective in ("ac", "sal-cl", "sal-rank"):
        plan = SamplerPlan(("md", "rgbr"), objective=objective, frames_per_clip=2)
        options = replace(FAST, epochs=1)
        folder = found.folder / f"same-{objective}"
        sampler = Assembler(plan, options, HERE, folder).assemble(found.material(), ABOUT)
        lesson = found.lesson(("md", "rgbr"), objective, options)  # type: ignore[arg-type]
        networks = Networks.drawn(lesson.unit, lesson.outputs, 0).eval()
        for stream, network in modules(sampler).items():
            networks.of[stream].load_state_dict(network.state_dict())
        video = found.videos[0]
        judged = sampler.judge_features(found.features(video.path))
        assert lesson.scores(networks, video, HERE.device) == pytest.approx(judged.scores, abs=1e-4)


def test_validation_judges_a_lasting_i_frame_once(ready: Callable[[Kind], Ready]) -> None:
    found = ready("together")
    counts = np.full(len(found.videos[0].targets.surety), 1)
    scenes = np.random.default_rng(0).normal(size=(3, 3, 32, 40)).astype(np.float32)
    order = np.arange(len(counts)) * 3 // len(counts)
    video = replace(found.videos[0], held={"if": Held(counts, scenes[order])})
    lesson = replace(
        found.lesson(("md",), "sal-rank", FAST),
        unit=Unit(("if",), ("shufflenet26",), "sal-rank"),
        normalisation={"if": ((0.0,) * 3, (1.0,) * 3)},
    )
    networks = Networks.drawn(lesson.unit, lesson.outputs, 0).eval()
    looked: list[int] = []
    networks.of["if"].register_forward_hook(lambda _m, args, _o: looked.append(len(args[0])))
    scores = lesson.scores(networks, video, HERE.device)
    assert sum(looked) == 3
    with torch.inference_mode():
        alone = [float(networks.of["if"](torch.from_numpy(scene[None]))[0, 0]) for scene in scenes]
    assert scores == pytest.approx([alone[scene] for scene in order], abs=1e-4)


def bits(done: Trained) -> dict[str, bytes]:
    return {
        f"{s}.{name}": t.numpy().tobytes()
        for s, tensors in done.tensors.items()
        for name, t in tensors.items()
    }


@pytest.mark.parametrize("objective", ["ac", "sal-cl", "sal-rank"])
def test_seeded_runs_agree_bit_for_bit(ready: Callable[[Kind], Ready], objective: Objective) -> None:
    options = replace(FAST, epochs=2)
    lesson = ready("together").lesson(("rgbr",), objective, options)
    torch.manual_seed(1)
    first = train(lesson, HERE)
    torch.manual_seed(2)
    torch.rand(5)
    again = train(lesson, HERE)
    assert bits(first) == bits(again)
    assert first.history == again.history
    other = train(replace(lesson, options=replace(options, seed=1)), HERE)
    assert bits(first) != bits(other)


def test_training_draws_nothing_from_the_caller(ready: Callable[[Kind], Ready]) -> None:
    lesson = ready("together").lesson(("md",), "sal-rank", replace(FAST, epochs=1))
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    train(lesson, HERE)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("stops_after", [1, 2, 3])
def test_a_stopped_run_ends_at_the_same_bits(
    ready: Callable[[Kind], Ready], tmp_path: Path, stops_after: int
) -> None:
    found = ready("together")
    lesson = replace(found.lesson(("md",), "sal-rank", FAST), validation=found.videos[:2])
    whole = train(lesson, HERE)
    epochs: list[float] = []

    def stop(share: float) -> None:
        epochs.append(share)
        if len(epochs) == stops_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(lesson, HERE, folder=tmp_path, progress=stop, save_every_s=0.0)
    again = train(lesson, HERE, folder=tmp_path, progress=epochs.append, save_every_s=0.0)
    # the stop came before the checkpoint of its own epoch was written
    assert len(epochs) == stops_after + FAST.epochs - (stops_after - 1)
    assert bits(again) == bits(whole)
    assert again.history == whole.history
    epochs.clear()
    assert bits(train(lesson, HERE, folder=tmp_path, progress=epochs.append)) == bits(whole)
    assert epochs == [1.0], "a finished run is not trained again"


def test_a_damaged_checkpoint_is_found(ready: Callable[[Kind], Ready], tmp_path: Path) -> None:
    lesson = ready("together").lesson(("md",), "sal-rank", replace(FAST, epochs=2))
    whole = train(lesson, HERE, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    said: list[str] = []
    again = train(lesson, HERE, folder=tmp_path, warn=said.append)
    assert len(said) == 1
    assert "damaged" in said[0]
    assert bits(again) == bits(whole)


def test_a_checkpoint_of_another_run_is_not_taken_up(ready: Callable[[Kind], Ready]) -> None:
    found = ready("together")
    base = found.lesson(("md",), "sal-rank", FAST)
    others = [
        base,
        replace(base, options=replace(FAST, margin=0.5)),
        replace(base, training=base.training[:-1]),
        replace(base, validation=base.training[-1:]),
        replace(base, k=2),
        found.lesson(("rgbr",), "sal-rank", FAST),
        found.lesson(("md",), "sal-cl", FAST),
        replace(base, normalisation={"md": ((0.0, 0.0), (1.0, 1.0))}),
    ]
    assert len({lesson.key() for lesson in others}) == len(others)
    assert base.key() == found.lesson(("md",), "sal-rank", FAST).key()
    assert base.key(threads=1) != base.key(threads=2)


def test_training_ends_when_nothing_gets_better(ready: Callable[[Kind], Ready]) -> None:
    found = ready("together")
    lesson = replace(
        found.lesson(("md",), "sal-rank", replace(FAST, epochs=9, patience=2, learning_rate=1e-9)),
        validation=found.videos[:2],
    )
    done = train(lesson, HERE)
    assert len(done.history) < 9
    best = max((e["accuracy"], e["surety"]) for e in done.history)
    kept = done.history[done.best_epoch - 1]
    assert (kept["accuracy"], kept["surety"]) == best


def test_inputs_beyond_the_budget_are_kept_in_files(ready: Callable[[Kind], Ready], tmp_path: Path) -> None:
    found = ready("together")
    keeper = InputKeeper(STREAMS, 14, tmp_path, budget_bytes=0)
    video = found.videos[0]
    held = keeper.keep(video.name, found.features(video.path))
    assert len(list(tmp_path.iterdir())) == 3
    for stream in STREAMS:
        for a, b in zip(held[stream].clips(), video.held[stream].clips(), strict=True):
            assert np.array_equal(a, b)


JOINED = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from pathlib import Path
from action_videos import ColourClassifier, LABELS
from salientclips.cache.store import default_folder
from salientclips.datasets.manifest import read_manifest
from salientclips import SamplerPlan, TrainingOptions, fit
done = fit(
    Path(sys.argv[2]), ColourClassifier(), plan=SamplerPlan(("md",), frames_per_clip=2),
    options=TrainingOptions(epochs=2, clips_per_video=4, videos_per_batch=3), output=sys.argv[4],
    cache=sys.argv[3], device="cpu",
)
losses = [round(e["loss"], 6) for e in done.history["md"]]
# In one write: print's pieces of one process fell between those of the other.
sys.stdout.write(f"{done.sampler.weights_hash} {losses}\\n")
"""


def test_two_processes_train_together(ready: Callable[[Kind], Ready], tmp_path: Path) -> None:
    from salientclips.datasets.manifest import write_manifest

    write_manifest([v.entry() for v in ready("together").truth[:5]], tmp_path / "m.csv")
    (tmp_path / "job.py").write_text(JOINED)
    words = [tmp_path / "job.py", Path(__file__).parent, tmp_path / "m.csv", tmp_path / "c", tmp_path / "out"]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    done = subprocess.run([*command, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if "[" in line]
    assert len(lines) == 2
    assert lines[0].split()[0] == lines[1].split()[0], "both processes end with the same weights"
    assert (tmp_path / "out" / "model.safetensors").is_file()
