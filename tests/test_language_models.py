"""Transformers and Qwen are shown the frames of the clips, and told their times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chosen import EVERY_TRAP, choose, counter_at, counters, every_trap, in_clips, torchcodec_decoder
from made_files import MadeFile
from media_files import read_counter
from salientclips.errors import InputError
from salientclips.media.demux import read_packets
from salientclips.media.frame_numbers import number_frames
from salientclips.media.orientation import turn

GetMade = Callable[[str], MadeFile]


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
