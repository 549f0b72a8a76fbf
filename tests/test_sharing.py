"""Samplers saved, loaded, uploaded, and used by the commands; and what is wrong with a folder is said."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import GetMade
from learned_samplers import Kept, make_card, make_learned, random_clips
from salientclips.errors import CardError, InputError, UnknownNameError, WeightsError
from salientclips.samplers import make_sampler
from salientclips.samplers.learned import LearnedSampler
from salientclips.samplers.sharing import CARD_FILE, README_FILE, WEIGHTS_FILE


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sampler of pictures and sound; not to be written to."""
    card = make_card(("md", "rgbr", "audio"), visual="ac")
    return make_learned(card).save_pretrained(tmp_path_factory.mktemp("samplers") / "deep" / "av")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of it to be spoilt."""
    return Path(shutil.copytree(saved, tmp_path / "av"))


def test_a_saved_sampler_comes_back(saved: Path) -> None:
    assert {f.name for f in saved.iterdir()} == {WEIGHTS_FILE, CARD_FILE, README_FILE}
    one, two = (
        make_learned(make_card(("md", "rgbr", "audio"), visual="ac")),
        LearnedSampler.from_pretrained(saved),
    )
    assert two.card == one.card
    assert two.parameters == one.parameters
    clips = Kept(random_clips(3))
    assert one.judge_features(clips).scores.tobytes() == two.judge_features(clips).scores.tobytes()
    assert not any(n.endswith("num_batches_tracked") for n in load_file(saved / WEIGHTS_FILE))


def test_saving_again_replaces_and_is_the_same(folder: Path) -> None:
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    LearnedSampler.from_pretrained(folder).save_pretrained(folder)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(InputError, match="cannot be written"):
        make_learned().save_pretrained(tmp_path / "file")


def spoil_card(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / CARD_FILE).read_text())
    (folder / CARD_FILE).write_text(json.dumps({**card, **changes}))


def spoil_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(folder / WEIGHTS_FILE)
    change(tensors)
    save_file(tensors, folder / WEIGHTS_FILE)


def test_what_is_wrong_with_a_folder_is_said(folder: Path) -> None:
    def refused(error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=message):
            LearnedSampler.from_pretrained(folder)

    spoil_card(folder, feature_version=7)
    refused(CardError, "features of version 7")
    spoil_card(folder, feature_version=2, classes=["a", "b"])
    refused(CardError, r"425539 parameters; a shufflenet26 with 2 outputs has 425074")
    (folder / CARD_FILE).write_bytes(b"\xff\xfe\x00")
    refused(CardError, "cannot be read")
    (folder / CARD_FILE).unlink()
    refused(WeightsError, r"config\.json' does not exist")


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (r"1 missing \(fc\.bias\)", lambda t: t.pop("md.fc.bias")),
        (
            r"1 of another shape \(fc\.weight \(3, 9\)",
            lambda t: t.update({"md.fc.weight": torch.zeros(3, 9)}),
        ),
        (r"1 unexpected \(extra\)", lambda t: t.update({"rgbr.extra": torch.zeros(3)})),
        ("1 tensors of no stream", lambda t: t.update({"sonar.fc.bias": torch.zeros(3)})),
        (r"1 not finite numbers \(fc\.bias\)", lambda t: t["audio.fc.bias"].fill_(float("nan"))),
        ("not finite numbers", lambda t: t.update({"md.fc.bias": torch.zeros(3, dtype=torch.int32)})),
    ],
)
def test_weights_that_do_not_fit(folder: Path, message: str, change: Any) -> None:
    spoil_weights(folder, change)
    with pytest.raises(WeightsError, match=message):
        LearnedSampler.from_pretrained(folder)


def test_damaged_weights(folder: Path) -> None:
    content = (folder / WEIGHTS_FILE).read_bytes()
    for damaged in (content[:1000], b"", b"\xff" * 8 + content[8:]):
        (folder / WEIGHTS_FILE).write_bytes(damaged)
        with pytest.raises(WeightsError):
            LearnedSampler.from_pretrained(folder)


# --- names and the hub --------------------------------------------------------------------------------------


def test_make_sampler_loads_a_folder(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = make_sampler(str(saved))
    assert isinstance(sampler, LearnedSampler)
    assert make_sampler(str(saved), frames_per_clip=2).feature_parameters == sampler.feature_parameters
    with pytest.raises(InputError, match="trained on 2 frames a clip and cannot read 9"):
        make_sampler(str(saved), frames_per_clip=9)
    monkeypatch.chdir(saved.parent)
    assert make_sampler(saved.name).name == "tiny"


def test_a_name_that_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="FOLDER"):
        make_sampler("nonsense")
    with pytest.raises(WeightsError, match="there is no sampler"):
        make_sampler(str(tmp_path / "none"))
    with pytest.raises(WeightsError, match="does not exist"):
        make_sampler(str(tmp_path))


def test_the_hub(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Api:
        def __init__(self, token: str | None) -> None:
            calls.append(token)

        def create_repo(self, name: str, **options: Any) -> None:
            calls.append((name, options))
            if name == "me/taken":
                raise OSError("403 Forbidden\nlong page")

        def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> Any:
            calls.append(sorted(f.name for f in Path(folder_path).iterdir()))
            return SimpleNamespace(commit_url=f"https://hub/{repo_id}/1")

    def download(name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        if name == "me/none":
            raise OSError("404 Not Found\nlong page")
        calls.append((name, revision, allow_patterns))
        return str(saved)

    fake = SimpleNamespace(HfApi=Api, snapshot_download=download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    sampler = LearnedSampler.from_pretrained("me/av", revision="v1")
    assert calls.pop() == ("me/av", "v1", [CARD_FILE, WEIGHTS_FILE])
    assert isinstance(make_sampler("me/av"), LearnedSampler)
    with pytest.raises(WeightsError, match=r"'me/none' is no folder, .* \(404 Not Found\)"):
        make_sampler("me/none")
    calls.clear()
    assert sampler.push_to_hub("me/av", private=True, token="secret") == "https://hub/me/av/1"
    assert calls == [
        "secret",
        ("me/av", {"private": True, "exist_ok": True}),
        [README_FILE, CARD_FILE, WEIGHTS_FILE],
    ]
    with pytest.raises(InputError, match=r"cannot be uploaded \(403 Forbidden\)"):
        sampler.push_to_hub("me/taken")


# --- the commands -------------------------------------------------------------------------------------------


Call = Callable[..., tuple[int, Any, str]]


def test_score_and_select(call: Call, saved: Path, made: GetMade, tmp_path: Path) -> None:
    video, stored = made("stereo_aac").path, tmp_path / "scores.parquet"
    code, found, _ = call("score", video, "--sampler", saved, "-o", stored)
    assert code == 0
    assert found["sampler"] == "tiny"
    assert found["rule"] == "av-union-list"
    assert set(found["streams"]) == {"md", "rgbr", "audio", "visual"}
    assert found["sampler_parameters"]["weights"] == LearnedSampler.from_pretrained(saved).weights_hash
    code, fresh, _ = call("select", video, "--sampler", saved, "-k", 1)
    again, kept, _ = call("select", video, "--scores", stored, "--sampler", saved, "-k", 1)
    assert (code, again) == (0, 0)
    assert fresh["clips"] == kept["clips"]
    assert len(kept["clips"]) == 1


def test_scores_of_other_weights_are_refused(call: Call, saved: Path, made: GetMade, tmp_path: Path) -> None:
    video, stored = made("stereo_aac").path, tmp_path / "scores.json"
    other = make_learned(make_card(("md", "rgbr", "audio"), visual="ac"), seed=5).save_pretrained(
        tmp_path / "b"
    )
    assert call("score", video, "--sampler", saved, "-o", stored)[0] == 0
    code, found, _ = call("select", video, "--scores", stored, "--sampler", other)
    assert code == 1
    assert found["error"]["type"] == "StoredScoresError"


def test_classify(call: Call, saved: Path, made: GetMade) -> None:
    video = made("h264_mkv").path
    words = ("--classifier", "mc3_18", "--random-weights", "--device", "cpu")
    code, found, _ = call("classify", video, "--sampler", saved, "-k", 1, *words)
    assert code == 0
    assert "the file has no audio track" in found["warnings"]
    assert len(found["clips"]) == 1


def test_errors_are_one_line(call: Call, folder: Path, made: GetMade) -> None:
    spoil_card(folder, visual_share=3)
    code, found, err = call("score", made("h264_mkv").path, "--sampler", folder)
    assert code == 1
    assert found["error"]["type"] == "CardError"
    assert err.startswith("error: the card '")
    assert err.count("\n") == 1
