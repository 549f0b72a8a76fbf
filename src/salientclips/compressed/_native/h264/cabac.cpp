// Context initialisation and residual blocks of CABAC; see the header.
#include "cabac.hpp"

#include <algorithm>

#include "tables_generated.hpp"

namespace salientclips::h264 {
namespace {

constexpr StateTables make_states() {
    StateTables t{};
    for (unsigned state = 0; state < 64; ++state) {
        for (unsigned mps = 0; mps < 2; ++mps) {
            const unsigned s = state * 2 + mps;
            for (unsigned q = 0; q < 4; ++q) {
                const unsigned lps = tables::kRangeLps[state][q];
                t.range_lps[q * 128 + s] = static_cast<std::uint8_t>(lps);
                t.shift_lps[q * 128 + s] = static_cast<std::uint8_t>(9 - std::bit_width(lps));
            }
            t.next[128 + s] = static_cast<std::uint8_t>(tables::kNextState[state][1] * 2 + mps);
            const unsigned turned = state == 0 ? mps ^ 1 : mps;
            t.next[s] = static_cast<std::uint8_t>(tables::kNextState[state][0] * 2 + turned);
        }
    }
    return t;
}

// ctxIdxBlockCatOffset, Table 9-40, on top of the ctxIdxOffset of frame macroblocks, Table 9-34.
constexpr int kSignificant[6] = {105 + 0, 105 + 15, 105 + 29, 105 + 44, 105 + 47, 402};
constexpr int kLast[6] = {166 + 0, 166 + 15, 166 + 29, 166 + 44, 166 + 47, 417};
constexpr int kMagnitude[6] = {227 + 0, 227 + 10, 227 + 20, 227 + 30, 227 + 39, 426};

// ctxIdxInc of 8x8 blocks in frame macroblocks, Table 9-43.
constexpr std::uint8_t kSignificant8x8[63] = {
    0,  1,  2,  3,  4,  5,  5,  4,  4,  3,  3,  4,  4,  4,  5,  5,  4,  4,  4,  4,  3,
    3,  6,  7,  7,  7,  8,  9,  10, 9,  8,  7,  7,  6,  11, 12, 13, 11, 6,  7,  8,  9,
    14, 10, 9,  8,  6,  11, 12, 13, 11, 6,  9,  14, 10, 9,  11, 12, 13, 11, 14, 10, 12};
constexpr std::uint8_t kLast8x8[63] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2,
                                       2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4,
                                       4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8};

// The significance map, 7.3.5.3.3: positions of the non-zero levels, rising. Returns their number.
template <class Increment>
int read_map(CabacEngine& engine, std::uint8_t* significant, std::uint8_t* last, int max_levels,
             const Increment& increment, std::uint8_t* positions) {
    int count = 0;
    for (int i = 0; i < max_levels - 1; ++i) {
        const auto [s, l] = increment(i);
        if (engine.decision(significant[s]) == 0) continue;
        positions[count++] = static_cast<std::uint8_t>(i);
        if (engine.decision(last[l]) != 0) return count;
    }
    positions[count++] = static_cast<std::uint8_t>(max_levels - 1);
    return count;
}

struct Pair {
    int s;
    int l;
};

// The suffix of coeff_abs_level_minus1: Exp-Golomb of order 0 (9.3.2.3). Longer ones than any level has are cut.
int read_suffix(CabacEngine& engine) {
    int k = 0;
    int value = 0;
    while (k < 24 && engine.bypass() != 0) value += 1 << k++;
    while (k-- > 0) value += engine.bypass() << k;
    return value;
}

}  // namespace

constinit const StateTables kStates = make_states();

void init_contexts(Contexts& contexts, int column, int qp) {
    const int clipped = std::clamp(qp, 0, 51);
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        const auto& mn = tables::kContextInit[column][i];
        const int pre = std::clamp(((mn[0] * clipped) >> 4) + mn[1], 1, 126);
        contexts[i] = static_cast<std::uint8_t>(pre <= 63 ? (63 - pre) * 2 : (pre - 64) * 2 + 1);
    }
}

Levels read_cabac_block(CabacEngine& shared, Contexts& contexts, BlockKind kind, int max_levels, const float* weights,
                        int chroma_8x8) {
    CabacEngine engine = shared;  // a local copy stays in registers
    std::uint8_t* significant = contexts.data() + kSignificant[kind];
    std::uint8_t* last = contexts.data() + kLast[kind];
    std::uint8_t* magnitude = contexts.data() + kMagnitude[kind];
    std::uint8_t positions[64];
    int count;
    if (kind == kLuma8x8) {
        count = read_map(engine, significant, last, 64,
                         [](int i) { return Pair{kSignificant8x8[i], kLast8x8[i]}; }, positions);
    } else if (kind == kChromaDc) {
        count = read_map(engine, significant, last, max_levels,
                         [chroma_8x8](int i) {
                             const int n = std::min(i / chroma_8x8, 2);
                             return Pair{n, n};
                         },
                         positions);
    } else {
        count = read_map(engine, significant, last, max_levels, [](int i) { return Pair{i, i}; }, positions);
    }
    Levels out;
    out.total = count;
    int ones = 0;
    int larger = 0;
    const int most = kind == kChromaDc ? 3 : 4;
    for (int i = count - 1; i >= 0; --i) {
        int level = 1;
        if (engine.decision(magnitude[larger != 0 ? 0 : std::min(4, 1 + ones)]) == 0) {
            ++ones;
        } else {
            std::uint8_t& state = magnitude[5 + std::min(most, larger)];
            level = 2;
            while (level < 15 && engine.decision(state) != 0) ++level;
            if (level == 15) level += read_suffix(engine);
            ++larger;
        }
        if (engine.bypass() != 0) level = -level;
        if (weights != nullptr) {
            const auto value = static_cast<float>(level);
            out.energy += value * value * weights[positions[i]];
        }
        if (positions[i] == 0) out.first = level;
    }
    shared = engine;
    return out;
}

}  // namespace salientclips::h264
