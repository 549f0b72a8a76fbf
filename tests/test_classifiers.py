"""The networks against the papers' figures, the front door's rules, and bit-for-bit repeatability."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn

from salientclips.classifiers import CLASSIFIERS, ClipClassifier, kinetics400_labels, load_classifier
from salientclips.classifiers.csn import from_mmaction
from salientclips.classifiers.loading import _recipe
from salientclips.classifiers.network import NetworkClassifier
from salientclips.classifiers.r2plus1d import R2Plus1D, middle_channels
from salientclips.classifiers.recipe import NORMALISATIONS, Normalisation
from salientclips.errors import (
    FileMissingError,
    InputError,
    MissingExtraError,
    UnknownNameError,
    WeightsError,
)
from salientclips.networks.cost import count_gflops, count_parameters
from salientclips.networks.extras import pick_device, require

TORCHVISION = ("r3d_18", "mc3_18", "r2plus1d_18")


def on_meta(name: str, num_classes: int = 400) -> nn.Module:
    with torch.device("meta"):
        return _recipe(name).build(num_classes)


def random_clips(classifier: ClipClassifier, count: int) -> torch.Tensor:
    spec = classifier.input
    return torch.randn(
        count, 3, spec.frames, spec.crop_px, spec.crop_px, generator=torch.Generator().manual_seed(3)
    )


# --- the networks are the published ones --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "side_px", "parameters", "gflops"),
    [
        # torchvision's weights meta (num_params, _ops)
        ("r3d_18", 112, 33_371_472, 40.697),
        ("mc3_18", 112, 11_695_440, 43.343),
        ("r2plus1d_18", 112, 31_505_325, 40.519),
        # CVPR 2018 and VMZ's model zoo: 63.6 M; 152 GFLOPs at 112 (its 199.0 is at 128)
        ("r2plus1d_34", 112, 63_697_175, 152.356),
        ("r2plus1d_34", 128, 63_697_175, 199.0),
        # ICCV 2019, VMZ: 96.7 GFLOPs at the test crop of 256, 29.7 M (mmaction2: 29.70 M)
        ("ir_csn_152", 256, 29_703_568, 96.7),
        ("ir_csn_152", 224, 29_703_568, 74.046),
        # the checkpoint's own size; CSN's table 5 gives 108 GFLOPs for I3D
        ("i3d_rgb", 224, 12_697_264, 111.153),
    ],
)
def test_size_and_cost(name: str, side_px: int, parameters: int, gflops: float) -> None:
    network = on_meta(name)
    assert count_parameters(network) == parameters
    assert count_gflops(network, _recipe(name).input.frames, side_px) == pytest.approx(gflops, rel=1e-3)


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvisions_meta_agrees(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    weights = models.get_model_weights(name).DEFAULT
    recipe = _recipe(name)
    network = on_meta(name)
    assert count_parameters(network) == weights.meta["num_params"]
    assert count_gflops(network, 16, 112) == pytest.approx(weights.meta["_ops"], abs=0.001)
    transform = weights.transforms()
    assert [*recipe.input.mean] == transform.mean
    assert [*recipe.input.std] == transform.std
    assert [*recipe.input.resize_px] == transform.resize_size  # type: ignore[misc]
    assert tuple(weights.meta["categories"]) == kinetics400_labels()


def test_the_label_list() -> None:
    labels = kinetics400_labels()
    assert len(set(labels)) == 400
    assert labels[0] == "abseiling"
    assert labels[227] == "playing cricket"
    assert labels[-1] == "zumba"


def test_r2plus1d_34_has_the_layout_of_the_published_checkpoints() -> None:
    # moabitcoin/ig65m-pytorch builds torchvision's VideoResNet and widens three convolutions to these widths.
    video = pytest.importorskip("torchvision.models.video.resnet")
    with torch.device("meta"):
        theirs = video.VideoResNet(
            video.BasicBlock, [video.Conv2Plus1D] * 4, [3, 4, 6, 3], video.R2Plus1dStem, 400
        )
        for layer, (width, middle) in enumerate(((128, 288), (256, 576), (512, 1152)), start=2):
            theirs.get_submodule(f"layer{layer}.0.conv2")[0] = video.Conv2Plus1D(width, width, middle)
    ours = on_meta("r2plus1d_34")
    assert {n: t.shape for n, t in ours.state_dict().items()} == {
        n: t.shape for n, t in theirs.state_dict().items()
    }
    assert middle_channels(64, 64) == 144
    assert middle_channels(64, 128) == 230


def test_r2plus1d_computes_what_videoresnet_computes() -> None:
    video = pytest.importorskip("torchvision.models.video.resnet")
    torch.manual_seed(0)
    ours = R2Plus1D(7, (1, 1, 1, 1)).eval()
    theirs = video.VideoResNet(video.BasicBlock, [video.Conv2Plus1D] * 4, [1, 1, 1, 1], video.R2Plus1dStem, 7)
    for layer, (width, middle) in enumerate(((128, 288), (256, 576), (512, 1152)), start=2):
        theirs.get_submodule(f"layer{layer}.0.conv2")[0] = video.Conv2Plus1D(width, width, middle)
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps = 1e-3
    theirs.load_state_dict(ours.state_dict())
    clip = torch.randn(1, 3, 4, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(ours(clip), theirs.eval()(clip), atol=1e-5)


def csn_in_videoresnet_form() -> nn.Module:
    """VMZ's ir_csn_152: torchvision's Bottleneck with a depthwise middle and a pool in the stem."""
    video = pytest.importorskip("torchvision.models.video.resnet")

    class Depthwise(nn.Conv3d):
        def __init__(self, channels: int, out: int, middle: int | None = None, stride: int = 1) -> None:
            super().__init__(channels, out, 3, stride, 1, groups=channels, bias=False)

        @staticmethod
        def get_downsample_stride(stride: int) -> tuple[int, int, int]:
            return (stride, stride, stride)

    def stem() -> nn.Module:
        return nn.Sequential(*video.BasicStem(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))

    network = video.VideoResNet(video.Bottleneck, [Depthwise] * 4, [3, 8, 36, 3], stem, 400)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps = 1e-3
    assert isinstance(network, nn.Module)
    return network


def test_csn_computes_what_vmz_computes() -> None:
    torch.manual_seed(0)
    theirs = csn_in_videoresnet_form().eval()
    ours = _recipe("ir_csn_152").build(400).eval()
    ours.load_state_dict(theirs.state_dict())
    clip = torch.randn(1, 3, 8, 64, 64)
    with torch.inference_mode():
        expected = theirs(clip)
        assert torch.allclose(ours(clip), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def mmaction_names(name: str) -> str:
    """Our names to mmaction2's, written down from the other side (its ConvModule holds .conv and .bn)."""
    parts = name.split(".")
    if parts[0] == "fc":
        return f"cls_head.fc_cls.{parts[1]}"
    kinds = {"0": "conv", "1": "bn"}
    if parts[0] == "stem":
        return f"backbone.conv1.{kinds[parts[1]]}.{parts[2]}"
    layer, block, unit, kind, leaf = parts
    inner = "conv2.0" if unit == "conv2" else unit
    return f"backbone.{layer}.{block}.{inner}.{kinds[kind]}.{leaf}"


