"""The whole chain on rendered videos: ten of them built, a classifier given a head, ``fit``, ``evaluate``.

Everything by the commands that the large set is made and judged with. Two things are small: the videos (ten of
twelve seconds, two classes) and what stands below the classifier's last layer, which nobody trained: I3D with random
filters, whose batch norms have seen the training videos once, so that its features differ from clip to clip. A last
layer on them learns its few training clips by heart. So nothing is asserted of accuracy on videos it has not seen,
nor that the sampler finds the action; what must hold whatever is learned is.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
pytest.importorskip("torchvision", reason="torchvision is not installed: pip install 'salientclips[torch]'")
pytest.importorskip(
    "pybullet",
    reason="rendering needs pybullet: pip install 'salientclips[benchmarks]'",
    exc_type=ImportError,
)

from salientclips.classifiers import load_classifier  # noqa: E402
from salientclips.classifiers.look import ClipLooker  # noqa: E402
from salientclips.cli.run import run  # noqa: E402
from salientclips.datasets.folder import read_entries  # noqa: E402
from salientclips.media.demux import clip_grid, read_packets  # noqa: E402
from salientclips.timeline import ClipSpec  # noqa: E402
from salientclips.types import SelectedClip  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import opinions  # noqa: E402

SET = ["--videos", "10", "--seconds", "12", "--size", "128x96", "--fps", "12", "--classes", "2"]
CLIPS = 9
"""Of 16 frames in a video of 144."""
LOOK = ["--clip-frames", "16", "--frame-step", "1", "--crop-px", "48"]
LONGEST_CPU_S = 180


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the whole chain was run, and ``cpu_s`` that says what it took."""
    folder, threads = tmp_path_factory.mktemp("chain"), torch.get_num_threads()
    began = cpu_s()
    torch.set_num_threads(1)
    try:
        python("benchmarks.rendered", folder / "set", *SET, "--workers", "1")
        random_i3d(folder / "set", folder / "random.pt")
        shown = [folder / "set" / "manifest.csv", "--weights", folder / "random.pt", "--crop-px", "48"]
        trunk = ["--out", folder / "trunk", "--splits", "train,validation", "--workers", "1"]
        python("benchmarks.i3d_trunk", *shown, *trunk)
        tail = ["--trunk", folder / "trunk", "--out", folder / "head", "--epochs", "0", "--threads", "1"]
        python("benchmarks.tune_i3d", *shown, *tail)
        manifest = folder / "set" / "manifest.csv"
        f = ["--weights", folder / "head" / "i3d.safetensors", "--labels", folder / "head" / "labels.txt"]
        seen = [*LOOK, "--cache", folder / "cache", *f]
        kept = ["--workers", "1", "--opinions", folder / "opinions.npz"]
        python("benchmarks.look_at_all", manifest, *seen, *kept)
        common = [*seen, "-c", "i3d_rgb"]
        learns = ["--streams", "md", "--epochs", "2", "-k", "2"]
        command("fit", manifest, "-o", folder / "mine", *common, *learns)
        for split in ("train", "test"):
            out = ["--out", folder / split, "--no-figures", "--split", split, "--k", f"1,2,{CLIPS}"]
            command("evaluate", manifest, "-s", folder / "mine", "-s", "motion", *out, *common)
    finally:
        torch.set_num_threads(threads)
    (folder / "cpu_s").write_text(str(cpu_s() - began))
    return folder


