"""The verb ``fit``: from videos and a classifier to a sampler for just these (paper, section 3.3).

The classifier looks at every clip once, features are read once, both are kept; then the networks are trained, tried
on videos that they have not seen, and saved with a card. With labels the paper's targets are used; without, the
classifier's own verdict over a whole video takes their place. Where somebody marked the salient spans, they can teach
without any classifier. A run that is stopped goes on where it was when it is
started again, and ends at the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from ..cache.store import default_folder
from ..classifiers import ClipClassifier
from ..datasets.folder import read_entries
from ..datasets.manifest import Entry, LeftOut, split_entries
from ..errors import InputError
from ..networks.extras import require
from ..samplers.card import SamplerCard
from ..timeline import ClipSpec
from ..training.options import TrainingOptions
from ..training.plan import SamplerPlan

if TYPE_CHECKING:
    from ..cache.types import VideoFeatures
    from ..samplers.front import Front
    from ..samplers.learned import LearnedSampler
    from ..training.assemble import Assembler, Material
    from ..training.prepare import Preparation
    from ..training.videos import InputKeeper

Progress = Callable[[str, float], None]
"""Called with what is being done ("features", "labels", "training md" ...) and its share done, 0 to 1."""

_CARD_FILE = "config.json"


@dataclass(frozen=True)
class Fitted:
    """What ``fit`` made."""

    sampler: LearnedSampler
    """The sampler, with its card; ready to score."""
    folder: Path | None
    """Where it was written."""
    videos: dict[str, int]
    """Videos used by split."""
    left_out: tuple[LeftOut, ...]
    """Videos that could not be used, and why."""
    history: dict[str, tuple[dict[str, float], ...]]
    """Of each network (or of those trained together, joined by ``+``), what each epoch gave; of a last layer behind a
    front, what each penalty gave."""
    seconds: dict[str, float] = field(default_factory=dict)
    """What it took: ``demux``, ``features``, ``decode`` and ``classifier`` when they were done, by whichever run, and
    ``training`` of this one."""
    warnings: tuple[str, ...] = ()
    """What went wrong without stopping the work, one line each."""

    @property
    def card(self) -> SamplerCard:
        """The sampler's card."""
        return self.sampler.card