def test_mmactions_names_are_understood() -> None:
    state = on_meta("ir_csn_152").state_dict()
    theirs = {mmaction_names(n): t for n, t in state.items()}
    assert "backbone.layer1.0.conv1.conv.weight" in theirs
    assert "backbone.layer2.0.downsample.bn.running_var" in theirs
    assert from_mmaction(theirs).keys() == state.keys()
    assert from_mmaction({"backbone.odd": torch.zeros(1)}).keys() == {"backbone.odd"}


def test_an_mmaction_checkpoint_loads_with_its_own_normalisation(tmp_path: Path) -> None:
    # Each tensor is filled with a number of its own: enough to see that it arrived at its place.
    state = {
        n: torch.full(t.shape, 0.001 * i)
        for i, (n, t) in enumerate(on_meta("ir_csn_152", 5).state_dict().items())
    }
    path = tmp_path / "csn.pth"
    torch.save({"meta": {}, "state_dict": {mmaction_names(n): t for n, t in state.items()}}, path)
    classifier = load_classifier("ir_csn_152", weights=path, device="cpu")
    assert isinstance(classifier, NetworkClassifier)
    assert (classifier.input.mean, classifier.input.std) == NORMALISATIONS["imagenet"]
    assert classifier.labels == tuple(f"class_{i}" for i in range(5))
    loaded = classifier.network.state_dict()
    assert all(torch.equal(loaded[n], state[n]) for n in state if "num_batches" not in n)
    ported = load_classifier("ir_csn_152", weights=path, device="cpu", normalisation="kinetics")
    assert (ported.input.mean, ported.input.std) == NORMALISATIONS["kinetics"]
    assert set(get_args(Normalisation)) == set(NORMALISATIONS)


# --- running them -------------------------------------------------------------------------------------------


