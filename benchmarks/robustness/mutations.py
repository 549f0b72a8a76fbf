"""Five ways to damage a video, each a function of a seed of random numbers: the same number, the same bytes.

``flip``
    1 to 300 bits anywhere, or within the first KiB, where headers are.
``cut``
    The end, the beginning or a piece of the midst is missing, or a piece stands there twice.
``swap``
    Packets change places: in their container, so that it is whole and what it carries is not; one in three of them
    goes to another stream. Of raw streams the packets' bytes change places.
``splice``
    The first bytes of another seed, then the rest of this one.
``extradata``
    The codec's parameters in the container are those of another seed, flipped, moved by a byte or zeroed, at the same
    length, so that the container stays whole. Where the container has none (raw, MPEG-TS, most AVI, VP9), the same
    is done to the first bytes of the first packet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import av

from .seeds import BITEXACT


def mutate(way: str, seed: Path, others: Sequence[Path], target: Path, number: int) -> None:
    """Make a damaged copy.

    Args:
        way: A key of :data:`WAYS`.
        seed: A whole file.
        others: Further whole files, of which one may be drawn.
        target: Where the copy goes.
        number: Of the random numbers.
    """
    draw = random.Random(f"{way} {seed.name} {number}")
    WAYS[way](seed, others, target, draw)
    while target.read_bytes() == seed.read_bytes():  # two flips of one bit, two equal packets
        WAYS[way](seed, others, target, draw)


def _flip(seed: Path, others: Sequence[Path], target: Path, draw: random.Random) -> None:
    content = bytearray(seed.read_bytes())
    stop = min(1024, len(content)) if draw.random() < 0.3 else len(content)
    _flip_bits(content, draw.choice((1, 3, 10, 30, 100, 300)), stop, draw)
    target.write_bytes(content)


def _flip_bits(content: bytearray, bits: int, stop: int, draw: random.Random) -> None:
    for _ in range(bits):
        content[draw.randrange(stop)] ^= 1 << draw.randrange(8)


def _cut(seed: Path, others: Sequence[Path], target: Path, draw: random.Random) -> None:
    content = seed.read_bytes()
    first, second = sorted(draw.randrange(1, len(content)) for _ in range(2))
    kept = {
        "end": content[:first],
        "beginning": content[second:],
        "midst": content[:first] + content[second:],
        "doubled": content[:second] + content[first:],
    }
    target.write_bytes(kept[draw.choice(list(kept))])


def _swap(seed: Path, others: Sequence[Path], target: Path, draw: random.Random) -> None:
    with av.open(str(seed)) as read:
        packets = [packet for packet in read.demux() if packet.size]
        order = list(range(len(packets)))
        streams = [packet.stream.index for packet in packets]
        for _ in range(draw.choice((1, 2, 5, 20, 100))):
            one, other = draw.sample(range(len(order)), 2)
            if streams[one] == streams[other] or draw.random() < 1 / 3:
                order[one], order[other] = order[other], order[one]
        if seed.suffix == ".264":
            target.write_bytes(b"".join(bytes(packets[i]) for i in order))
            return
        contents = [bytes(packets[i]) for i in order]
        _remux(read, packets, contents, target)


def _splice(seed: Path, others: Sequence[Path], target: Path, draw: random.Random) -> None:
    foreign, own = draw.choice(others).read_bytes(), seed.read_bytes()
    length = min(draw.choice((12, 64, 300, 1000, 5000, 30000)), len(foreign))
    skipped = draw.choice((0, length))  # put before, or put over
    target.write_bytes(foreign[:length] + own[skipped:])


def _extradata(seed: Path, others: Sequence[Path], target: Path, draw: random.Random) -> None:
    content = seed.read_bytes()
    own, first, place = _parameters(seed)
    at = content.find(own) if own else -1
    if at < 0:
        at, own = place, content[place : place + draw.choice((20, 60, 200, 1000))]
        foreign = _parameters(draw.choice(others))[1]
    else:
        foreign = _parameters(draw.choice(others))[0] or first
    target.write_bytes(content[:at] + _wrong(own, foreign, draw) + content[at + len(own) :])


def _parameters(seed: Path) -> tuple[bytes, bytes, int]:
    """The codec's parameters in the container, the first packet, and where that lies in the file."""
    with av.open(str(seed)) as read:
        packet = next(packet for packet in read.demux(video=0) if packet.size)
        return read.streams.video[0].codec_context.extradata or b"", bytes(packet), packet.pos or 0


def _wrong(own: bytes, foreign: bytes, draw: random.Random) -> bytes:
    """Other bytes of the same length, so that the container stays whole."""
    way = draw.choice(("another's", "another's", "flipped", "flipped", "moved", "gone", "half gone"))
    if way == "flipped":
        content = bytearray(own)
        _flip_bits(content, draw.choice((1, 3, 10)), len(content), draw)
        return bytes(content)
    if way == "moved":
        return own[1:] + own[:1]
    kept = {"another's": foreign[: len(own)], "gone": b"", "half gone": own[: len(own) // 2]}[way]
    return kept + (own[len(kept) :] if way == "another's" else bytes(len(own) - len(kept)))


def _remux(
    read: av.container.InputContainer,
    packets: Sequence[av.Packet[av.stream.Stream]],
    contents: Sequence[bytes],
    target: Path,
) -> None:
    """The packets with other contents, in the same container; a packet that the muxer refuses is left out."""
    # What the muxer cannot end is a file without its end.
    with suppress(av.FFmpegError), av.open(str(target), "w", options=BITEXACT) as write:
        streams = (*read.streams.video, *read.streams.audio)
        copies = {stream.index: write.add_stream_from_template(stream, opaque=True) for stream in streams}
        last: dict[int, int] = {}
        for packet, content in zip(packets, contents, strict=True):
            index = packet.stream.index
            if index not in copies:
                continue
            fresh = av.Packet(content)
            fresh.time_base, fresh.duration = packet.time_base, packet.duration
            fresh.is_keyframe, fresh.pts = packet.is_keyframe, packet.pts
            # Matroska has no decoding times for the first of B-frames; muxers want them, and rising.
            known = packet.dts if packet.dts is not None else last.get(index, (packet.pts or 0) - 1) + 1
            fresh.dts = last[index] = known
            if fresh.pts is not None and fresh.pts < known:
                fresh.pts = known
            fresh.stream = copies[index]
            try:
                write.mux(fresh)
            except (av.FFmpegError, ValueError):
                continue


WAYS: dict[str, Callable[[Path, Sequence[Path], Path, random.Random], None]] = {
    "flip": _flip,
    "cut": _cut,
    "swap": _swap,
    "splice": _splice,
    "extradata": _extradata,
}
"""Ways to damage a file, by name."""
