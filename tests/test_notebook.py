"""What a notebook shows: self-contained, escaped, and with the clips where they are."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from builders import make_scores
from made_files import MadeFile
from salientclips.errors import InputError, MissingExtraError
from salientclips.outputs.notebook import with_room
from salientclips.verbs.score import score

HOSTILE = Path('<script>alert("1")</script>.mp4')


def test_scores_are_a_curve() -> None:
    html = make_scores([1.0, 3.0, 2.0], path=HOSTILE)._repr_html_()
    assert "3 clips scored by motion" in html
    assert html.count("<path") == 2
    assert "<script" not in html
    assert "http" not in html


def test_a_selection_is_a_curve_with_marks_and_a_table() -> None:
    html = make_scores([1.0, 3.0, 2.0, 0.5], path=HOSTILE).select(2)._repr_html_()
    assert html.count("<rect") == 2
    assert html.count("<tr>") == 3
    places = [float(x) for x in re.findall(r'<rect x="([\d.]+)%', html)]
    assert places == [25.0, 50.0]
    assert "<script" not in html


def test_showing_brings_pictures(made: Callable[[str], MadeFile]) -> None:
    selection = score(made("h264_bframes_mp4").path, "packet-cost").select(3)
    shown = selection.show()
    html = shown._repr_html_()
    assert html == shown.html
    assert html.count('src="data:image/') == 3
    assert html.count("<rect") == 3


def test_fewer_than_k_is_said() -> None:
    assert "1 of 5 clips selected" in make_scores([1.0]).select(5)._repr_html_()


def test_ranks_that_crowd_leave_out_the_worse() -> None:
    clips = make_scores([1.0, 3.0, 2.0, 0.5]).select(4).clips
    assert [c.rank for c in with_room(clips, 0.0)] == [1, 2, 3, 4]
    assert [c.rank for c in with_room(clips, 2.0)] == [1, 4]


def test_plot_draws_on_given_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from matplotlib.figure import Figure

    # a name with dollars is no formula
    streams = {"md": np.array([0.1, np.nan, 0.3])}
    scores = make_scores([1.0, 3.0, 2.0], path=Path("$x_{1$.mp4"), streams=streams)
    figure = Figure()
    ax = figure.subplots()
    assert scores.plot(ax, k=2) is ax
    assert [text.get_text() for text in ax.texts] == ["1", "2"]
    assert ax.get_xlabel() == "time (s)"
    assert len(ax.patches) == 4  # two curves, two marks
    figure.canvas.draw()
    with pytest.raises(InputError):
        scores.plot(ax, k=0)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="plots"):
        scores.plot(ax)


def test_types_stay_light() -> None:
    import subprocess

    heavy = "{'av', 'jinja2', 'matplotlib', 'salientclips.outputs'}"
    code = f"import sys, salientclips.types; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
