"""One made-up file through every public verb by the command line, held to its burnt-in counters and its times."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pyarrow.parquet as pq
import pytest

from chosen import counter_at
from made_files import MadeFile
from media_files import read_counter
from salientclips.cli.run import run
from salientclips.media.orientation import rotation_deg, turn

ROUNDING_S = 0.0021
"""Containers round times, to 1 ms at most, where one is compared with the sum of two."""


@dataclass(frozen=True)
class Command:
    """The command line with ``--json``, in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> tuple[int, dict[str, Any]]:
        """Exit code and what was printed; an error is one line."""
        self.capsys.readouterr()
        code = run([*map(str, words), "--json"])
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        assert code == 0 or (printed.err.startswith("error: ") and printed.err.count("\n") == 1)
        return code, json.loads(printed.out)

    def ok(self, *words: str | Path) -> dict[str, Any]:
        """What was printed by a command that must succeed."""
        code, found = self(*words)
        assert code == 0, found
        return found

    def fails(self, *words: str | Path) -> dict[str, Any]:
        """The error of a command that must fail with exit code 1."""
        code, found = self(*words)
        assert code == 1, found
        assert found["error"]["remedy"]
        error: dict[str, Any] = found["error"]
        return error


def pictures_of(path: Path) -> list[int]:
    """The counters of all frames of a file, upright, as FFmpeg decodes it."""
    with av.open(str(path)) as container:
        return [
            read_counter(turn(f.to_ndarray(format="rgb24"), rotation_deg(f)))
            for f in container.decode(video=0)
        ]


def check_every_verb(
    file: MadeFile, command: Command, folder: Path, *, vectors: bool, priming_s: float = 0.0
) -> dict[str, Any]:
    """Probe, score, select, cut, frames, export and vectors agree with what was burnt in.

    Args:
        file: The video and its truth.
        command: The command line.
        folder: Where files may be written.
        vectors: Whether the codec's motion vectors can be had.
        priming_s: How much earlier than the pictures coded sound may begin, and the timeline with it.

    Returns:
        What ``probe`` printed.
    """
    probed = command.ok("probe", file.path)
    start_s = probed["video"]["start_s"]
    assert sum(probed["video"]["frames"].values()) == len(file.counters)
    assert file.start_s - ROUNDING_S <= start_s <= file.start_s + priming_s + ROUNDING_S
    assert probed["video"]["rotation_deg"] == file.rotation_deg
    assert probed["video"]["variable_frame_rate"] == file.variable_frame_rate
    times_s = [start_s + float(t) for t in file.times]

    scores = folder / "scores.csv"
    words = ("-s", "packet-cost", "--clip-frames", "6", "--frame-step", "2", "-o", scores)
    scored = command.ok("score", file.path, *words)
    # A clip begins on every twelfth frame, at that frame's own time.
    starts_s = [clip["start_s"] for clip in scored["clips"]]
    assert starts_s == pytest.approx(times_s[::12][: len(starts_s)], abs=ROUNDING_S)
    assert len(starts_s) >= len(times_s[::12]) - 1

    chosen = command.ok("select", file.path, "-k", "3", "--scores", scores)["clips"]
    best = sorted(scored["clips"], key=lambda clip: (-clip["score"], clip["index"]))[: len(chosen)]
    assert [clip["index"] for clip in chosen] == [clip["index"] for clip in best]
    inside = [
        [i for i, t in enumerate(times_s) if c["start_s"] - ROUNDING_S <= t < c["end_s"] - ROUNDING_S]
        for c in chosen
    ]

    pieces = command.ok("cut", file.path, "-k", "3", "--scores", scores, "-o", folder / "cut")["clips"]
    for piece, frames in zip(pieces, inside, strict=True):
        assert pictures_of(Path(piece["output"])) == [file.counters[i] for i in frames]

    stills = command.ok(
        "frames", file.path, "-k", "3", "--frames", "5", "--scores", scores, "-o", folder / "jpg"
    )
    truth = MadeFile(file.path, file.codec, file.counters, file.times, start_s=start_s)
    for frame, jpeg in zip(stills["frames"], sorted((folder / "jpg").iterdir()), strict=True):
        assert pictures_of(jpeg) == [counter_at(truth, frame["time_s"])] == [file.counters[frame["number"]]]

    command.ok("export", file.path, "-k", "3", "--scores", scores, "-o", folder / "scenes.csv")
    rows = list(csv.DictReader((folder / "scenes.csv").read_text().splitlines()))
    spans = sorted((frames[0], frames[-1]) for frames in inside)
    assert sorted((int(r["Start Frame"]) - 1, int(r["End Frame"]) - 1) for r in rows) == spans

    table = folder / "vectors.parquet"
    if not vectors:
        assert command.fails("vectors", file.path, "-o", table)["type"] == "FeatureUnavailableError"
        return probed
    written = command.ok("vectors", file.path, "-o", table)
    assert written["frames"] <= probed["video"]["frames"]["P"]
    assert written["vectors"] > 0
    found = set(pq.read_table(table).column("time_s").to_pylist())
    assert all(min(abs(t - shown) for shown in times_s) < ROUNDING_S for t in found)
    return probed


GetMade = Callable[[str], MadeFile]