def test_the_same_bits_for_any_threads_any_batch_and_every_process() -> None:
    classifier = load_classifier("r2plus1d_18", random_weights=True, device="cpu", threads=1, frames=4)
    clips = random_clips(classifier, 3)
    before = torch.get_num_threads()
    alone = torch.cat([classifier(clip[None]) for clip in clips])
    assert alone.shape == (3, 400)
    assert alone.dtype == torch.float32
    assert torch.allclose(alone.sum(dim=1), torch.ones(3), atol=1e-5)
    assert not torch.equal(alone[0], alone[1])
    wider = load_classifier("r2plus1d_18", random_weights=True, device="cpu", threads=3, frames=4)
    assert torch.equal(wider(clips), alone)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("name", ["r3d_18", "r2plus1d_34", "i3d_rgb"])
def test_each_kind_runs_and_gives_probabilities(name: str) -> None:
    frames = 9 if name == "i3d_rgb" else 2
    classifier = load_classifier(name, random_weights=True, device="cpu", frames=frames, num_classes=5)
    assert classifier.name == name
    assert classifier.input.frames == frames
    gflops = classifier.input.gflops
    assert gflops is not None
    assert 0 < gflops < 40
    probabilities = classifier(random_clips(classifier, 1))
    assert probabilities.shape == (1, 5)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    assert classifier(torch.empty(0, *random_clips(classifier, 1).shape[1:])).shape == (0, 5)


def test_random_weights_leave_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    load_classifier("mc3_18", random_weights=True, device="cpu", num_classes=2)
    assert torch.equal(torch.rand(3), expected)


def test_wrong_clips_are_refused() -> None:
    classifier = load_classifier("mc3_18", random_weights=True, device="cpu", num_classes=2)
    good = random_clips(classifier, 1)
    for bad in (good[0], good[:, :, :8], good.double(), good[..., :100]):
        with pytest.raises(InputError, match="mc3_18 cannot take"):
            classifier(bad)


# --- the front door -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_no_weights_is_an_error_with_a_remedy(name: str) -> None:
    with pytest.raises(WeightsError) as caught:
        load_classifier(name, device="cpu")
    assert "random_weights=True" in caught.value.remedy
    assert name in caught.value.message


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r3d.pth"
    torch.save(_recipe("r3d_18").build(2).state_dict(), path)
    with pytest.raises(WeightsError, match="does not fit mc3_18"):
        load_classifier("mc3_18", weights=path, device="cpu")
    with pytest.raises(WeightsError, match=r"2 of another shape \(fc\.weight \(2, 512\) for \(3, 512\)"):
        load_classifier("r3d_18", weights=path, device="cpu", num_classes=3)
    loaded = load_classifier("r3d_18", weights=path, device="cpu", labels=["b", "a"])
    assert loaded.labels == ("b", "a")


def test_labels_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("läuft\nsteht\n", encoding="utf-8")
    classifier = load_classifier("mc3_18", random_weights=True, device="cpu", labels=path)
    assert classifier.labels == ("läuft", "steht")
    with pytest.raises(FileMissingError):
        load_classifier("mc3_18", random_weights=True, device="cpu", labels=tmp_path / "absent.txt")
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(InputError, match="UTF-8"):
        load_classifier("mc3_18", random_weights=True, device="cpu", labels=path)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"weights": "x", "random_weights": True}, "exclude"),
        ({"random_weights": True, "labels": ["a", "a"]}, "occurs twice"),
        ({"random_weights": True, "labels": ["a", ""]}, "empty"),
        ({"random_weights": True, "labels": ["a", "b"], "num_classes": 3}, "2 labels do not name 3"),
        ({"random_weights": True, "frames": 0}, "frames = 0"),
        ({"random_weights": True, "crop_px": 31}, "give at least 32"),
        ({"random_weights": True, "batch_size": 0}, "batch_size = 0"),
        ({"random_weights": True, "normalisation": "none"}, "no normalisation 'none'"),
        ({"random_weights": True, "device": "abacus"}, "device 'abacus' cannot be used"),
        ({"random_weights": True, "device": "meta"}, "computes nothing"),
    ],
)
def test_contradictions_are_refused(options: dict[str, object], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        load_classifier("i3d_rgb", **options)  # type: ignore[arg-type]


def test_i3d_needs_nine_frames() -> None:
    with pytest.raises(InputError, match="at least 9"):
        load_classifier("i3d_rgb", random_weights=True, frames=8)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="r2plus1d_34, ir_csn_152, i3d_rgb, hf:NAME_OR_FOLDER"):
        load_classifier("resnet")


