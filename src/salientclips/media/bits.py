"""A bounds-checked reader of a few header bits; for the quick look at frame types, nothing more.

The native bitstream reader (compressed/_native) has its own; this one serves headers of some dozen bytes.
"""

from __future__ import annotations


class OutOfBitsError(Exception):
    """The header ends before the field does. Never leaves this room."""


class Bits:
    """Reads big-endian bit fields from the start of some bytes.

    Args:
        data: The bytes; give only as many as a header can need, all are turned into one integer.
    """

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def u(self, count: int) -> int:
        """Read an unsigned field.

        Args:
            count: Its width in bits.

        Returns:
            The value.

        Raises:
            OutOfBitsError: Fewer bits are left.
        """
        self._left -= count
        if self._left < 0:
            raise OutOfBitsError
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """Read an Exp-Golomb code (H.264, clause 9.1; HEVC, 9.2), of at most 32 leading zeros.

        Returns:
            The value.

        Raises:
            OutOfBitsError: The bits end, or no 32-bit code begins here.
        """
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > 32:
            raise OutOfBitsError
        return self.u(2 * zeros + 1) - 1
