"""Robustness runs: hostile files, many files, long files, full disks, two writers; see ``docs/reliability.md``.

Each module is one run; it prints a line that begins with ``OK`` or ``BROKEN`` and leaves with 1 where a promise did
not hold. ``tests/test_robustness.py`` is the same in small.
"""
