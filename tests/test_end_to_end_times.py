"""The benchmark of whole times: which clips stand for all of them, and that the parts add up."""

from __future__ import annotations

import csv
import sys
from itertools import pairwise
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")

from conftest import GetMade  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.end_to_end import COLUMNS, PARTS, evenly_in_runs, main  # noqa: E402


def test_runs_of_neighbours_are_spread_evenly() -> None:
    assert evenly_in_runs(5, 48, 8) == [0, 1, 2, 3, 4]
    assert evenly_in_runs(48, 48, 8) == list(range(48))
    for count in (49, 75, 1125):
        found = evenly_in_runs(count, 48, 8)
        assert len(set(found)) == len(found) == 48
        assert found == sorted(found)
        starts = found[::8]
        assert all(
            found[8 * j : 8 * j + 8] == list(range(start, start + 8)) for j, start in enumerate(starts)
        )
        before, after = starts[0], count - 1 - found[-1]
        assert abs(before - after) <= 1, "as much before the first run as after the last"
        assert max(b - a for a, b in pairwise(starts)) - 8 <= 2 * before + 2


def test_the_parts_add_up_and_dense_is_the_dearest(
    made: GetMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from salientclips.classifiers import load_classifier

    classifier = load_classifier("i3d_rgb", random_weights=True, frames=9, crop_px=32, device="cpu")
    torch.save(classifier.network.state_dict(), tmp_path / "i3d.pt")
    arguments = [
        str(made("h264_bframes_mp4").path),
        "--sampler",
        "packet-cost",
        "--weights",
        str(tmp_path / "i3d.pt"),
    ]
    arguments += [
        "--clip-frames",
        "9",
        "--crop-px",
        "32",
        "-k",
        "1,2",
        "--repeats",
        "1",
        "--dense-clips",
        "16",
    ]
    monkeypatch.setattr(
        sys, "argv", ["end_to_end", *arguments, "--cpu", "--csv", str(tmp_path / "times.csv")]
    )
    threads = torch.get_num_threads()
    try:
        main()
    finally:
        torch.set_num_threads(threads)
    with (tmp_path / "times.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["strategy"], row["k"]) for row in rows] == [
        ("dense", ""), *((strategy, k) for k in "12" for strategy in ("random", "sampler"))
    ]  # fmt: skip
    dense = rows[0]
    assert (dense["clips"], dense["dense_clips_measured"]) == ("20", "16")
    for row in rows:
        parts = sum(float(row[f"{part}_s"]) for part in PARTS)
        assert 0 < parts <= float(row["total_s"]) + 0.001
        assert float(row["ratio_to_dense"]) == pytest.approx(
            float(row["total_s"]) / float(dense["total_s"]), rel=0.02
        )
    assert all(float(row["total_s"]) < float(dense["total_s"]) for row in rows[1:])
    assert capsys.readouterr().out.endswith("5 rows\n")
