"""Traps on the way to models: times that get lost, and licences (traps.md, rows 21 to 23)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import salientclips
from chosen import choose, counter_at
from made_files import MadeFile
from media_files import read_counter
from salientclips import Selection
from salientclips.samplers import RELEASED
from trap_verbs import Command

GetMade = Callable[[str], MadeFile]
ROOT = Path(__file__).resolve().parents[1]


# --- 21: times ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vfr", "vfr_swing", "late_video", "ts", "edit_list", "rotated_90"])
@pytest.mark.parametrize("budget", [2, 7, 8])
def test_a_model_is_told_the_time_of_each_frame(name: str, budget: int, made: GetMade) -> None:
    """Qwen3-VL takes frames in pairs and works out ``index / fps``: that has to be the time on show."""
    file = made(name)
    selection = choose(file.path)
    frames, metadata = selection.to_qwen3vl(budget)
    assert len(frames) == budget // 2 * 2 >= 2
    assert all(n % 2 == 0 for n in frames_of_each_clip(selection, metadata).values())
    told_s = [i / metadata["fps"] for i in metadata["frames_indices"]]
    shown = [read_counter(np.asarray(p).transpose(1, 2, 0)) for p in frames]
    assert shown == [counter_at(file, t) for t in told_s]
    true_s = [float(file.times[file.counters.index(c)]) + file.start_s for c in shown]
    assert told_s == pytest.approx(true_s, abs=0.003)


def frames_of_each_clip(selection: Selection, metadata: dict[str, object]) -> dict[int, int]:
    told = [i / metadata["fps"] for i in metadata["frames_indices"]]  # type: ignore[operator, attr-defined]
    return {c.rank: sum(c.start_s - 0.002 <= t < c.end_s - 0.002 for t in told) for c in selection.clips}


@pytest.mark.parametrize("name", ["vfr", "late_video", "ts"])
def test_a_chat_model_reads_the_time_beside_each_picture(
    name: str, made: GetMade, command: Command, tmp_path: Path
) -> None:
    file = made(name)
    found = command.ok(
        "frames", file.path, "-k", "3", "--frames", "6", "-s", "packet-cost", "-o", tmp_path / "f.json"
    )
    parts = json.loads((tmp_path / "f.json").read_text())
    for frame, text in zip(found["frames"], parts[::2], strict=True):
        told = re.search(r"(\d+(?:\.\d+)?) ?s", text["text"])
        assert told is not None, text
        assert float(told[1]) == pytest.approx(frame["time_s"], abs=0.051)
        assert file.counters[frame["number"]] == counter_at(file, frame["time_s"])


# --- 22: licence of weights ----------------------------------------------------------------------------------------


def test_a_card_says_the_licence_and_the_data(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
    from learned_samplers import make_card, make_learned

    card = make_card(("md",), licence="cc-by-4.0", data="40 videos of our own")
    folder = make_learned(card).save_pretrained(tmp_path / "s")
    (told,) = (json.loads(p.read_text()) for p in folder.glob("*.json"))
    text = json.dumps(told)
    assert "cc-by-4.0" in text
    assert "40 videos of our own" in text
    page = (folder / "README.md").read_text()
    assert 'license: "cc-by-4.0"' in page.split("---")[1]
    assert "40 videos of our own" in page
    loaded = salientclips.LearnedSampler.from_pretrained(folder).card
    assert (loaded.licence, loaded.data) == (card.licence, card.data)


def test_what_is_released_has_a_licence_and_its_data(command: Command) -> None:
    found = command.ok("list")["released"]
    assert [one["name"] for one in found] == list(RELEASED)
    assert all(one["licence"] and one["data"] for one in found)


# --- 23: licence of codecs -----------------------------------------------------------------------------------------


def test_no_codec_is_shipped() -> None:
    """FFmpeg, libx264 and libx265 (GPL) come with PyAV; the package depends on it and holds none of them."""
    needed = re.search(r"^dependencies = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.S | re.M)
    assert needed is not None
    assert '"av>=' in needed[1]
    package = Path(salientclips.__file__).parent
    libraries = [p.name for pattern in ("*.so*", "*.dylib", "*.dll", "*.pyd") for p in package.rglob(pattern)]
    assert [name for name in libraries if not name.startswith("_core")] == []
