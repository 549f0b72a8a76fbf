"""f on the command line: the options that name a classifier, and the classifier that they name."""

from __future__ import annotations

import argparse
from pathlib import Path

from salientclips.classifiers import load_classifier
from salientclips.classifiers.network import NetworkClassifier


def add_options(parser: argparse.ArgumentParser) -> None:
    """All but ``--weights``, for which a command may have something else.

    Args:
        parser: Gets them.
    """
    parser.add_argument("--classifier", default="i3d_rgb")
    parser.add_argument(
        "--labels", type=Path, help="its classes, one a line, where the weights do not name them"
    )
    parser.add_argument("--clip-frames", type=int, default=16)
    parser.add_argument("--frame-step", type=int, default=1)
    parser.add_argument("--crop-px", type=int, help="by default the network's usual side")


def asked_classifier(asked: argparse.Namespace) -> NetworkClassifier:
    """F on the CPU, in one thread.

    Args:
        asked: The command line, with ``weights``.

    Returns:
        It.

    Raises:
        SalientClipsError: As :func:`salientclips.load_classifier`.
    """
    found = load_classifier(
        asked.classifier,
        weights=asked.weights,
        labels=asked.labels,
        frames=asked.clip_frames,
        frame_step=asked.frame_step,
        crop_px=asked.crop_px,
        device="cpu",
        threads=1,
    )
    assert isinstance(found, NetworkClassifier)
    return found
