"""The video transformers of Hugging Face in the classify verb, end to end, at a tiny size with drawn weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from made_files import MadeFile
from salientclips.cli.run import run

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
pytest.importorskip("torchvision", exc_type=Exception)

SIZE = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}


def videomae(folder: Path) -> None:
    config = transformers.VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, tubelet_size=2, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, num_labels=3,
    )  # fmt: skip
    transformers.VideoMAEForVideoClassification(config).save_pretrained(folder)
    transformers.VideoMAEImageProcessor(**SIZE).save_pretrained(folder)


def vjepa2(folder: Path) -> None:
    config = transformers.VJEPA2Config(
        patch_size=16, crop_size=32, frames_per_clip=4, tubelet_size=2, hidden_size=24, num_hidden_layers=1,
        num_attention_heads=2, mlp_ratio=1.0, pred_hidden_size=24, pred_num_attention_heads=2,
        pred_num_hidden_layers=1, num_pooler_layers=1, num_labels=3,
    )  # fmt: skip
    transformers.VJEPA2ForVideoClassification(config).save_pretrained(folder)
    transformers.VJEPA2VideoProcessor(**SIZE).save_pretrained(folder)


@pytest.mark.parametrize("make", [videomae, vjepa2], ids=["VideoMAE", "V-JEPA 2"])
def test_classify(
    make: Callable[[Path], None],
    made: Callable[[str], MadeFile],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(tmp_path / "model")
    words = ["classify", str(made("vfr").path), "-c", f"hf:{tmp_path / 'model'}", "-k", "2", "--json"]
    assert run(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["clips"]) == 2
    assert sum(p["probability"] for p in found["predictions"]) == pytest.approx(1, abs=1e-5)


def test_vjepa2_sees_what_its_own_processor_would_show_it(tmp_path: Path) -> None:
    from salientclips import load_classifier
    from salientclips.classifiers.preprocess import prepare_clip

    vjepa2(tmp_path)
    classifier: Any = load_classifier(f"hf:{tmp_path}", device="cpu")
    rng = np.random.default_rng(0)
    frames = np.repeat(np.repeat(rng.integers(0, 256, (4, 12, 16, 3), dtype=np.uint8), 4, axis=1), 4, axis=2)
    ours = prepare_clip(frames, classifier.input).transpose(0, 1)
    processor = transformers.VJEPA2VideoProcessor.from_pretrained(tmp_path)
    theirs = processor(frames.transpose(0, 3, 1, 2), return_tensors="pt")["pixel_values_videos"][0]
    # One level of 255, divided by the least standard deviation: both round after resizing.
    assert float((ours - theirs).abs().max()) <= 1.01 / 255 / 0.224
