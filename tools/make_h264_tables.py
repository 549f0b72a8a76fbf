"""Write ``tables_generated.hpp`` from ``tables.json``, the numbers of ITU-T H.264's entropy coding tables.

Usage: ``python tools/make_h264_tables.py TABLES.json OUT.hpp``. Run only when the numbers change; the header
that it writes is committed, so that building the package needs neither this script nor the JSON file.

The script checks what the C++ code relies on: every code is prefix-free, a coeff_token has at most three
bits after its first one-bit, and the long run_before codes follow their rule.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def zigzag(size: int) -> list[int]:
    """Raster index of each position of the frame zigzag scan (Figure 8-8 of the standard; 8.5.6, 8.5.7)."""
    cells = [(y, x) for y in range(size) for x in range(size)]
    # Odd anti-diagonals run downwards, even ones upwards.
    cells.sort(key=lambda c: (c[0] + c[1], c[0] if (c[0] + c[1]) % 2 else c[1]))
    return [y * size + x for y, x in cells]


def check_prefix_free(codes: list[str]) -> None:
    """Raise where one code begins another, or a code appears twice."""
    for i, a in enumerate(codes):
        for b in codes[i + 1 :]:
            if a.startswith(b) or b.startswith(a):
                raise ValueError(f"codes {a} and {b} collide")


def code_list(name: str, codes: dict[str, Any], value: Any) -> str:
    """One C++ array of {length, bits, value}."""
    check_prefix_free(list(codes))
    rows = [f"{{{len(c)}, {int(c, 2)}, {value(v)}}}" for c, v in codes.items()]
    return f"inline constexpr Code {name}[] = {{\n{wrap(rows)}}};\n"


def wrap(items: list[str], per_line: int = 8) -> str:
    """Items in lines."""
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "".join(f"    {line},\n" for line in lines)


def cavlc(tables: dict[str, Any]) -> list[str]:
    """Tables 9-5 and 9-7 to 9-10."""
    out = []
    names = {"0<=nC<2": "0", "2<=nC<4": "2", "4<=nC<8": "4", "8<=nC": "8", "nC==-1": "ChromaDc"}
    for key, name in names.items():
        codes = tables["coeff_token"][key]
        for code in codes:
            assert name == "8" or len(code.lstrip("0")) <= 4, code
        # Value: total_coeff * 4 + trailing_ones.
        out.append(code_list(f"kCoeffToken{name}", codes, lambda v: v[1] * 4 + v[0]))
    for key, codes in tables["total_zeros_4x4"].items():
        out.append(code_list(f"kTotalZeros{key}", codes, int))
    for key, codes in tables["total_zeros_chroma_dc_420"].items():
        out.append(code_list(f"kTotalZerosChromaDc{key}", codes, int))
    for key, codes in tables["run_before"].items():
        if key == "7+":
            for code, run in codes.items():
                assert run < 7 or code == "0" * (run - 4) + "1", code
            codes = {c: r for c, r in codes.items() if r < 7}
        out.append(code_list(f"kRunBefore{key.rstrip('+')}", codes, int))
    return out


def cabac(tables: dict[str, Any]) -> list[str]:
    """Tables 9-12 to 9-35, 9-44 and 9-45."""
    columns = []
    for column in range(4):
        pairs = [[number or 0 for number in row[column]] for row in tables["cabac_mn"]]  # null: not used
        columns.append(f"    {{\n{wrap([f'{{{m}, {n}}}' for m, n in pairs], 10)}    }},\n")
    lps = [f"{{{', '.join(map(str, row))}}}" for row in tables["cabac_rangeTabLPS"]]
    moves = [f"{{{a}, {b}}}" for a, b in tables["cabac_transIdx_lps_mps"]]
    return [
        f"inline constexpr std::int8_t kContextInit[4][460][2] = {{\n{''.join(columns)}}};\n",
        f"inline constexpr std::uint8_t kRangeLps[64][4] = {{\n{wrap(lps, 5)}}};\n",
        f"// Next state after a least probable and after a most probable symbol.\n"
        f"inline constexpr std::uint8_t kNextState[64][2] = {{\n{wrap(moves, 10)}}};\n",
    ]


def numbers(name: str, values: list[int]) -> str:
    """One flat array of bytes."""
    return (
        f"inline constexpr std::uint8_t {name}[{len(values)}] = {{\n{wrap(list(map(str, values)), 16)}}};\n"
    )


def main(source: str, target: str) -> None:
    """Read the JSON file, write the header."""
    tables = json.loads(Path(source).read_text())
    scan4, scan8 = zigzag(4), zigzag(8)
    parts = cavlc(tables) + cabac(tables)
    parts += [
        numbers("kChromaQp", tables["chroma_qp"]),
        numbers("kZigzag4x4", scan4),
        numbers("kZigzag8x8", scan8),
    ]
    for i, kind in enumerate(("Intra", "Inter")):
        four, eight = tables["default_scaling_4x4"][i], tables["default_scaling_8x8"][i]
        parts.append(numbers(f"kDefaultScaling4x4{kind}", [four[k] for k in scan4]))
        parts.append(numbers(f"kDefaultScaling8x8{kind}", [eight[k] for k in scan8]))
    head = (
        "// Written by tools/make_h264_tables.py; do not edit.\n"
        "// The numbers of ITU-T H.264: coeff_token (Table 9-5), total_zeros (9-7 to 9-9),\n"
        "// run_before (9-10), CABAC context initialisation (9-12 to 9-35), rangeTabLPS and transIdx\n"
        "// (9-44, 9-45), QPC (8-15),\n"
        "// the zigzag scans, and the default scaling lists in zigzag order (7-3, 7-4).\n"
        "#pragma once\n\n#include <cstdint>\n\nnamespace salientclips::h264::tables {\n\n"
        "struct Code {\n    std::uint8_t length;\n    std::uint16_t bits;\n    std::uint8_t value;\n};\n\n"
    )
    Path(target).write_text(head + "\n".join(parts) + "\n}  // namespace salientclips::h264::tables\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
