"""Makes tests/golden/mel_librosa.json, once, with librosa (`pip install librosa`; no test imports it).

python tests/make_mel_golden.py tests/golden/mel_librosa.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

RATE_HZ = 16000


def signal() -> np.ndarray:
    """Three seconds: a rising tone, a click, and noise that swells; float32 in [-1, 1]."""
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(3).uniform(-1, 1, len(t))
    found = 0.4 * np.sin(2 * np.pi * (100 * t + 900 * t**2)) + 0.01 * t * noise
    found[20000] += 0.5
    return found.astype(np.float32)


def main(target: Path) -> None:
    import librosa

    # The window of a clip from 1 to 2 s is 0.5 to 2.5 s; 200 steps of 160 samples, frames in their middles.
    begin = RATE_HZ // 2 + 80 - 256
    some = signal()[begin : begin + 199 * 160 + 512]
    power = librosa.feature.melspectrogram(
        y=some, sr=RATE_HZ, n_fft=512, hop_length=160, n_mels=40, center=False, window="hann", power=2.0
    )
    assert power.shape == (40, 200)
    filters = librosa.filters.mel(sr=RATE_HZ, n_fft=512, n_mels=40)
    steps = list(range(0, 200, 20))
    golden = {
        "librosa": librosa.__version__,
        "steps": steps,
        "power": [[float(f"{v:.7g}") for v in power[:, step]] for step in steps],
        "filter_sums": [float(f"{v:.7g}") for v in filters.sum(axis=1)],
        "filter_peaks": [float(f"{v:.7g}") for v in filters.max(axis=1)],
        "filter_peak_bins": [int(v) for v in filters.argmax(axis=1)],
    }
    target.write_text(json.dumps(golden, indent=None) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
