"""The made-up files that examples in docs and docstrings take for the reader's own, and a classifier made small."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from media_files import AudioSpec, make_video

VIDEOS = ("climb.mp4", "polevault.mp4", "holiday.mp4", "video.mp4", "some-video.mp4")
FOLDERS = {
    "videos": ("a.mp4", "b.mp4"),
    "footage": ("1.mp4", "2.mp4", "3.mp4"),
    "labelled/abseiling": ("1.mp4", "2.mp4"),
    "labelled/zumba": ("3.mp4",),
}
TEXTS = {
    "more.txt": "climb.mp4\n",
    "labelled.csv": "path,label\nvideos/a.mp4,abseiling\nvideos/b.mp4,zumba\n",
    "marked.csv": "path,spans,split\nfootage/1.mp4,2-4,train\nfootage/2.mp4,1-3,train\n"
    "footage/3.mp4,4-6,validation\n",
    "scenes.csv": "Scene Number,Start Time (seconds),End Time (seconds)\n1,0.000,3.000\n2,3.000,8.000\n",
    "validate.csv": "label,youtube_id,time_start,time_end,split\nabseiling,0wR5jVB-WPk,417,427,validate\n",
    "labels.txt": "abseiling\nzumba\n",
    "original/test_partition.txt": "http://www.youtube.com/watch?v=abc 0\nhttp://www.youtube.com/watch?v=def 1\n",
    "original/train_partition.txt": "http://www.youtube.com/watch?v=ghi 0\nhttp://www.youtube.com/watch?v=jkl 1\n",
}
WEIGHTS = "i3d-kinetics-400.ckpt"
SMALL = {"frames": 16, "crop_px": 32}
"""What a classifier looks at in the examples, where they do not say it: a two-hundredth of the work."""


def make_source(folder: Path) -> Path:
    """Eight seconds from which all videos of the examples are made, with sound and, for what learns of them, without.

    A sampler of silent videos has no network for sound, which would take most of the time.
    """
    for name, audio in (("sound.mp4", AudioSpec(clicks_s=(1.0, 5.0))), ("silent.mp4", None)):
        make_video(folder / name, frames=240, size=(160, 120), bframes=2, gop=60, audio=audio)
    return folder


def put_files(place: Path, source: Path) -> None:
    """Everything that examples take for granted, but for weights."""
    videos = [*VIDEOS, *(f"{folder}/{name}" for folder, names in FOLDERS.items() for name in names)]
    for name in (*videos, *TEXTS, "videos/kinetics/none", "videos/sports1m/none"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
    for name in videos:
        os.link(source / ("silent.mp4" if name.startswith("footage/") else "sound.mp4"), place / name)
    for name, text in TEXTS.items():
        (place / name).write_text(text, encoding="utf-8")


def make_weights(path: Path) -> Path:
    """A checkpoint of I3D in the usual form, with numbers by lot: always the same."""
    import torch

    from salientclips.classifiers.i3d import recipe

    with torch.device("meta"):
        shapes = recipe().build(400).state_dict()
    generator = torch.Generator().manual_seed(0)
    tensors = {
        name: torch.zeros(tensor.shape, dtype=tensor.dtype)
        if not tensor.is_floating_point()
        else torch.rand(tensor.shape, generator=generator) * 0.01 + (0.5 if "running_var" in name else 0.0)
        for name, tensor in shapes.items()
    }
    torch.save(tensors, path)
    return path


_loaded: dict[str, Any] = {}


def make_classifiers_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let :func:`salientclips.load_classifier` take fewer and smaller pictures, and no weights from the network.

    A network of random weights says nearly the same of every clip, so that nothing could be learned of it: its last
    layer is made a thousand times louder. What was loaded is kept.
    """
    import salientclips
    from salientclips import classifiers

    whole: Callable[..., Any] = classifiers.load_classifier

    @functools.wraps(whole)
    def small(name: str, **how: Any) -> Any:
        for key, value in SMALL.items():
            how[key] = how.get(key) or value
        if how.get("weights") == "default":
            how |= {"weights": None, "random_weights": True}
        key = repr((name, sorted(how.items())))
        if key not in _loaded:
            _loaded[key] = whole(name, **how)
            if how.get("random_weights"):
                for parameter in list(_loaded[key].network.parameters())[-2:]:
                    parameter.data *= 1000
        return _loaded[key]

    monkeypatch.setattr(classifiers, "load_classifier", small)
    monkeypatch.setattr(salientclips, "load_classifier", small)
