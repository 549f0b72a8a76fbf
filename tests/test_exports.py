"""Every export is read back by the library or tool it is for, and says the right frames."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from builders import make_scores
from chosen import EVERY_TRAP, choose
from made_files import MadeFile
from media_files import make_video, read_counter
from salientclips.errors import InputError, StoredScoresError, UnknownNameError
from salientclips.outputs.exports import FORMATS, export
from salientclips.outputs.exports.source import Source, clock
from salientclips.outputs.exports.timecode import Timecode
from salientclips.timeline import ClipGrid
from salientclips.types import Selection

GetMade = Callable[[str], MadeFile]
NASTY = "a;b=c#d\\e <i>&--> \"q\" 'p' $(x) é\n.mp4"


def spans(selection: Selection) -> list[tuple[int, int]]:
    """First and last + 1 frame of each clip, in order of time."""
    return [Source(selection).frames.span(c) for c in Source(selection).clips]


@pytest.fixture
def nasty(tmp_path: Path) -> Selection:
    """A video whose name has everything that a format might trip over."""
    return choose(make_video(tmp_path / NASTY, frames=48), 2)


def ffmpeg() -> str:
    """An ffmpeg binary: the system's, or the one in the wheel imageio-ffmpeg."""
    import shutil

    found = shutil.which("ffmpeg")
    if found:
        return found
    return str(pytest.importorskip("imageio_ffmpeg", reason="no ffmpeg binary").get_ffmpeg_exe())


# --- choosing a format ----------------------------------------------------------------------------------------