def cpu_s() -> float:
    """Processor seconds of this process and those that it started and that have ended."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in spent)


def python(module: str, *arguments: str | Path) -> None:
    paths = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def command(*arguments: str | Path) -> None:
    assert run([*map(str, arguments), "--json"]) == 0


def random_i3d(videos: Path, to: Path) -> None:
    """An I3D whose batch norms know the mean and spread of random filters on the training videos."""
    classifier = load_classifier(
        "i3d_rgb", random_weights=True, frames=16, crop_px=48, device="cpu", threads=1
    )
    norms = [m for m in classifier.network.modules() if isinstance(m, torch.nn.BatchNorm3d)]
    clips = []

    class Keep:
        """Takes what a classifier is shown."""

        name, input, labels = "keep", classifier.input, ("any",)

        def __call__(self, shown: torch.Tensor) -> torch.Tensor:
            clips.append(shown)
            return torch.ones(len(shown), 1)

    for entry in read_entries(videos / "manifest.csv"):
        if entry.split == "train":
            table = read_packets(entry.path)
            grid = clip_grid(table, ClipSpec(16, 1))
            looker = ClipLooker(entry.path, Keep(), table)
            looker.look([SelectedClip(1, i, grid.starts[i], grid.ends[i], 0.0) for i in (1, 4, 7)])
    for norm in norms:
        norm.train()
        norm.momentum = None  # a plain mean over all that is shown
    with torch.no_grad():
        classifier.network(torch.cat(clips))
    torch.save(classifier.network.state_dict(), to)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def strategies(chain: Path, split: str) -> dict[tuple[str, str, str], dict[str, str]]:
    return {
        (row["strategy"], row["sampler"], row["k"]): row for row in rows(chain / split / "strategies.csv")
    }


def test_ten_videos_go_through_the_whole_chain_in_three_minutes(chain: Path) -> None:
    assert len(list((chain / "set").glob("*/*.mp4"))) - len(rows(chain / "set" / "codec-h264.csv")) * 3 == 10
    assert float((chain / "cpu_s").read_text()) < LONGEST_CPU_S


def test_the_head_knows_its_training_clips_and_no_other_split(chain: Path) -> None:
    facts = json.loads((chain / "head" / "validation.json").read_text())
    assert facts["videos"] == {"train": 6, "validation": 1}
    assert (chain / "head" / "labels.txt").read_text().split() == ["backflip", "cartwheel"]
    test = {
        row["path"].split("/")[1][:4]
        for row in rows(chain / "set" / "manifest.csv")
        if row["split"] == "test"
    }
    assert not {file.name[:4] for file in (chain / "trunk").iterdir()} & test
    # The oracle takes the clip that looks most like the class: each training video has one that was learned.
    assert {
        row["accuracy"]
        for key, row in strategies(chain, "train").items()
        if key[0] == "oracle" and key[2] == "1"
    } == {"1"}


def test_what_f_said_is_kept_in_one_file_and_not_asked_again(chain: Path) -> None:
    kept = opinions.load(chain / "opinions.npz")
    videos = {Path(row["path"]).stem: row for row in rows(chain / "set" / "manifest.csv")}
    assert set(kept.said) == set(videos)
    assert {len(said) for said in kept.said.values()} == {CLIPS}
    # fit and evaluate found it in the cache, or each video would have a second entry there.
    assert len(list((chain / "cache" / "predictions").iterdir())) == len(videos)
    right = [
        kept.classifier.labels[said.mean(axis=0).argmax()] == videos[stem]["label"]
        for stem, said in kept.said.items()
        if videos[stem]["split"] == "test"
    ]
    dense = strategies(chain, "test")[("dense", "", "")]
    assert float(dense["accuracy"]) == pytest.approx(sum(right) / len(right), abs=1e-3)


def test_what_must_hold_of_the_tables_whatever_was_learned(chain: Path) -> None:
    for split, videos in (("train", 6), ("test", 3)):
        found = strategies(chain, split)
        assert {row["videos"] for row in found.values()} == {str(videos)}
        dense = next(row for key, row in found.items() if key[0] == "dense")
        for (strategy, sampler, k), row in found.items():
            accuracy = float(row["accuracy"])
            assert 0 <= accuracy <= 1
            if k == str(CLIPS) and strategy != "oracle":
                assert accuracy == float(dense["accuracy"]), f"all clips are all clips: {strategy} {sampler}"
            if strategy == "sampler" and k in ("1", "2"):
                best = next(r for key, r in found.items() if key[0] == "oracle" and key[2] == k)
                assert accuracy <= float(best["accuracy"])
                assert float(row["gflops_per_video"]) < float(dense["gflops_per_video"])
        kinds = {(strategy, sampler) for strategy, sampler, _ in found}
        assert {("sampler", "mine"), ("sampler", "motion")} <= kinds
        assert {"dense", "uniform", "random", "empirical", "oracle"} <= {strategy for strategy, _ in kinds}


def test_the_true_spans_reach_the_samplers_table(chain: Path) -> None:
    for split, videos in (("train", 6), ("test", 3)):
        table = {row["sampler"]: row for row in rows(chain / split / "samplers.csv") if not row["part"]}
        assert set(table) >= {"mine", "motion"}
        for row in table.values():
            assert 0 <= float(row["auc"]) <= 1
            assert row["span_videos"] == str(videos)
        # Beside the classifier's cost, the sampler's own.
        assert float(table["mine"]["gflops_per_video"]) > float(table["motion"]["gflops_per_video"])