def fit(
    videos: str | Path | Sequence[Entry | str | Path],
    classifier: ClipClassifier | None,
    *,
    plan: SamplerPlan | None = None,
    options: TrainingOptions | None = None,
    output: str | Path | None = None,
    use_labels: bool = True,
    clip: ClipSpec | None = None,
    k: int = 10,
    validation_share: float = 0.2,
    cache: str | Path | None = None,
    name: str = "",
    licence: str = "",
    source: str = "",
    device: str = "auto",
    threads: int = 1,
    progress: Progress | None = None,
) -> Fitted:
    """Make a sampler for a classifier and the kind of videos that are given.

    Args:
        videos: A folder (one sub-folder a class, or videos without labels), a CSV manifest (see
            :mod:`salientclips.datasets.manifest`), or the videos themselves.
        classifier: f, whose judgement is learned; see :func:`salientclips.load_classifier`. None to learn the spans
            that the entries name: videos without any are dull throughout.
        plan: Streams, networks, objective and combination.
        options: How to train.
        output: Folder for the sampler; None to write nothing.
        use_labels: Whether labels count. A video without one is always judged by f's own verdict over all clips.
        clip: How long a clip is; by default as long as the classifier's, or 16 frames without one.
        k: Clips that the sampler will be asked for, K of the paper: validation compares samplers at it.
        validation_share: Share of the videos (without a split of their own) held back to decide when to stop.
        cache: Where features and labels are kept; None for ``~/.cache/salientclips/videos``.
        name: The sampler's name; None for that of the output folder.
        licence: Licence of the weights, for the card.
        source: What the videos are called in the card; by default as the folder or manifest is.
        device: Where the networks are trained: ``"auto"``, ``"cpu"``, ``"cuda"``.
        threads: Decoder threads; the result does not depend on it.
        progress: Called as the work goes on.

    Returns:
        The sampler and an account of the work. The same arguments give the same bits on one machine's CPU.

    Raises:
        FileMissingError: There is no such folder or manifest.
        InputError: No video can be used, or arguments contradict one another.
        UnknownNameError: There is no stream, architecture, objective or combination of a name.
        WeightsError: The plan's front cannot be read.
        MissingExtraError: torch, torchvision or safetensors does not load.

    Example:
        >>> from salientclips import SamplerPlan, TrainingOptions, fit, score
        >>> plan, options = SamplerPlan(streams=("md",)), TrainingOptions(epochs=1)
        >>> fitted = fit("marked.csv", None, plan=plan, options=options, output="mine", cache="cache")
        >>> fitted.videos, fitted.card.streams[0].objective
        ({'train': 2, 'validation': 1}, 'sal-rank')
        >>> score("climb.mp4", "./mine").sampler
        'mine'
    """
    require("torch", "torch")
    from ..samplers.front import read_front
    from ..training.assemble import Assembler
    from ..training.prepare import Preparation
    from ..training.world import join_world

    if k < 1:
        raise InputError(f"k = {k} clips cannot be selected", "give k of at least 1")
    wanted, how = plan or SamplerPlan(), options or TrainingOptions()
    front = None if wanted.front_weights is None else read_front(wanted.front_weights)
    target = None if output is None else _writable(Path(output))
    entries = _entries(videos)
    folder = default_folder() if cache is None else Path(cache).expanduser()
    spec = clip or (ClipSpec() if classifier is None else classifier.input.clip_spec)
    if classifier is None and not any(entry.spans for entry in entries):
        raise InputError(
            "no video has a salient span to learn from",
            "give a manifest with a column 'spans', or a classifier",
        )
    with join_world(device) as world:
        preparation = Preparation(
            classifier=classifier,
            clips=spec,
            parameters=wanted.feature_parameters,
            folder=folder,
            world=world,
            threads=threads,
            progress=progress if world.is_first else None,
        )
        keeper = _keeper(preparation, wanted, front)
        material = _material(preparation, entries, keeper, use_labels, k, validation_share, how.seed)
        about = SamplerCard(
            name=name or (target.name if target is not None else "fitted"),
            streams=(),
            clip=spec,
            frames_per_clip=wanted.frames_per_clip,
            classifier="spans" if classifier is None else classifier.name,
            data=_describe(source or _name(videos), material, front, judged=classifier is not None),
            licence=licence,
            options={"k": material.k, "validation_share": validation_share},
            versions=_versions(),
        )
        assembler = Assembler(
            plan=wanted,
            options=how,
            world=world,
            folder=folder / "training",
            front=front,
            progress=preparation.progress,
            warn=preparation.warnings.append,
        )
        return _train(preparation, material, about, assembler, target)


def _train(
    preparation: Preparation,
    material: Material,
    about: SamplerCard,
    assembler: Assembler,
    target: Path | None,
) -> Fitted:
    began = perf_counter()
    sampler = assembler.assemble(material, about)
    seconds = {**preparation.seconds, "training": perf_counter() - began}
    if target is not None and preparation.world.is_first:
        sampler.save_pretrained(target)
    preparation.world.wait()
    return Fitted(
        sampler=sampler,
        folder=target,
        videos={"train": len(material.training), "validation": len(material.validation)},
        left_out=tuple(preparation.left_out.values()),
        history=assembler.history,
        seconds=seconds,
        warnings=tuple(dict.fromkeys((*_odd(preparation), *preparation.warnings))),
    )


def _entries(videos: str | Path | Sequence[Entry | str | Path]) -> tuple[Entry, ...]:
    if isinstance(videos, str | Path):
        return read_entries(Path(videos).expanduser())
    entries = tuple(v if isinstance(v, Entry) else Entry(Path(v)) for v in videos)
    if not entries:
        raise InputError("no video was given", "give a folder, a manifest, or a list of videos")
    twice = [entry.path for i, entry in enumerate(entries) if entry.path in {e.path for e in entries[:i]}]
    if twice:
        raise InputError(f"'{twice[0]}' was given twice", "give each video once")
    return entries


