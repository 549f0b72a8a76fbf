"""SMPTE 12M time code: frames as hh:mm:ss:ff, with drop-frame numbering at 29.97 and 59.94 frames per second.

At 30000/1001 frames per second, counting 30 a second would run 3.6 s an hour late against the clock. So the first two
frame numbers of each minute are left out, except in minutes 0, 10, 20 ...; no frame is dropped, only its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_FORM = re.compile(r"(\d{1,2}):(\d\d):(\d\d)([:;.])(\d{2,3})")
_DAY_HOURS = 24


@dataclass(frozen=True)
class Timecode:
    """One way to count."""

    base: int
    """Frames counted per second of time code: 30 for 29.97."""
    drops: bool
    """Whether numbers are left out so that time code keeps to the clock."""

    @classmethod
    def of_rate(cls, rate: Fraction) -> Timecode:
        """The usual way to count at a frame rate.

        Args:
            rate: Frames per second.

        Returns:
            Drop-frame at multiples of 30000/1001, non-drop at any other.
        """
        base = max(1, round(rate))
        return cls(base, base % 30 == 0 and Fraction(rate) == base * Fraction(1000, 1001))

    @property
    def _dropped(self) -> int:
        """Numbers left out in a minute that leaves some out."""
        return self.base // 15 if self.drops else 0

    def text(self, frame: int) -> str:
        """The time code of a frame.

        Args:
            frame: Frames since 00:00:00:00, 0 or more; wraps after 24 hours.

        Returns:
            ``hh:mm:ss:ff``; before the frames a ``;`` where numbers are dropped.
        """
        per_minute = self.base * 60 - self._dropped
        per_ten = 10 * per_minute + self._dropped
        frame %= per_ten * 6 * _DAY_HOURS
        tens, rest = divmod(frame, per_ten)
        # Of ten minutes, the first has all its numbers; each later one begins with the numbers left out.
        skipped = 9 * tens + max(0, (rest - self._dropped) // per_minute)
        number = frame + self._dropped * skipped
        seconds, part = divmod(number, self.base)
        width = max(2, len(str(self.base - 1)))
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{clock}{';' if self.drops else ':'}{part:0{width}}"

    def frame(self, text: str) -> int:
        """The frame of a time code.

        Args:
            text: ``hh:mm:ss:ff`` or ``hh:mm:ss;ff``; a separator ``:`` at a dropping rate counts without dropping.

        Returns:
            Frames since 00:00:00:00; 0 for a text that is no time code.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            return 0
        hours, minutes, seconds, part = (int(found[i]) for i in (1, 2, 3, 5))
        number = ((hours * 60 + minutes) * 60 + seconds) * self.base + part
        if not self.drops or found[4] == ":":
            return number
        total_minutes = hours * 60 + minutes
        return number - self._dropped * (total_minutes - total_minutes // 10)
