"""Exact time: pts to seconds and back, and the clip grid."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salientclips.errors import InputError
from salientclips.timeline import ClipGrid, ClipSpec, Timeline

time_bases = st.sampled_from([F(1, 90000), F(1, 1000), F(1001, 30000), F(1, 12800)])
zeros = st.fractions(min_value=-2, max_value=5, max_denominator=90000)


@given(time_bases, zeros, st.integers(-(10**9), 10**9))
def test_first_pts_inverts_time(time_base: F, zero: F, pts: int) -> None:
    timeline = Timeline(time_base, zero)
    assert timeline.first_pts(timeline.time(pts)) == pts


@given(time_bases, zeros, st.fractions(min_value=0, max_value=10**5, max_denominator=10**6))
def test_first_pts_is_the_first_not_before(time_base: F, zero: F, time: F) -> None:
    timeline = Timeline(time_base, zero)
    first = timeline.first_pts(time)
    assert timeline.time(first - 1) < time <= timeline.time(first)


def test_three_hours_of_ntsc_do_not_drift() -> None:
    frame = F(1001, 30000)
    times = [i * frame for i in range(323_676)]  # three hours
    grid = ClipGrid.from_frame_times(times, len(times) * frame, ClipSpec())
    last = len(grid) - 1
    assert grid.starts[last] == last * 32 * frame
    assert grid.ends[-1] == len(times) * frame


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=300),
    st.integers(1, 20),
    st.integers(1, 3),
)
def test_clips_tile_the_video(gaps: list[int], frames: int, step: int) -> None:
    times = [F(sum(gaps[:i]), 1000) for i in range(len(gaps))]
    end = times[-1] + F(gaps[-1], 1000)
    grid = ClipGrid.from_frame_times(times, end, ClipSpec(frames, step))
    assert grid.starts[0] == times[0]
    assert grid.ends[-1] == end
    assert grid.starts[1:] == grid.ends[:-1]
    length = frames * step
    counts = [sum(a <= t < b for t in times) for a, b in zip(grid.starts, grid.ends, strict=True)]
    assert counts[:-1] == [length] * (len(counts) - 1)
    if len(counts) > 1:
        # the last clip holds at least half a clip, and what was merged into it is less than half
        assert length <= 2 * counts[-1] < 3 * length


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("10", [0, 4, 8]), ("9.9", [0, 4]), ("3", [0]), ("1", [0]), ("12", [0, 4, 8])],
)
def test_clips_of_fixed_seconds(duration: str, expected: list[int]) -> None:
    times = [F(i, 10) for i in range(int(F(duration) * 10))]
    grid = ClipGrid.from_frame_times(times, F(duration), ClipSpec(seconds=F(4)))
    assert list(grid.starts) == expected
    assert grid.ends[-1] == F(duration)


def test_no_frames_no_clips() -> None:
    assert len(ClipGrid.from_frame_times([], F(0), ClipSpec())) == 0


def test_clip_at() -> None:
    grid = ClipGrid.from_spans([(F(5), F(6)), (F(1), F(2))])
    found = [grid.clip_at(F(t)) for t in (0, 1, 2, 5, 6)]
    assert found == [None, 0, None, 1, None]


@pytest.mark.parametrize("spans", [[(1, 1)], [(0, 2), (1, 3)], [(2, 1)]])
def test_bad_spans_are_refused(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(InputError):
        ClipGrid.from_spans([(F(a), F(b)) for a, b in spans])


@pytest.mark.parametrize("spec", [{"frames": 0}, {"frame_step": 0}, {"seconds": F(0)}])
def test_impossible_clips_are_refused(spec: dict[str, int]) -> None:
    with pytest.raises(InputError):
        ClipSpec(**spec)  # type: ignore[arg-type]


def test_a_damaged_time_stamp_does_not_make_a_billion_clips() -> None:
    times = [F(0), F(1, 25), F(10**9)]
    with pytest.raises(InputError, match="1000000000 clips of 1 s, for 3 frames"):
        ClipGrid.from_frame_times(times, F(10**9) + F(1, 25), ClipSpec(seconds=F(1)))
    assert len(ClipGrid.from_frame_times(times, F(10**9) + F(1, 25), ClipSpec())) == 1