def _keeper(preparation: Preparation, plan: SamplerPlan, front: Front | None) -> InputKeeper:
    """What makes the networks' inputs; a front looks at I-frames before."""
    from ..cache.stills import Shown, load_or_show
    from ..training.videos import InputKeeper

    def look(name: str, features: VideoFeatures) -> Shown:
        assert front is not None
        return load_or_show(
            features,
            front,
            plan.input_cells,
            name=name,
            folder=preparation.folder,
            device=preparation.world.device,
            warn=preparation.warnings.append,
        )

    inputs = preparation.folder / "inputs"
    return InputKeeper(plan.networks, plan.input_cells, inputs, look=None if front is None else look)


def _material(
    preparation: Preparation,
    entries: Sequence[Entry],
    keeper: InputKeeper,
    use_labels: bool,
    k: int,
    validation_share: float,
    seed: int,
) -> Material:
    """Read and label everything that is not held back for testing."""
    from ..training.assemble import Material
    from ..training.validate import k_for

    held_back = {entry.path for entry in split_entries(entries)["test"]}
    wanted = [entry for entry in entries if entry.path not in held_back]
    ready = preparation.prepare(wanted, keeper, use_labels=use_labels)
    # Dealt only now: a file that cannot be read must not have been the only one for validation.
    usable = [entry for entry in wanted if entry.path in ready]
    splits = split_entries(usable, validation_share=validation_share, seed=seed)
    training = tuple(ready[entry.path] for entry in splits["train"])
    validation = tuple(ready[entry.path] for entry in splits["validation"])
    if not training:
        some = "; ".join(out.reason for out in list(preparation.left_out.values())[:3])
        raise InputError(
            f"none of the {len(wanted)} videos can be used for training" + (f" ({some})" if some else ""),
            "give videos that can be read" if some else "leave some videos to training",
        )
    if not validation:
        preparation.warnings.append(
            "no validation videos: training runs to its last epoch, and is not judged"
        )
    counts = [len(video.targets.surety) for video in validation]
    return Material(
        training=training,
        validation=validation,
        k=k_for(counts, k),
        clips=preparation.clips,
        features=preparation.features,
    )


def _name(videos: str | Path | Sequence[Entry | str | Path]) -> str:
    """The folder's or manifest's name, but not where it lies, which is nobody's business."""
    return Path(videos).resolve().name if isinstance(videos, str | Path) else ""


def _describe(name: str, material: Material, front: Front | None, *, judged: bool) -> str:
    """What it was trained on, in a line."""
    source = f" of '{name}'" if name else ""
    before = "" if front is None else "; before that, ImageNet taught what looks at I-frames"
    labelled = sum(video.targets.is_labelled for video in material.training)
    count = len(material.training)
    if not judged:
        return f"{count} videos{source}, with salient spans marked{before}"
    how = f"{labelled} of them labelled, the others judged by the classifier's own verdict"
    if labelled in (0, count):
        how = "labelled" if labelled else "judged by the classifier's own verdict"
    return f"{count} videos{source}, {how}{before}"


def _odd(preparation: Preparation) -> tuple[str, ...]:
    """One line for all videos that were read with a warning: a thousand lines are read by nobody."""
    odd = preparation.odd
    if not odd:
        return ()
    path, first = odd[0]
    more = "" if len(odd) == 1 else f", and {len(odd) - 1} other videos were read with warnings"
    return (f"'{path}': {first}{more}",)


def _versions() -> dict[str, str]:
    import torch

    from .. import __version__

    return {"salientclips": __version__, "torch": str(torch.__version__)}


def _writable(folder: Path) -> Path:
    """The output folder, checked before hours of work: new, empty, or that of a sampler to be replaced."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file", "give a folder for the sampler")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _CARD_FILE).is_file():
        raise InputError(
            f"'{folder}' holds other things than a sampler", "give a new folder, or that of a sampler"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be made ({error.strerror})", "give a folder you may write to"
        ) from error
    return folder
