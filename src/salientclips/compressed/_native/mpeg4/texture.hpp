// The 8x8 blocks of coefficients: ISO/IEC 14496-2, 7.4.1 (codes and escapes) and 7.4.4 (quantisers).
//
// Of an inter block two numbers are kept: its DC coefficient and the sum of the squares of all its
// coefficients. The transform is orthonormal, so DC / 8 is the mean of the block's residual and, by
// Parseval, sum / 64 the mean of its square.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "bit_reader.hpp"
#include "headers.hpp"
#include "lookup.hpp"

namespace salientclips::mpeg4 {

struct BlockSums {
    std::int32_t dc = 0;
    std::int64_t energy = 0;
};

struct RunLevel {
    unsigned run;
    int level;
    bool last;
};

// Reads one coefficient with its sign; false where the bits are no code word.
inline bool read_coefficient(BitReader& bits, const CoefficientTable& table, RunLevel& out) {
    const std::uint32_t window = bits.peek(32);  // the longest escape has 30 bits
    Coefficient word = table.words[window >> 20];
    if (word.length == 0) {
        return false;
    }
    if (word.level != 0) {
        const bool negative = window >> (31 - word.length) & 1;
        out = {word.run, negative ? -int{word.level} : int{word.level}, word.last != 0};
        bits.skip(word.length + 1U);
        return true;
    }
    const std::uint32_t mode = window >> 23 & 3;  // the two bits after the escape word
    if (mode == 3) {  // fixed length: last, run, marker, level in 12 bits, marker
        const bool markers = (window >> 15 & 1) && (window >> 2 & 1);
        const auto level = static_cast<std::int32_t>(window << 17) >> 20;
        out = {window >> 16 & 63, level, (window >> 22 & 1) != 0};
        bits.skip(30);
        return markers;
    }
    const unsigned prefix = kEscape.length + (mode == 2 ? 2U : 1U);
    word = table.words[window << prefix >> 20];
    if (word.length == 0 || word.level == 0) {
        return false;
    }
    const bool negative = window >> (31 - prefix - word.length) & 1;
    unsigned run = word.run;
    int level = word.level;
    if (mode == 2) {
        run += table.max_run[word.last][word.level] + 1U;
    } else {
        level += table.max_level[word.last][word.run];
    }
    out = {run, negative ? -level : level, word.last != 0};
    bits.skip(prefix + word.length + 1U);
    return true;
}

// Reads the coefficients of a block from the place `first` on, and gives sink(place, level) each of them.
template <class Sink>
bool read_block(BitReader& bits, const CoefficientTable& table, unsigned first, Sink&& sink) {
    for (unsigned place = first;; ++place) {
        RunLevel coefficient;
        if (!read_coefficient(bits, table, coefficient)) {
            return false;
        }
        place += coefficient.run;
        if (place > 63) {
            return false;
        }
        sink(place, coefficient.level);
        if (coefficient.last) {
            return true;
        }
    }
}

inline int saturate_coefficient(int value) { return std::clamp(value, -2048, 2047); }

// First quantiser (7.4.4.2, H.263's): the coefficients do not depend on their place.
inline bool read_inter_block_h263(BitReader& bits, int quantiser, BlockSums& sums) {
    const int step = 2 * quantiser;
    const int offset = quantiser - (quantiser % 2 == 0 ? 1 : 0);
    return read_block(bits, kInterTable, 0, [&](unsigned place, int level) {
        const int magnitude = level == 0 ? 0 : step * std::abs(level) + offset;
        const int value = saturate_coefficient(level < 0 ? -magnitude : magnitude);
        sums.energy += std::int64_t{value} * value;
        if (place == 0) {
            sums.dc = value;
        }
    });
}

// Second quantiser (7.4.4.1, MPEG's): weighted by place, and the last coefficient keeps the sum odd.
inline bool read_inter_block_mpeg(BitReader& bits, int quantiser, const Vol& vol, BlockSums& sums) {
    int parity = 0;
    int last = 0;
    const bool whole = read_block(bits, kInterTable, 0, [&](unsigned place, int level) {
        const int weight = vol.inter_matrix[kZigzag[place]] * quantiser;
        const int magnitude = level == 0 ? 0 : (2 * std::abs(level) + 1) * weight / 16;
        const int value = saturate_coefficient(level < 0 ? -magnitude : magnitude);
        sums.energy += std::int64_t{value} * value;
        parity ^= value & 1;
        if (place == 0) {
            sums.dc = value;
        }
        if (place == 63) {
            last = value;
        }
    });
    if (parity == 0) {
        const int changed = last % 2 == 0 ? last + 1 : last - 1;
        sums.energy += std::int64_t{changed} * changed - std::int64_t{last} * last;
    }
    return whole;
}

// An intra block, for its length alone; `is_coded` is its bit of the coded block pattern.
inline bool skip_intra_block(BitReader& bits, bool is_luma, bool separate_dc, bool is_coded) {
    if (separate_dc) {
        const int size = read_symbol<12>(bits, is_luma ? kDcLumaTable : kDcChromaTable);
        if (size < 0) {
            return false;
        }
        bits.skip(static_cast<unsigned>(size) + (size > 8 ? 1U : 0U));
    }
    return !is_coded || read_block(bits, kIntraTable, separate_dc ? 1 : 0, [](unsigned, int) {});
}

}  // namespace salientclips::mpeg4