def test_default_weights_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("torchvision.models._api")

    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(hub, "load_state_dict_from_url", no_network)
    with pytest.raises(WeightsError, match="no route to host") as caught:
        load_classifier("r3d_18", weights="default", device="cpu")
    assert "r3d_18-" in caught.value.remedy
    with pytest.raises(WeightsError, match="default weights of i3d_rgb"):
        load_classifier("i3d_rgb", weights="default", device="cpu")


def test_default_weights_load_once_torchvision_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("torchvision.models._api")
    torch.manual_seed(5)
    state = _recipe("mc3_18").build(400).state_dict()
    monkeypatch.setattr(hub, "load_state_dict_from_url", lambda *args, **kwargs: state)
    classifier = load_classifier("mc3_18", weights="default", device="cpu")
    assert isinstance(classifier, NetworkClassifier)
    assert torch.equal(classifier.network.state_dict()["fc.weight"], state["fc.weight"])
    assert classifier.labels == kinetics400_labels()


# --- optional packages --------------------------------------------------------------------------------------


def test_importing_the_package_imports_no_torch() -> None:
    code = (
        "import sys, salientclips.classifiers as c; print([m for m in ('torch', 'av') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_absent_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision.models.video", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'salientclips\[torch\]'"):
        load_classifier("r3d_18", random_weights=True)


@pytest.mark.parametrize(
    "error", ["RuntimeError('operator torchvision::nms does not exist\\nmore')", "OSError()"]
)
def test_a_package_that_is_there_and_does_not_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    (tmp_path / "brokenwheel.py").write_text(f"raise {error}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="brokenwheel could not be loaded") as caught:
        require("brokenwheel", "torch")
    assert "\n" not in str(caught.value)
    assert "more" not in str(caught.value)


def test_auto_finds_a_device_that_computes() -> None:
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


# --- Hugging Face -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_videomae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("videomae")
    torch.manual_seed(0)
    config = transformers.VideoMAEConfig(
        image_size=32,
        patch_size=16,
        num_frames=4,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        id2label={0: "stands", 1: "runs", 2: "falls"},
    )
    transformers.VideoMAEForVideoClassification(config).save_pretrained(folder)
    processor = transformers.VideoMAEImageProcessor(
        size={"shortest_edge": 36},
        crop_size={"height": 32, "width": 32},
        image_mean=[0.4, 0.5, 0.6],
        image_std=[0.2, 0.3, 0.4],
    )
    processor.save_pretrained(folder)
    return folder


def test_a_hugging_face_folder(tiny_videomae: Path) -> None:
    transformers = pytest.importorskip("transformers")
    classifier = load_classifier(f"hf:{tiny_videomae}", device="cpu", frame_step=2)
    spec = classifier.input
    assert (spec.frames, spec.frame_step, spec.resize_px, spec.crop_px) == (4, 2, 36, 32)
    assert spec.mean == pytest.approx((0.4, 0.5, 0.6))
    assert spec.std == pytest.approx((0.2, 0.3, 0.4))
    assert spec.gflops is not None
    assert 0 < spec.gflops < 0.01
    assert classifier.labels == ("stands", "runs", "falls")
    clips = random_clips(classifier, 2)
    model = transformers.AutoModelForVideoClassification.from_pretrained(tiny_videomae).eval()
    with torch.inference_mode():
        expected = torch.softmax(model(pixel_values=clips.transpose(1, 2)).logits, dim=1)
    assert torch.allclose(classifier(clips), expected, atol=1e-6)


def test_a_hugging_face_model_without_its_head_is_refused(tiny_videomae: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.VideoMAEForVideoClassification.from_pretrained(tiny_videomae)
    model.videomae.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_bytes(
        (tiny_videomae / "preprocessor_config.json").read_bytes()
    )
    with pytest.raises(WeightsError, match=r"lack \d+ tensors of its network"):
        load_classifier(f"hf:{tmp_path}", device="cpu")
    drawn = [load_classifier(f"hf:{tmp_path}", device="cpu", random_weights=True) for _ in range(2)]
    clips = random_clips(drawn[0], 1)
    assert torch.equal(drawn[0](clips), drawn[1](clips))


def test_an_empty_folder_and_foreign_options_are_refused(tmp_path: Path, tiny_videomae: Path) -> None:
    with pytest.raises(WeightsError, match="cannot be loaded as a Hugging Face video classifier"):
        load_classifier(f"hf:{tmp_path}", device="cpu")
    with pytest.raises(InputError, match="brings its own weights"):
        load_classifier(f"hf:{tiny_videomae}", weights="w.pth")
    with pytest.raises(InputError, match="takes 4 frames"):
        load_classifier(f"hf:{tiny_videomae}", device="cpu", frames=8)