def test_the_suffix_says_the_format(tmp_path: Path, made: GetMade) -> None:
    selection = choose(made("h264_mkv").path)
    for name, form in FORMATS.items():
        for suffix in form.suffixes:
            assert export(selection, tmp_path / f"x{suffix}").format == name
    with pytest.raises(InputError, match="no export format"):
        export(selection, tmp_path / "x.doc")
    with pytest.raises(UnknownNameError, match="webvtt"):
        export(selection, tmp_path / "x.vtt", "subtitles")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_stands_any_file_name_and_leaves_nothing_half_done(
    name: str, nasty: Selection, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    done = export(nasty, folder / "x", name)
    assert done.clips == 2
    assert [p.name for p in folder.iterdir()] == ["x"]
    with pytest.raises(InputError, match="cannot be"):
        export(nasty, tmp_path / "absent" / "x", name)


def test_the_video_itself_is_never_overwritten(nasty: Selection) -> None:
    before = nasty.scores.path.read_bytes()
    with pytest.raises(InputError, match="the video itself"):
        export(nasty, nasty.scores.path, "json")
    assert nasty.scores.path.read_bytes() == before


def test_a_changed_video_is_refused_where_frames_are_counted(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", frames=48)
    selection = choose(path, 1)
    make_video(path, frames=60)
    with pytest.raises(StoredScoresError, match="not the video"):
        export(selection, tmp_path / "x.edl")
    export(selection, tmp_path / "x.vtt")


# --- JSON, Parquet ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_json_and_parquet_keep_exact_times(form: str, tmp_path: Path) -> None:
    selection = make_scores([1.0, 3.0, 2.0]).select(2)
    path = export(selection, tmp_path / "x", form).path
    if form == "json":
        header = json.loads(path.read_text())
        rows = header["clips"]
    else:
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        rows, header = table.to_pylist(), json.loads(table.schema.metadata[b"salientclips"])
    per_second = header["ticks_per_second"]
    assert header["sampler"] == "motion"
    assert [r["rank"] for r in rows] == [1, 2]
    assert [(Fraction(r["start_ticks"], per_second), r["score"]) for r in rows] == [
        (c.start, c.score) for c in selection.clips
    ]
    assert [Fraction(r["end_ticks"], per_second) for r in rows] == [c.end for c in selection.clips]


def test_parquet_holds_ticks_beyond_64_bits_as_text(tmp_path: Path) -> None:
    primes = (2_147_483_647, 2_147_483_629, 2_147_483_587)
    spans = [(i + Fraction(1, p), Fraction(i + 1)) for i, p in enumerate(primes)]
    selection = replace(make_scores([1.0, 3.0, 2.0]), grid=ClipGrid.from_spans(spans)).select(2)
    import pyarrow.parquet as pq

    table = pq.read_table(export(selection, tmp_path / "x.parquet").path)
    per_second = json.loads(table.schema.metadata[b"salientclips"])["ticks_per_second"]
    exact = [Fraction(int(row["start_ticks"]), per_second) for row in table.to_pylist()]
    assert exact == [clip.start for clip in selection.clips]


# --- PySceneDetect ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_scene_list_names_frames_that_are_in_the_clip(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path)
    rows = list(csv.DictReader(export(selection, tmp_path / "x.csv").path.read_text().splitlines()))
    for row, clip in zip(rows, Source(selection).clips, strict=True):
        first, last = int(row["Start Frame"]) - 1, int(row["End Frame"]) - 1
        assert float(file.times[first]) + file.start_s == pytest.approx(clip.start_s, abs=0.002)
        assert float(file.times[last]) + file.start_s < clip.end_s
        assert float(row["Start Time (seconds)"]) == pytest.approx(float(file.times[first]), abs=0.002)
        assert int(row["Length (frames)"]) == last - first + 1
        assert int(row["Rank"]) == clip.rank


def test_pyscenedetect_loads_the_scene_list(made: GetMade, tmp_path: Path) -> None:
    pytest.importorskip("scenedetect")
    from scenedetect.__main__ import main

    selection = choose(made("h264_bframes_mp4").path)
    path = export(selection, tmp_path / "x.csv").path
    out = tmp_path / "again.csv"
    words = ["-i", str(selection.scores.path), "-q", "-o", str(tmp_path), "load-scenes", "-i", str(path)]
    import sys
    from unittest.mock import patch

    with patch.object(sys, "argv", ["scenedetect", *words, "list-scenes", "-f", out.name, "--skip-cuts"]):
        main()
    starts = [int(r["Start Frame"]) - 1 for r in csv.DictReader(out.read_text().splitlines())]
    # Scenes touch in PySceneDetect, and its first one always begins with the video.
    assert starts == [0, *[first for first, _ in spans(selection)][1:]]


# --- players ----------------------------------------------------------------------------------------------------


def test_webvtt_is_read_by_webvtt_py(nasty: Selection, tmp_path: Path) -> None:
    webvtt = pytest.importorskip("webvtt")
    cues = webvtt.read(str(export(nasty, tmp_path / "x.vtt").path))
    clips = Source(nasty).clips
    assert [c.identifier for c in cues] == [str(c.rank) for c in clips]
    for cue, clip in zip(cues, clips, strict=True):
        assert 0 <= Fraction(cue.start_time.in_milliseconds(), 1000) - clip.start < Fraction(1, 1000)
        assert 0 <= Fraction(cue.end_time.in_milliseconds(), 1000) - clip.end < Fraction(1, 1000)


def test_times_are_rounded_without_floats() -> None:
    assert clock(Fraction(3661) + Fraction(2, 3)) == "01:01:01.667"
    assert clock(Fraction(59) + Fraction(9999, 10000)) == "00:01:00.000"
    assert clock(Fraction(1, 3000), up=True) == "00:00:00.001"
    assert clock(Fraction(100 * 3600)) == "100:00:00.000"


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_ffmpeg_reads_the_chapters_exactly(name: str, made: GetMade, tmp_path: Path) -> None:
    selection = choose(made(name).path)
    with av.open(str(export(selection, tmp_path / "x.ffmetadata").path), format="ffmetadata") as read:
        chapters = read.chapters()
    found = [(c["start"] * c["time_base"], c["end"] * c["time_base"]) for c in chapters]
    assert found == [(c.start, c.end) for c in Source(selection).clips]
    assert chapters[0]["metadata"]["title"].startswith("salient clip ")


def test_names_survive_the_escapes_of_ffmetadata(nasty: Selection, tmp_path: Path) -> None:
    with av.open(str(export(nasty, tmp_path / "x.ffmeta").path), format="ffmetadata") as read:
        assert read.metadata["comment"] == f"salient clips of {NASTY}".replace("\n", " ")


# --- editors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*EVERY_TRAP, "stereo_aac"])
def test_opentimelineio_reads_the_timeline(name: str, made: GetMade, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    file = made(name)
    selection = choose(file.path)
    timeline = otio.adapters.read_from_file(str(export(selection, tmp_path / "x.otio").path))
    assert [t.kind for t in timeline.tracks] == (
        ["Video", "Audio"] if file.path.stem in ("sound", "latevideo") else ["Video"]
    )
    zero = Fraction(file.start_s).limit_denominator(1000)
    for item, clip in zip(timeline.video_tracks()[0], Source(selection).clips, strict=True):
        begin, length = item.source_range.start_time, item.source_range.duration
        assert begin.to_seconds() == pytest.approx(float(clip.start - zero), abs=0.0011)
        assert length.to_seconds() == pytest.approx(float(clip.end - clip.start), abs=0.0011)
        available = item.media_reference.available_range
        assert available.start_time <= begin
        assert item.source_range.end_time_exclusive() <= available.end_time_exclusive()
        assert item.metadata["salientclips"]["rank"] == clip.rank
    again = otio.adapters.write_to_string(timeline, "otio_json")
    assert otio.adapters.read_from_string(again, "otio_json").is_equivalent_to(timeline)


def test_the_timeline_points_to_the_video_whatever_its_name(nasty: Selection, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    timeline = otio.adapters.read_from_file(str(export(nasty, tmp_path / "x.otio").path))
    url = timeline.video_tracks()[0][0].media_reference.target_url
    assert otio.url_utils.filepath_from_url(url) == str(nasty.scores.path)


@pytest.mark.parametrize(
    "rate", [Fraction(30000, 1001), Fraction(60000, 1001), Fraction(24000, 1001), Fraction(25)]
)
def test_time_code_counts_as_smpte_says(rate: Fraction) -> None:
    code = Timecode.of_rate(rate)
    assert code.drops == (rate.numerator in (30000, 60000))
    for frame in (0, 1, 1799, 1800, 1801, 17981, 17982, 17983, 35964, 107892, 1_234_567):
        assert code.frame(code.text(frame)) == frame
    if rate == Fraction(30000, 1001):
        assert [code.text(f) for f in (1799, 1800, 17982, 107892)] == [
            "00:00:59;29",
            "00:01:00;02",
            "00:10:00;00",
            "01:00:00;00",
        ]


def test_time_code_agrees_with_the_package_timecode() -> None:
    timecode = pytest.importorskip("timecode")
    for rate, name in (
        (Fraction(30000, 1001), "29.97"),
        (Fraction(60000, 1001), "59.94"),
        (Fraction(25), "25"),
    ):
        code = Timecode.of_rate(rate)
        for frame in range(0, 200_000, 1777):
            # That package counts frames from 1.
            assert str(timecode.Timecode(name, frames=frame + 1)) == code.text(frame)


@pytest.mark.parametrize("name", ["h264_bframes_mp4", "ntsc_mkv", "late_video", "rotated_90"])
def test_an_edl_reader_finds_the_clips(name: str, made: GetMade, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    if "cmx_3600" not in otio.adapters.available_adapter_names():
        pytest.skip("the package otio-cmx3600-adapter is not installed")
    selection = choose(made(name).path)
    rate = Source(selection).frames.rate
    timeline = otio.adapters.read_from_file(str(export(selection, tmp_path / "x.edl").path), rate=float(rate))
    items = list(timeline.video_tracks()[0].find_clips())
    found = [
        (int(c.source_range.start_time.value), int(c.source_range.end_time_exclusive().value)) for c in items
    ]
    assert found == spans(selection)
    assert items[0].name == selection.scores.path.name


def test_drop_frame_edl_and_the_start_time_code_of_a_camera(tmp_path: Path) -> None:
    plain = make_video(tmp_path / "v.mov", frames=90, rate=Fraction(30000, 1001))
    with av.open(str(plain)) as read, av.open(str(tmp_path / "tc.mov"), "w") as write:
        copy = write.add_stream_from_template(read.streams.video[0])
        copy.metadata["timecode"] = "00:59:59;20"
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = copy
                write.mux(packet)
    selection = choose(tmp_path / "tc.mov", 1, frames=90)
    lines = export(selection, tmp_path / "x.edl").path.read_text().splitlines()
    assert lines[1] == "FCM: DROP FRAME"
    # Ten frames to the full hour, then eighty: no number is dropped at the hour.
    assert lines[3].split()[-4:] == ["00:59:59;20", "01:00:02;20", "01:00:00;00", "01:00:03;00"]


def test_an_edl_of_a_variable_rate_says_that_it_is_not_exact(made: GetMade, tmp_path: Path) -> None:
    done = export(choose(made("vfr").path), tmp_path / "x.edl")
    assert "variable frame rate" in done.notes[0]
    assert done.notes[0] in done.path.read_text()


# --- annotation tools -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_fiftyone_supports_name_the_frames_of_the_clips(name: str, made: GetMade, tmp_path: Path) -> None:
    selection = choose(made(name).path)
    folder = export(selection, tmp_path / "x", "fiftyone").path
    manifest = json.loads((folder / "data.json").read_text())
    labels = json.loads((folder / "labels.json").read_text())
    ((key, video),) = manifest.items()
    assert Path(video) == selection.scores.path
    found = [tuple(d["support"]) for d in labels["labels"][key]]
    assert found == [(first + 1, stop) for first, stop in spans(selection)]
    assert {d["label"] for d in labels["labels"][key]} == set(labels["classes"])


LOAD_IN_FIFTYONE = """
import json, sys
import eta.core.frameutils as frameutils
import fiftyone as fo
found = []
for folder, count, last_s in json.loads(sys.argv[1]):
    dataset = fo.Dataset.from_dir(folder, fo.types.FiftyOneTemporalDetectionDataset, data_path="data.json")
    (sample,) = dataset
    rows = sample.ground_truth.detections
    starts = [frameutils.frame_number_to_timestamp(d.support[0], count, last_s) for d in rows]
    found.append([sample.filepath, [d.support for d in rows], starts, [d.rank for d in rows]])
print("FOUND", json.dumps(found))
"""


def test_fiftyone_imports_the_folders(made: GetMade, tmp_path: Path) -> None:
    """In a process of its own: FiftyOne starts a database, and its own warnings are not ours."""
    if importlib.util.find_spec("fiftyone") is None:
        pytest.skip("fiftyone is not installed")
    files = [made(name) for name in EVERY_TRAP]
    chosen = [choose(file.path) for file in files]
    folders = [str(export(s, tmp_path / str(i), "fiftyone").path) for i, s in enumerate(chosen)]
    asked = [
        (folder, len(file.times), float(file.times[-1])) for folder, file in zip(folders, files, strict=True)
    ]
    quiet = {"FIFTYONE_DO_NOT_TRACK": "true", "FIFTYONE_DATABASE_VALIDATION": "false"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD_IN_FIFTYONE, json.dumps(asked)],
        capture_output=True,
        text=True,
        env={**os.environ, **quiet, "FIFTYONE_DATABASE_DIR": str(tmp_path / "database")},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (words for words in done.stdout.splitlines() if words.startswith("FOUND "))
    for file, selection, row in zip(files, chosen, json.loads(line[6:]), strict=True):
        path, supports, starts, ranks = row
        clips = sorted(selection.clips, key=lambda c: c.start)
        assert Path(path) == file.path
        assert supports == [[first + 1, stop] for first, stop in spans(selection)]
        assert ranks == [clip.rank for clip in clips]
        if not file.variable_frame_rate:  # FiftyOne knows a mean rate only
            wanted = [clip.start_s - file.start_s for clip in clips]
            assert starts == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_label_studio_frames_mean_the_times_of_the_clips(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path)
    done = export(selection, tmp_path / "x.json", "label-studio")
    (task,) = json.loads(done.path.read_text())
    assert 'frameRate="$fps"' in done.notes[0]
    for row, clip in zip(task["predictions"][0]["result"], Source(selection).clips, strict=True):
        (span,) = row["value"]["ranges"]
        start_s = (span["start"] - 1) / task["data"]["fps"] + file.start_s
        assert start_s == pytest.approx(clip.start_s, abs=0.5 / task["data"]["fps"])
        assert span["end"] / task["data"]["fps"] + file.start_s == pytest.approx(
            clip.end_s, abs=0.51 / task["data"]["fps"]
        )


def test_label_studios_own_checker_takes_the_task(made: GetMade, tmp_path: Path) -> None:
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    from salientclips.outputs.exports.label_studio import CONFIG

    (task,) = json.loads(export(choose(made("vfr").path), tmp_path / "x", "label-studio").path.read_text())
    checker = interface.LabelInterface(CONFIG)
    assert checker.validate_prediction(task["predictions"][0], return_errors=True) == []
    assert checker.validate_task({"data": task["data"]}) is True


# --- ffmpeg -----------------------------------------------------------------------------------------------------


def counters(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [read_counter(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


@pytest.mark.parametrize("name", [*EVERY_TRAP, "ts"])
def test_ffmpeg_runs_the_commands_and_cuts_the_right_frames(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path, 2)
    text = export(selection, tmp_path / "x.sh").path.read_text()
    text = text.replace("ffmpeg -nostdin", f"{shlex.quote(ffmpeg())} -nostdin -v error")
    (tmp_path / "x.sh").write_text(text)
    subprocess.run(["sh", "x.sh"], cwd=tmp_path, check=True, capture_output=True)
    for clip in selection.clips:
        first, stop = Source(selection).frames.span(clip)
        assert counters(tmp_path / f"clip_{clip.rank:03}.mp4") == list(file.counters[first:stop])


@pytest.mark.parametrize("name", [*EVERY_TRAP, "stereo_aac"])
def test_ffmpeg_runs_the_filter_script(name: str, made: GetMade, tmp_path: Path) -> None:
    file = made(name)
    selection = choose(file.path)
    done = export(selection, tmp_path / "x.ffscript")
    command = (
        done.notes[0].removeprefix("use it with: ").replace("ffmpeg", f"{shlex.quote(ffmpeg())} -v error", 1)
    )
    command = command.replace("VIDEO", shlex.quote(str(file.path))).replace("FILE", str(done.path))
    subprocess.run(
        command.replace("OUT.mp4", "out.mp4"), shell=True, cwd=tmp_path, check=True, capture_output=True
    )
    wanted = [c for first, stop in spans(selection) for c in file.counters[first:stop]]
    assert counters(tmp_path / "out.mp4") == wanted


def test_the_shell_script_stands_a_nasty_name(nasty: Selection, tmp_path: Path) -> None:
    script = export(nasty, tmp_path / "x.sh").path.read_text()
    line = script[script.index("video=") : script.index("\n# salient clip")]
    said = subprocess.run(
        ["sh", "-c", f'{line}\nprintf %s "$video"'], capture_output=True, text=True, check=True
    )
    assert said.stdout == str(nasty.scores.path)
