"""What every adapter hands over at time t shows the counter of time t, whatever the file is like."""

from __future__ import annotations

import base64
import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from chosen import EVERY_TRAP, choose, counter_at
from made_files import MadeFile
from media_files import make_video, read_counter
from salientclips import Selection, score
from salientclips.adapters.chosen import choose_frames, frames_of
from salientclips.adapters.openai import frame_parts, image_tokens
from salientclips.errors import InputError, SeekMismatchError, StoredScoresError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.media.jpeg import encode_jpeg
from salientclips.media.orientation import turn

GetMade = Callable[[str], MadeFile]
every_trap = pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list", "ts"])


def counters(pictures: npt.NDArray[np.uint8]) -> list[int]:
    """Counters of pictures (..., 3, H, W)."""
    flat = pictures.reshape(-1, *pictures.shape[-3:])
    return [read_counter(picture.transpose(1, 2, 0)) for picture in flat]


def in_clips(selection: Selection, time_s: float) -> bool:
    return any(c.start_s - 0.002 <= time_s < c.end_s + 0.002 for c in selection.clips)


# --- which frames -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "multiple"), [(1, 1), (7, 1), (8, 2), (9, 2), (32, 1), (1000, 1), (1000, 2)]
)
def test_a_budget_is_spread_over_the_best_clips(count: int, multiple: int, made: GetMade) -> None:
    selection = choose(made("vfr").path, 5)
    frames = number_frames(read_packets(selection.scores.path))
    found = choose_frames(selection, count, frames, multiple=multiple)
    per_clip = [sum(f.clip.rank == c.rank for f in found) for c in selection.clips]
    room = [stop - first for first, stop in map(frames.span, selection.clips)]
    assert len(found) == min(count // multiple * multiple, sum(room))
    assert all(n % multiple == 0 for n in per_clip)
    # The best are served first, and nobody is short of more than one round, unless the clip has no more.
    open_clips = [n for n, most in zip(per_clip, room, strict=True) if n < most]
    assert open_clips == sorted(open_clips, reverse=True)
    assert max(per_clip) - min([*open_clips, max(per_clip)]) <= multiple
    assert [f.number for f in found] == sorted({f.number for f in found})
    assert all(f.clip.start <= f.time < f.clip.end for f in found)


def test_a_budget_too_small_is_refused(made: GetMade) -> None:
    selection = choose(made("vfr").path, 2)
    for count, multiple in ((0, 1), (1, 2)):
        with pytest.raises(InputError):
            frames_of(selection, count, multiple=multiple)
    with pytest.raises(InputError, match="nothing is selected"):
        frames_of(selection.scores.select(1, threshold=1e9), 4)


@every_trap
def test_frames_show_the_counter_of_their_time(name: str, made: GetMade) -> None:
    file = made(name)
    found = frames_of(choose(file.path), 9)
    assert [read_counter(f.rgb) for f in found] == [counter_at(file, f.time_s) for f in found]
    assert [file.counters[f.number] for f in found] == [read_counter(f.rgb) for f in found]


def test_a_video_that_changed_is_refused(tmp_path: Path) -> None:
    selection = choose(make_video(tmp_path / "v.mp4", frames=30), 1)
    make_video(tmp_path / "v.mp4", frames=40)
    with pytest.raises(StoredScoresError):
        frames_of(selection, 4)


# --- torchcodec -------------------------------------------------------------------------------------------------


def torchcodec_decoder(path: Path, **options: Any) -> Any:
    decoders = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    try:
        return decoders.VideoDecoder(str(path), **options)
    except RuntimeError as error:
        if "libtorchcodec" in str(error):
            pytest.skip("torchcodec finds no FFmpeg libraries: see tools/ffmpeg_of_pyav.py")
        raise


@pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list"])
def test_torchcodec_clips(name: str, made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made(name)
    decoder = torchcodec_decoder(file.path)
    selection = choose(file.path)
    batch = clips_at_salient_timestamps(decoder, scores=selection.scores, num_clips=3, num_frames_per_clip=5)
    assert tuple(batch.data.shape[:3]) == (3, 5, 3)
    assert batch.pts_seconds.shape == batch.duration_seconds.shape == (3, 5)
    zero = float(read_packets(file.path).timeline.zero)
    times = (batch.pts_seconds - zero).flatten().tolist()
    assert counters(batch.data.numpy()) == [counter_at(file, t) for t in times]
    assert all(in_clips(selection, t) for t in times)
    middles = [(c.start_s + c.end_s) / 2 for c in selection.clips]
    assert (batch.pts_seconds.mean(dim=1) - zero).tolist() == pytest.approx(middles, abs=0.06)


def test_torchcodec_batch_is_like_that_of_its_own_samplers(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("h264_bframes_mp4")
    decoder = torchcodec_decoder(file.path, dimension_order="NHWC")
    from torchcodec.samplers import clips_at_random_timestamps

    wanted = {"num_clips": 2, "num_frames_per_clip": 3, "seconds_between_frames": 0.1}
    theirs = clips_at_random_timestamps(decoder, **wanted)
    ours = clips_at_salient_timestamps(decoder, video=file.path, sampler="packet-cost", **wanted)
    assert type(ours) is type(theirs)
    assert ours.data.shape == theirs.data.shape
    assert ours.data.dtype == theirs.data.dtype
    assert ours.pts_seconds.shape == theirs.pts_seconds.shape
    assert ours.pts_seconds.dtype == theirs.pts_seconds.dtype
    assert np.diff(ours.pts_seconds.numpy(), axis=1) == pytest.approx(0.1, abs=0.035)


def test_torchcodec_policies_at_the_end_of_the_video(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("h264_mkv")
    decoder = torchcodec_decoder(file.path)
    last = score(file.path, "uniform").select(2).clips[-1:]
    scores = score(file.path, "uniform")
    selection = Selection(scores, 1, tuple(c for c in last))
    wanted = {"num_clips": 1, "num_frames_per_clip": 5, "seconds_between_frames": 0.4}

    def shown(policy: Any) -> list[int]:
        batch = clips_at_salient_timestamps(decoder, scores=selection, policy=policy, **wanted)
        return counters(batch.data.numpy())

    repeated, wrapped = shown("repeat_last"), shown("wrap")
    assert repeated[3:] == [repeated[3]] * 2
    assert wrapped[:4] == repeated[:4]
    assert wrapped[4] == wrapped[0]
    with pytest.raises(InputError, match="beyond the end"):
        shown("error")


def test_torchcodec_wrong_frames_are_an_error(made: GetMade) -> None:
    """After a seek in a transport stream torchcodec returns frames of another time."""
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    file = made("ts")
    decoder = torchcodec_decoder(file.path)
    try:
        batch = clips_at_salient_timestamps(
            decoder, scores=choose(file.path), num_clips=3, num_frames_per_clip=3
        )
    except (SeekMismatchError, RuntimeError):
        return
    zero = float(read_packets(file.path).timeline.zero)
    times = (batch.pts_seconds - zero).flatten().tolist()
    assert counters(batch.data.numpy()) == [counter_at(file, t) for t in times]


def test_torchcodec_with_the_libraries_of_pyav(tmp_path: Path) -> None:
    """Where torchcodec finds no FFmpeg, its tests run in a process that is shown PyAV's."""
    decoders = pytest.importorskip("torchcodec.decoders", exc_type=Exception)
    try:
        decoders.VideoDecoder(b"")
    except RuntimeError as error:
        if "libtorchcodec" not in str(error):
            pytest.skip("torchcodec loads here, and its tests ran in this process")
    except ValueError:
        pytest.skip("torchcodec loads here, and its tests ran in this process")
    here = Path(__file__).resolve().parent
    tool = here.parent / "tools" / "ffmpeg_of_pyav.py"
    folder = subprocess.run(
        [sys.executable, tool, tmp_path / "lib"], capture_output=True, text=True, check=True
    )
    environment = {**os.environ, "LD_LIBRARY_PATH": folder.stdout.strip()}
    probe = (
        "from torchcodec.decoders import VideoDecoder\ntry:\n VideoDecoder(b'')\nexcept ValueError:\n pass"
    )
    loads = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=environment)
    if "Could not load" in loads.stderr:
        pytest.skip("torchcodec does not support the FFmpeg inside PyAV")
    words = [
        str(here / "test_adapters.py"),
        str(here / "test_cookbook.py"),
        "-k",
        "torchcodec or qwen_vl_utils",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words],
        capture_output=True,
        text=True,
        env=environment,
        cwd=here.parent,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout or "....." in done.stdout


def test_torchcodec_takes_scores_or_a_video(made: GetMade) -> None:
    from salientclips.adapters.torchcodec import clips_at_salient_timestamps

    pytest.importorskip("torchcodec", exc_type=Exception)
    selection = choose(made("h264_mkv").path)
    for options in ({}, {"scores": selection, "video": "x"}, {"scores": selection, "num_clips": 0}):
        with pytest.raises(InputError):
            clips_at_salient_timestamps(None, **options)  # type: ignore[arg-type]


# --- transformers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*EVERY_TRAP, "edit_list"])
def test_transformers_loads_the_frames_of_the_clips(name: str, made: GetMade) -> None:
    video_utils = pytest.importorskip("transformers.video_utils")
    from salientclips.adapters.huggingface import sample_indices_fn

    file = made(name)
    selection = choose(file.path)
    video, metadata = video_utils.load_video(
        str(file.path), backend="pyav", sample_indices_fn=sample_indices_fn(selection, 9)
    )
    upright = [turn(picture, file.rotation_deg) for picture in video]
    expected = [file.counters[i] for i in metadata.frames_indices]
    assert [read_counter(picture) for picture in upright] == expected
    times = [float(file.times[i]) + file.start_s for i in metadata.frames_indices]
    assert all(in_clips(selection, t) for t in times)


@every_trap
def test_metadata_has_the_time_of_each_frame(name: str, made: GetMade) -> None:
    video_utils = pytest.importorskip("transformers.video_utils")
    from salientclips.adapters.huggingface import video_of

    file = made(name)
    frames, given = video_of(choose(file.path), 8)
    metadata = video_utils.VideoMetadata(**given)
    assert counters(frames) == [counter_at(file, t) for t in metadata.timestamps]
    assert (metadata.height, metadata.width) == frames.shape[2:]


@pytest.fixture(scope="module")
def pipeline() -> Any:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torchvision", exc_type=Exception)
    config = transformers.VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=4, tubelet_size=2, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, num_labels=3,
    )  # fmt: skip
    model = transformers.VideoMAEForVideoClassification(config).eval()
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    if hasattr(transformers, "VideoMAEVideoProcessor"):
        parts = {"video_processor": transformers.VideoMAEVideoProcessor(**size)}
    else:
        parts = {"image_processor": transformers.VideoMAEImageProcessor(**size)}
    return transformers.pipeline("video-classification", model=model, **parts)


@every_trap
def test_the_pipeline_is_fed_the_frames_of_each_clip(
    name: str, made: GetMade, pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from salientclips.adapters import huggingface

    file = made(name)
    selection = choose(file.path)
    seen: list[list[int]] = []
    ask = huggingface._ask

    def spy(of: Any, pictures: npt.NDArray[np.uint8], top_k: int) -> Any:
        seen.append([read_counter(p) for p in pictures])
        return ask(of, pictures, top_k)

    monkeypatch.setattr(huggingface, "_ask", spy)
    found = huggingface.classify_clips(pipeline, selection, frame_step=2, top_k=2)
    assert [f.clip.rank for f in found] == [1, 2, 3]
    assert all(len(f.labels) == 2 for f in found)
    for counts, clip in zip(seen, sorted(selection.clips, key=lambda c: c.start), strict=True):
        times = [float(file.times[file.counters.index(c)]) + file.start_s for c in counts]
        assert all(clip.start_s - 0.002 <= t < clip.end_s for t in times)
        # Two apart, or closer in the shorter clip at the end of a video.
        assert set(np.diff(counts).tolist()) <= ({2} if counts[-1] < file.counters[-7] else {1, 2})


# --- Qwen -------------------------------------------------------------------------------------------------------


def tokenizer_of_a_few_words() -> Any:
    """A tokenizer made here: nothing is fetched."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<unk>"]
    model = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>")
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<unk>", additional_special_tokens=words[:4], pad_token="<unk>"
    )


@pytest.fixture(scope="module")
def qwen_processor() -> Any:
    """The real processor with a tokenizer of a few words: nothing is fetched."""
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torchvision", exc_type=Exception)
    return transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(),
        tokenizer=tokenizer_of_a_few_words(),
        video_processor=transformers.Qwen3VLVideoProcessor(cap_pixels_per_frame=False),
    )


@every_trap
def test_qwen3vl_tells_the_true_times(
    name: str, made: GetMade, qwen_processor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made(name)
    selection = choose(file.path)
    frames, metadata = selection.to_qwen3vl(8)
    assert len(frames) == 8
    told: list[float] = []
    real = type(qwen_processor)._calculate_timestamps

    def spy(self: Any, *words: Any) -> list[float]:
        told.extend(found := real(self, *words))
        return found

    monkeypatch.setattr(type(qwen_processor), "_calculate_timestamps", spy)
    inputs = qwen_processor(
        text=["<|video_pad|>"],
        videos=[frames],
        video_metadata=[metadata],
        do_sample_frames=False,
        return_tensors="pt",
    )
    assert inputs["video_grid_thw"][0, 0] == 4
    shown = counters(frames)
    true_s = [float(file.times[file.counters.index(c)]) + file.start_s for c in shown]
    pairs = [(a + b) / 2 for a, b in zip(true_s[::2], true_s[1::2], strict=True)]
    assert told == pytest.approx(pairs, abs=0.0015)
    for a, b in zip(true_s[::2], true_s[1::2], strict=True):
        assert any(c.start_s - 0.002 <= a < b < c.end_s for c in selection.clips)


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_qwen_vl_utils_reads_the_frames_of_each_clip(name: str, made: GetMade) -> None:
    file = made(name)
    torchcodec_decoder(file.path)
    pytest.importorskip("qwen_vl_utils")
    from qwen_vl_utils import process_vision_info

    from salientclips.adapters.qwen import qwen_messages

    selection = choose(file.path)
    messages = qwen_messages(selection, "What happens?", frames_per_clip=6)
    _, videos, _ = process_vision_info(
        messages, return_video_kwargs=True, return_video_metadata=True, image_patch_size=16
    )
    frames = number_frames(read_packets(file.path))
    clips = sorted(selection.clips, key=lambda c: c.start)
    assert len(videos) == len(clips)
    for (video, _), clip in zip(videos, clips, strict=True):
        first, stop = frames.span(clip)
        shown = counters(video.clamp(0, 255).byte().numpy())
        assert shown[0] == file.counters[first]
        assert shown[-1] == file.counters[stop - 1]
        assert set(shown) <= set(file.counters[first:stop])


def test_qwen25vl_takes_each_clip_as_a_video_of_its_own(made: GetMade) -> None:
    """Its processor knows one spacing of frames a video: the seconds from one pair of frames to the next."""
    file = made("h264_bframes_mp4")
    torchcodec_decoder(file.path)
    pytest.importorskip("qwen_vl_utils")
    from qwen_vl_utils import process_vision_info

    from salientclips.adapters.qwen import qwen_messages

    transformers = pytest.importorskip("transformers")
    processor = transformers.Qwen2_5_VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(),
        tokenizer=tokenizer_of_a_few_words(),
        video_processor=transformers.Qwen2VLVideoProcessor(),
    )
    selection = choose(file.path)
    messages = qwen_messages(selection, "What happens?", frames_per_clip=6)
    _, found, _ = process_vision_info(messages, return_video_kwargs=True, return_video_metadata=True)
    videos, about = zip(*found, strict=True)
    inputs = processor(
        text=["<|video_pad|> " * len(videos)],
        videos=list(videos),
        video_metadata=list(about),
        do_sample_frames=False,
        return_tensors="pt",
    )
    assert inputs["video_grid_thw"][:, 0].tolist() == [3] * len(selection.clips)
    clips = sorted(selection.clips, key=lambda c: c.start)
    for told_s, clip in zip(inputs["second_per_grid_ts"], clips, strict=True):
        assert float(told_s) == pytest.approx(2 * (clip.end_s - clip.start_s) / 6, rel=0.05)


def test_qwen_messages_are_paired(made: GetMade) -> None:
    from salientclips.adapters.qwen import qwen_messages

    with pytest.raises(InputError, match="even"):
        qwen_messages(choose(made("h264_mkv").path), "?", frames_per_clip=3)


# --- chat models ------------------------------------------------------------------------------------------------


def decode_jpeg(data: bytes) -> npt.NDArray[np.uint8]:
    with av.open(io.BytesIO(data), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@every_trap
def test_chat_frames_show_the_counter_of_their_label(name: str, made: GetMade) -> None:
    file = made(name)
    made_parts = frame_parts(choose(file.path), 6)
    labels, images = made_parts.parts[::2], made_parts.parts[1::2]
    assert len(labels) == len(images) == 6
    for text, image in zip(labels, images, strict=True):
        head, data = image["image_url"]["url"].split(",")
        assert head == "data:image/jpeg;base64"
        time_s = float(text["text"].split(" s ")[0])
        assert read_counter(decode_jpeg(base64.b64decode(data))) == counter_at(file, time_s)


def test_budgets(made: GetMade) -> None:
    selection = choose(made("h264_bframes_mp4").path, 10)
    assert len(frame_parts(selection).frames) == 32
    assert len(frame_parts(selection, 5).frames) == 5
    limited = frame_parts(selection, token_budget=1000)
    assert len(limited.frames) == 1000 // (85 + 12)
    assert limited.tokens <= 1000
    assert len(frame_parts(selection, 3, token_budget=1000).frames) == 3
    assert len(frame_parts(selection, token_budget=1000, tokens_per_frame=238).frames) == 4
    with pytest.raises(InputError, match="do not reach"):
        frame_parts(selection, token_budget=50)
    small = frame_parts(selection, 1, shorter_side_px=60).frames[0]
    assert small.rgb.shape == (60, 80, 3)


def test_image_tokens_follow_the_published_rule() -> None:
    assert image_tokens(4096, 8192, "low") == 85
    assert image_tokens(1024, 1024, "high") == 765
    assert image_tokens(4096, 2048, "high") == 1105


def test_jpeg_keeps_colours() -> None:
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (16, 16, 16), (250, 250, 250)):
        flat = np.full((48, 65, 3), colour, np.uint8)
        assert np.abs(decode_jpeg(encode_jpeg(flat)).astype(int) - flat).max() <= 6


# --- PyTorch, PyTorchVideo, mmaction2 ---------------------------------------------------------------------------


@every_trap
def test_dataset_items(name: str, made: GetMade) -> None:
    pytest.importorskip("torch")
    from torch.utils.data import DataLoader

    from salientclips.adapters.dataset import SalientClips

    file = made(name)
    dataset = SalientClips([(choose(file.path), 7)], num_frames=5, frame_step=2, size=(96, 128))
    (batch,) = DataLoader(pickle.loads(pickle.dumps(dataset)), batch_size=3)
    assert tuple(batch["clip"].shape) == (3, 5, 3, 96, 128)
    assert batch["label"].tolist() == [7, 7, 7]
    assert batch["rank"].tolist() == [1, 2, 3]
    shown = counters(batch["clip"].numpy())
    assert shown == [counter_at(file, t) for t in batch["times_s"].flatten().tolist()]


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_pytorchvideo_clips(name: str, made: GetMade) -> None:
    pytest.importorskip("pytorchvideo.data.clip_sampling", exc_type=Exception)
    from pytorchvideo.data.encoded_video_pyav import EncodedVideoPyAV

    from salientclips.adapters.pytorchvideo import SalientClipSampler

    file = made(name)
    selection = choose(file.path)
    with file.path.open("rb") as opened:
        video = EncodedVideoPyAV(io.BytesIO(opened.read()), decode_audio=False)
    sampler = SalientClipSampler()
    frames = number_frames(read_packets(file.path))
    for clip in selection.clips:
        info = sampler(None, video.duration, {"selection": selection})
        assert (info.clip_index, info.is_last_clip) == (clip.rank - 1, clip.rank == 3)
        pictures = video.get_clip(info.clip_start_sec, info.clip_end_sec)["video"].permute(1, 2, 3, 0)
        shown = [read_counter(turn(p.byte().numpy(), file.rotation_deg)) for p in pictures]
        first, stop = frames.span(clip)
        assert shown == list(file.counters[first:stop])
    assert sampler(None, video.duration, {"selection": selection}).clip_index == 0
    half = SalientClipSampler(0.5)(None, video.duration, {"selection": selection})
    assert half.clip_end_sec - half.clip_start_sec == 0.5
    with pytest.raises(InputError, match="no selected clips"):
        SalientClipSampler()(None, 1, {})


def test_pytorchvideo_dataset_and_loader(made: GetMade) -> None:
    pytest.importorskip("pytorchvideo.data.labeled_video_dataset", exc_type=Exception)
    from pytorchvideo.data.labeled_video_dataset import LabeledVideoDataset
    from torch.utils.data import DataLoader, SequentialSampler

    from salientclips.adapters.pytorchvideo import SalientClipSampler

    file = made("h264_bframes_mp4")
    selection = choose(file.path)
    dataset = LabeledVideoDataset(
        [(str(file.path), {"label": 3, "selection": "one"})],
        clip_sampler=SalientClipSampler(None, {"one": selection}),
        video_sampler=SequentialSampler,
        decode_audio=False,
    )
    batches = list(DataLoader(dataset, batch_size=1))
    assert [int(b["clip_index"]) for b in batches] == [0, 1, 2]
    for batch, clip in zip(batches, selection.clips, strict=True):
        first, _ = number_frames(read_packets(file.path)).span(clip)
        assert read_counter(batch["video"][0, :, 0].permute(1, 2, 0).byte().numpy()) == first


@every_trap
def test_mmaction_keys_name_frames_of_the_clips(name: str, made: GetMade) -> None:
    from salientclips.adapters.mmaction import SalientSampleFrames

    file = made(name)
    selection = choose(file.path, 2)
    transform = SalientSampleFrames(4, frame_interval=2, num_clips=3)
    found = transform({"filename": str(file.path), "selection": selection, "start_index": 0})
    assert found["frame_inds"].dtype == np.int32
    assert found["frame_inds"].shape == (12,)
    assert (found["clip_len"], found["frame_interval"], found["num_clips"]) == (4, 2, 3)
    for row, clip in zip(
        found["frame_inds"].reshape(3, 4), [*selection.clips, selection.clips[0]], strict=True
    ):
        times = [float(file.times[i]) + file.start_s for i in row]
        assert all(clip.start_s - 0.002 <= t < clip.end_s for t in times)
        assert np.diff(row).tolist() == [2, 2, 2]
    alone = SalientSampleFrames(4, sampler="packet-cost")({"filename": str(file.path)})
    assert alone["total_frames"] == len(file.counters)


@pytest.mark.parametrize("name", EVERY_TRAP)
def test_mmaction_decodes_the_frames(name: str, made: GetMade) -> None:
    loading = pytest.importorskip("mmaction.datasets.transforms.loading", exc_type=Exception)
    from salientclips.adapters.mmaction import SalientSampleFrames

    file = made(name)
    results = SalientSampleFrames(4, 2, 2)(loading.PyAVInit()({"filename": str(file.path)}))
    shown = [read_counter(turn(p, file.rotation_deg)) for p in loading.PyAVDecode()(results)["imgs"]]
    assert shown == [file.counters[i] for i in results["frame_inds"]]


def test_mmaction_configurations_know_the_transform() -> None:
    registry = pytest.importorskip("mmaction.registry", exc_type=Exception)
    from salientclips.adapters.mmaction import register

    register()
    built = registry.TRANSFORMS.build({"type": "SalientSampleFrames", "clip_len": 4})
    assert built.clip_len == 4
