"""Every page of the cookbook is run: its Python and shell blocks in order, on a made-up video."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import salientclips
from media_files import AudioSpec, make_video

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "cookbook"
SETTINGS = {
    # Where another test has started Ray, Daft would go to it.
    "DAFT_RUNNER": "native",
    "FIFTYONE_DATABASE_DIR": "{}/database",
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "FIFTYONE_DO_NOT_TRACK": "true",
    "HF_HOME": "{}/hub",
    "HF_HUB_OFFLINE": "1",
}
"""Keep what the pages start to the test's folder and off the network."""
PAGES = sorted(p for p in FOLDER.glob("*.md") if p.name != "README.md")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds with sound."""
    path = tmp_path_factory.mktemp("cookbook") / "video.mp4"
    return make_video(path, frames=180, bframes=2, gop=60, audio=AudioSpec(clicks_s=(1.0,)))


def asked_for(text: str, what: str) -> Iterator[str]:
    """The words behind ``<!-- what: ... -->``."""
    for words in re.findall(rf"<!-- {what}: (.*?) -->", text):
        yield from words.split(", ")


def need_module(name: str) -> None:
    """Skip where a module, or a class of it that is made once to see whether its libraries load, is not there."""
    module, _, maker = name.partition(".decoders.")
    try:
        importlib.import_module(module)
        if maker:
            getattr(importlib.import_module(f"{module}.decoders"), maker)(b"")
    except (ImportError, OSError) as error:
        pytest.skip(f"{module} is not installed ({error})")
    except RuntimeError as error:
        if "Could not load" in str(error):
            pytest.skip(f"{module} does not load: see tools/ffmpeg_of_pyav.py")
    except ValueError:
        pass


def put_ffmpeg(folder: Path) -> None:
    """An ffmpeg on the path: the system's, or the one in the wheel imageio-ffmpeg."""
    if shutil.which("ffmpeg"):
        return
    binary = pytest.importorskip("imageio_ffmpeg", reason="no ffmpeg binary").get_ffmpeg_exe()
    (folder / "ffmpeg").symlink_to(binary)


def put_script(path: Path, words: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    path.chmod(0o755)


def put_model(name: str, folder: Path) -> None:
    """A tiny model in the place of a hub's, where from_pretrained finds it: nothing is fetched."""
    if "videomae" in name:
        put_videomae(folder / name)
    else:
        put_qwen3vl(folder / name)


def put_videomae(folder: Path) -> None:
    import transformers

    config = transformers.VideoMAEConfig(
        image_size=32, patch_size=16, num_frames=16, tubelet_size=2, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, num_labels=3,
    )  # fmt: skip
    transformers.VideoMAEForVideoClassification(config).save_pretrained(folder)
    size = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
    transformers.VideoMAEImageProcessor(**size).save_pretrained(folder)
    if hasattr(transformers, "VideoMAEVideoProcessor"):
        transformers.VideoMAEVideoProcessor(**size).save_pretrained(folder)


def put_qwen3vl(folder: Path) -> None:
    import tokenizers
    import transformers

    words = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>", "<unk>"]
    model = tokenizers.models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>")
    raw = tokenizers.Tokenizer(model)
    raw.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer: Any = transformers.PreTrainedTokenizerFast(
        tokenizer_object=raw, unk_token="<unk>", additional_special_tokens=words[:4], pad_token="<unk>"
    )
    transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen3VLVideoProcessor(cap_pixels_per_frame=False),
    ).save_pretrained(folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_page(page: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text(encoding="utf-8")
    for module in asked_for(text, "needs"):
        need_module(module)
    tools, place = tmp_path / "tools", tmp_path / "place"
    tools.mkdir()
    place.mkdir()
    if "ffmpeg" in asked_for(text, "tools"):
        put_ffmpeg(tools)
    # The package as it is here, installed or not; an MCP client hands no other variable on.
    source = str(Path(salientclips.__file__).parents[1])
    put_script(tools / "salientclips", f"env PYTHONPATH='{source}' '{sys.executable}' -m salientclips")
    put_script(tools / "python", f"env PYTHONPATH='{source}' '{sys.executable}'")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.chdir(place)
    shutil.copy(video, place / "video.mp4")
    for name in asked_for(text, "models"):
        put_model(name, place)
    blocks = re.findall(r"^(?:<!-- with: (\w+) -->\n)?```(python|sh)\n(.*?)^```$", text, re.M | re.S)
    assert "python" in [language for _, language, _ in blocks]
    names: dict[str, Any] = {"__name__": "__main__"}
    left_out = []
    for module, language, code in blocks:
        if module and importlib.util.find_spec(module) is None:
            left_out.append(module)
        elif language == "python":
            exec(compile(code, str(page), "exec"), names)
        else:
            done = subprocess.run(["sh", "-e", "-c", code], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
    if left_out:
        pytest.skip(f"run but for what needs {', '.join(sorted(set(left_out)))}, which is not installed")


def test_the_index_names_every_page() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in PAGES if f"({p.name})" not in index] == []
    assert [n for n in re.findall(r"\]\((\w+\.md)\)", index) if not (FOLDER / n).exists()] == []
