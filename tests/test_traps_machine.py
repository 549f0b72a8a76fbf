"""Traps of memory, threads, processes and installations (traps.md, rows 15, 16, 17, 20, 25)."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from chosen import choose, counter_at
from made_files import MadeFile
from media_files import make_video, read_counter
from salientclips import motion_vectors, probe, score
from salientclips.adapters.chosen import frames_of
from salientclips.compressed.reader import Backend
from salientclips.errors import MediaError, MissingExtraError
from trap_verbs import Command

GetMade = Callable[[str], MadeFile]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("tiny") / "v.mp4", frames=24, size=(64, 48), bframes=2)


# --- 15, 25: nothing is left over ---------------------------------------------------------------------------------


@on_linux
def test_four_hundred_opens_leave_no_memory_no_thread_and_no_file(tiny: Path) -> None:
    """Eighty times probe, score by both back ends, decode, vectors: five opens and more each time."""

    def one() -> None:
        probe(tiny)
        score(tiny, backend="bitstream")
        score(tiny, backend="decoded")
        frames_of(choose(tiny, 1, frames=6), 2)
        next(motion_vectors(tiny))  # and let go in the middle

    for _ in range(20):
        one()
    threads, files = held()
    before_kib = resident_kib()
    for _ in range(60):
        one()
    # Others in this process (Ray's driver) may start a thread or open a file meanwhile, not sixty.
    assert held()[0] < threads + 30
    assert held()[1] < files + 30
    assert resident_kib() - before_kib < 8 * 1024


@on_linux
@pytest.mark.parametrize("name", ["h264_mkv", "hevc_mp4"])
def test_what_fails_leaves_nothing_over_either(name: str, made: GetMade, tmp_path: Path) -> None:
    half = tmp_path / "half.bin"
    half.write_bytes(made(name).path.read_bytes()[:700])
    threads, files = held()
    for _ in range(50):
        with pytest.raises(MediaError, match=r"half\.bin"):
            score(half)
    assert held()[0] < threads + 25
    assert held()[1] < files + 25


# --- 16: threads --------------------------------------------------------------------------------------------------


COUNT_THREADS = """
import os, sys
from salientclips import score
path, backend = sys.argv[1:]
def count(*_):
    seen.append(len(os.listdir("/proc/self/task")))
seen = []
# By motion: a learned sampler judges in threads of its own, which the kernel counts for a moment after they ended.
score(path, "motion", backend=backend)  # libraries that keep threads for good have started them now
count()
base = seen[0]
for threads in (1, 3):
    seen = []
    score(path, "motion", backend=backend, threads=threads, progress=count)
    most = max(seen) - base
    seen = []
    count()
    print(most, seen[0] - base)
"""


@on_linux
@pytest.mark.parametrize(
    ("name", "backend"),
    [("h264_bframes_mp4", "bitstream"), ("h264_bframes_mp4", "decoded"), ("hevc_mp4", "auto")],
)
def test_there_are_as_many_threads_as_were_asked_for(name: str, backend: Backend, made: GetMade) -> None:
    """Counted in a process of its own, where nobody else starts and ends threads."""
    words = [sys.executable, "-c", COUNT_THREADS, made(name).path, backend]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, three = ([int(word) for word in line.split()] for line in done.stdout.splitlines())
    assert one == [0, 0]
    assert three[1] == 0
    assert three[0] <= 3 + 1
    assert backend != "decoded" or three[0] >= 2


# --- 17: worker processes -----------------------------------------------------------------------------------------


def test_two_spawned_workers_of_a_data_loader_see_the_right_frames(made: GetMade) -> None:
    """Paths travel, not containers; so the workers may be spawned, after threads were started here."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'salientclips[torch]'")
    from torch.utils.data import DataLoader

    from salientclips.adapters.dataset import SalientClips

    files = [made(name) for name in ("vfr", "h264_bframes_mp4", "hevc_mp4")]
    frames_of(choose(files[0].path, 1), 2, threads=2)
    dataset = SalientClips(
        [(choose(f.path, 2), i) for i, f in enumerate(files)], num_frames=3, frame_step=2, size=(96, 128)
    )
    loader = DataLoader(dataset, batch_size=2, num_workers=2, multiprocessing_context="spawn", timeout=120)
    rows = 0
    for batch in loader:
        for clip, times, label in zip(batch["clip"], batch["times_s"], batch["label"], strict=True):
            shown = [read_counter(p.numpy().transpose(1, 2, 0)) for p in clip]
            assert shown == [counter_at(files[label], t) for t in times.tolist()]
            rows += 1
    assert rows == 6


# --- 20: torchcodec and others, absent, broken, present -----------------------------------------------------------


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """torchcodec as if it had never been imported, and as it was again afterwards."""
    for name in [n for n in sys.modules if n.split(".")[0] == "torchcodec"]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in [n for n in sys.modules if n.split(".")[0] == "torchcodec"]:
        del sys.modules[name]


def asked_for_clips(path: Path) -> None:
    adapter = importlib.import_module("salientclips.adapters.torchcodec")
    adapter.clips_at_salient_timestamps(None, video=path, sampler="packet-cost")


def state_of(part: str, command: Command) -> dict[str, object]:
    found: dict[str, object] = next(p for p in command.ok("doctor")["parts"] if p["part"] == part)
    return found


@pytest.mark.usefixtures("forgotten")
def test_torchcodec_absent(tiny: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec", None)  # an import fails as where it is not installed
    with pytest.raises(MissingExtraError) as caught:
        asked_for_clips(tiny)
    assert "salientclips[torchcodec]" in caught.value.remedy
    assert not state_of("torchcodec", command)["works"]
    assert command.ok("select", tiny)["clips"]


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("package", ["torchcodec", "torchvision"])
def test_a_package_that_is_found_and_does_not_load(
    package: str, tiny: Path, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel of another torch: find_spec finds it, and loading it fails."""
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("raise OSError('undefined symbol: _ZN3c10')\n")
    (tmp_path / f"{package}-9.9.dist-info").mkdir()
    (tmp_path / f"{package}-9.9.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.9\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    kept = {n: m for n, m in sys.modules.items() if n.split(".")[0] == package}
    for name in kept:
        monkeypatch.delitem(sys.modules, name)
    assert importlib.util.find_spec(package) is not None
    found = state_of(package, command)
    assert (found["works"], found["version"]) == (False, "9.9")
    assert "undefined symbol" in str(found["problem"])
    if package == "torchcodec":
        with pytest.raises(MissingExtraError, match="undefined symbol"):
            asked_for_clips(tiny)
    else:
        error = command.fails("classify", tiny, "-c", "mc3_18", "--random-weights")
        assert error["type"] == "MissingExtraError"
        assert "undefined symbol" in error["message"]
    assert command.ok("select", tiny)["clips"]


def test_torchcodec_present(made: GetMade) -> None:
    decoders: ModuleType = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("vfr")
    try:
        decoder = decoders.VideoDecoder(str(file.path))
    except RuntimeError as error:
        if "libtorchcodec" in str(error):
            pytest.skip("torchcodec finds no FFmpeg libraries; test_adapters.py shows it those of PyAV")
        raise
    batch = clips_at_salient_timestamps(decoder, scores=choose(file.path), num_clips=2, num_frames_per_clip=3)
    shown = [read_counter(p.numpy().transpose(1, 2, 0)) for clip in batch.data for p in clip]
    assert shown == [counter_at(file, t) for t in batch.pts_seconds.flatten().tolist()]


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'av', 'numpy', 'torch', 'torchvision', 'torchcodec', 'ray', 'transformers'}"
    script = f"import sys, salientclips; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
