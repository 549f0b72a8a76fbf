"""The engines: every video gets a row, whatever it does to the process that reads it."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import psutil
import pytest

from engine_faults import DiesAtStart, Moody, Says, Trouble, Unopenable
from salientclips.corpus.item import Item
from salientclips.corpus.rows import Outcome, VideoRow
from salientclips.engines import guard
from salientclips.engines.guard import GuardedWorker
from salientclips.engines.limits import Limits, cores
from salientclips.engines.local import LocalEngine
from salientclips.engines.ray import _with_heartbeat
from salientclips.errors import InputError, SalientClipsError

MIB = 1 << 20


def items(*names: str) -> list[Item]:
    return [Item(name) for name in names]


def ran(engine: LocalEngine, videos: list[Item], trouble: Trouble | None = None) -> dict[str, Outcome]:
    done = [one for one in engine.run(videos, trouble or Trouble(), Says()) if one is not None]
    assert len({one.row.video for one in done}) == len(done)
    return {one.row.video: one for one in done}


def children() -> list[psutil.Process]:
    return [
        p for p in psutil.Process().children(recursive=True) if "salientclips.engines.child" in p.cmdline()
    ]


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    yield
    assert children() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_every_video_gets_a_row(workers: int) -> None:
    done = ran(LocalEngine(workers), items(*"abcdefghij"))
    assert sorted(done) == list("abcdefghij")
    assert not any(one.failed for one in done.values())
    assert len({one.row.note.split()[0] for one in done.values()}) <= workers


def test_no_video_is_no_work() -> None:
    assert ran(LocalEngine(2), []) == {}


def test_threads_are_divided_among_the_workers() -> None:
    (one,) = ran(LocalEngine(1), items("a")).values()
    assert one.row.note.split()[1:] == [str(cores())] * 2
    (one,) = ran(LocalEngine(8 * cores()), items("a")).values()
    assert one.row.note.split()[1:] == ["1", "1"]


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("hangs", "TimeLimitError", "after 1 s"),
        ("hangs_in_c", "TimeLimitError", "after 1 s"),
        ("eats", "MemoryLimitError", "100 MiB"),
        ("crashes", "WorkerDiedError", "died (signal 11)"),
        ("exits", "WorkerDiedError", "died (exit code 3)"),
        ("bug", "SalientClipsError", "ZeroDivisionError: of all things"),
        ("refuses", "NoVideoStreamError", "'refuses.mp4' has no video stream"),
    ],
)
def test_a_video_that_goes_wrong_costs_itself_alone(name: str, error: str, says: str) -> None:
    engine = LocalEngine(1, limits=Limits(30.0 if name == "eats" else 1.0, 100 * MIB))
    done = ran(engine, items("before.mp4", f"{name}.mp4", "after.mp4"))
    assert not done["before.mp4"].failed
    assert not done["after.mp4"].failed
    row = done[f"{name}.mp4"].row
    assert (row.status, row.error_type) == ("failed", error)
    assert says in (row.message or "")
    assert row.remedy
    same_process = done["before.mp4"].row.note == done["after.mp4"].row.note
    assert same_process == (error in ("SalientClipsError", "NoVideoStreamError"))


def test_a_worker_that_somebody_killed_costs_nothing(tmp_path: Path) -> None:
    video = Item("killed.once", group=str(tmp_path / "tries"))
    (done,) = ran(LocalEngine(1), [video]).values()
    assert not done.failed
    assert (tmp_path / "tries").read_text() == "xx"


def test_a_video_that_kills_its_worker_is_tried_twice_and_no_more(tmp_path: Path) -> None:
    video = Item("killed.always", group=str(tmp_path / "tries"))
    (done,) = ran(LocalEngine(1), [video]).values()
    assert (done.row.error_type, "signal 9" in (done.row.message or "")) == ("WorkerDiedError", True)
    assert (tmp_path / "tries").read_text() == "xx"


def test_a_worker_that_was_killed_at_its_start_is_started_again(tmp_path: Path) -> None:
    run = LocalEngine(1).run(items("a"), DiesAtStart(tmp_path / "died"), Says())
    (done,) = [one for one in run if one is not None]
    assert not done.failed
    assert (tmp_path / "died").exists()


def test_what_a_library_prints_is_no_answer() -> None:
    assert not ran(LocalEngine(1), items("prints.mp4", "a"))["prints.mp4"].failed


@pytest.mark.parametrize(
    ("name", "error"), [("cannot_be_sent", "local object"), ("cannot_be_read", "ValueError")]
)
def test_an_answer_that_does_not_come_through_is_an_error(name: str, error: str) -> None:
    with GuardedWorker(Trouble(), Limits(), 1 << 40) as worker:
        with pytest.raises(SalientClipsError, match=rf"unforeseen .*{error}"):
            worker.do(name, Item(name))
        assert worker.do("a", Item("a")) == Item("a")


def test_a_program_that_a_video_starts_eats_no_orders() -> None:
    assert not any(one.failed for one in ran(LocalEngine(1), items("asks.mp4", "a", "b")).values())


def test_memory_that_earlier_videos_left_is_not_the_next_ones_fault() -> None:
    videos = items(*(f"keeps.{number}" for number in range(6)))
    done = ran(LocalEngine(1, limits=Limits(30.0, 100 * MIB)), videos)
    assert [name for name, one in done.items() if one.failed] == []
    # They did not fit into one process together: 32 MiB each.
    assert len({one.row.note.split()[0] for one in done.values()}) > 1


def test_what_a_stopped_worker_had_copied_is_removed(tmp_path: Path) -> None:
    video = Item("litters.mp4", group=str(tmp_path / "where"))
    (done,) = ran(LocalEngine(1, limits=Limits(1.0)), [video]).values()
    assert done.row.error_type == "TimeLimitError"
    assert not Path((tmp_path / "where").read_text()).exists()


def test_modules_that_lie_where_the_user_is_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fractions.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    assert not ran(LocalEngine(1), items("a"))["a"].failed


@pytest.mark.parametrize("refusals", [2, 9])
def test_a_stage_that_was_open_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    monkeypatch.setattr(guard, "_REOPEN_PAUSES_S", (0.0, 0.0, 0.0))
    engine, moody = LocalEngine(1), Moody(tmp_path / "tries", refusals)
    run = engine.run(items("a", "exits.1", "b"), moody, Says())
    if refusals == 9:
        with pytest.raises(InputError, match="GPU is full"):
            list(run)
    else:
        done = {one.row.video: one.failed for one in run if one is not None}
        assert done == {"a": False, "exits.1": True, "b": False}


def test_a_slow_start_is_no_videos_fault() -> None:
    done = ran(LocalEngine(1, limits=Limits(0.5)), items("a"), Trouble(start_s=1.0))
    assert not done["a"].failed


@pytest.mark.parametrize("stage", [Unopenable(), DiesAtStart()], ids=["error", "death"])
def test_a_stage_that_does_not_open_ends_the_run(stage: Unopenable | DiesAtStart) -> None:
    with pytest.raises(SalientClipsError, match=r"no weights|exit code 5"):
        list(LocalEngine(2).run(items(*"abcdef"), stage, Says()))


def test_the_engine_beats_where_nothing_is_done() -> None:
    beats = [one for one in LocalEngine(1).run(items("a"), Trouble(nap_s=1.5), Says()) if one is None]
    assert beats


def test_whoever_has_enough_may_stop() -> None:
    run = LocalEngine(2).run(items("a", *(f"hangs.{n}" for n in range(9))), Trouble(), Says())
    assert next(one for one in run if one is not None).row.video == "a"
    began = time.monotonic()
    run.close()
    assert time.monotonic() - began < 5
    assert children() == []


def test_videos_are_taken_as_workers_become_free() -> None:
    taken: list[str] = []

    def listed() -> Iterator[Item]:
        for n in range(1000):
            taken.append(str(n))
            yield Item(str(n))

    run = LocalEngine(1).run(listed(), Trouble(), Says())
    assert next(one for one in run if one is not None)
    run.close()
    assert len(taken) < 100


def test_a_fault_in_the_list_of_videos_ends_the_run() -> None:
    def listed() -> Iterator[Item]:
        yield Item("a")
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        list(LocalEngine(2).run(listed(), Trouble(), Says()))


def test_a_worker_ends_with_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "from engine_faults import Says, Trouble\n"
        "from salientclips.corpus.item import Item\n"
        "from salientclips.engines.local import LocalEngine\n"
        "for one in LocalEngine(2).run([Item('hangs.1'), Item('hangs.2')], Trouble(), Says()):\n"
        "    print('beat', flush=True)\n"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"beat\n"
    workers = psutil.Process(parent.pid).children(recursive=True)
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs(workers, timeout=10)[1] == []


def test_a_worker_that_was_killed_idle_is_replaced() -> None:
    with GuardedWorker(Trouble(), Limits(), 1 << 40) as worker:
        assert worker.do("a", Item("a")) == Item("a")
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        time.sleep(0.3)
        assert worker.do("b", Item("b")) == Item("b")


def test_rays_rows_are_pulled_no_more_when_nobody_wants_them() -> None:
    over = Event()

    def rows() -> Iterator[dict[str, bytes]]:
        try:
            while True:
                yield {"item": pickle.dumps(Outcome(VideoRow("a")))}
        finally:
            over.set()

    run = _with_heartbeat(rows)
    assert next(run) is not None
    time.sleep(0.3)  # time enough to fill whatever lies between
    run.close()
    assert over.wait(5)


@pytest.mark.parametrize("make", [lambda: Limits(0.0), lambda: Limits(1.0, 0), lambda: LocalEngine(0)])
def test_limits_that_let_nothing_through_are_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]


def test_the_memory_limit_is_a_share_of_the_machine() -> None:
    assert Limits().share_of(4) == pytest.approx(0.2 * psutil.virtual_memory().total, rel=0.01)
    assert Limits(memory_bytes=5).share_of(4) == 5
