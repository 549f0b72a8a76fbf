"""What a learned sampler's networks cost on a video, from its card (poster, run times; here as multiply-adds).

The card counts one frame at 14 x 14 cells, as papers do; a wide picture has more cells, which is not counted here.
"""

from __future__ import annotations

from ..samplers import Sampler
from ..samplers.card import SamplerCard
from ..types import PacketTable


def card_of(sampler: Sampler) -> SamplerCard | None:
    """The card of a learned sampler.

    Args:
        sampler: Any sampler.

    Returns:
        Its card; None for one that was not trained.
    """
    card = getattr(sampler, "card", None)
    return card if isinstance(card, SamplerCard) else None


def gflops_of(sampler: Sampler, table: PacketTable, num_clips: int) -> float:
    """The cost of a sampler's networks on a video, from its card or from what it says of itself.

    Args:
        sampler: Any sampler.
        table: The video's packets.
        num_clips: Clips of the video.

    Returns:
        10^9 multiply-adds; 0 for a sampler that has neither a card nor ``gflops_per_clip``.
    """
    own = getattr(sampler, "gflops_per_clip", 0.0)
    return sampler_gflops(card_of(sampler), table, num_clips) + float(own) * num_clips


def sampler_gflops(card: SamplerCard | None, table: PacketTable, num_clips: int) -> float:
    """The cost of judging all clips of a video.

    Args:
        card: Of the sampler; None for one without networks.
        table: The video's packets.
        num_clips: Clips of the video.

    Returns:
        10^9 multiply-adds: each P-frame that is read (at most ``frames_per_clip`` a clip), each I-frame for the
        stream ``if``, one window a clip for ``audio``, one row of statistics a clip for ``stats``.
    """
    if card is None:
        return 0.0
    shown = table.frame_type[table.is_shown]
    inter = int((shown == ord("P")).sum()) or len(shown)
    frames = inter if card.frames_per_clip == 0 else min(inter, card.frames_per_clip * num_clips)
    count = {
        "md": frames,
        "rgbr": frames,
        "stats": num_clips,
        "if": int((table.is_shown & table.is_key).sum()),
        "audio": num_clips,
    }
    return sum(stream.mmacs * count[stream.stream] for stream in card.networks) / 1000
