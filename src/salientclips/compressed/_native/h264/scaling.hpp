// From a coefficient level to what it adds to a macroblock's mean and energy, without an inverse transform.
//
// ITU-T H.264 clauses 8.5.9 to 8.5.13: a level c at scan position k is scaled to d = c * LevelScale(qp % 6, k) *
// 2^(qp / 6) / 16 (4x4) or / 64 (8x8), and the inverse transform divides by 64. Every basis function but the first sums
// to zero, so the mean of a block is d0 / 64. The basis functions are orthogonal with squared norms n_i * n_j, so the
// energy is the sum of d^2 n_i n_j / 64^2 (Parseval). The roundings of the standard are left out; they are below half
// a level per sample.
#pragma once

#include <array>

#include "parameter_sets.hpp"

namespace salientclips::h264 {

struct Weights {
    // [intra 0, inter 1][qp % 6][scan position]: squared, to be multiplied by 4^(qp / 6).
    float energy4x4[2][6][16];
    float energy8x8[2][6][64];
    // The same, cut into the four interleaved scans of CAVLC (clause 7.3.5.3.2).
    float energy8x8_cut[2][6][4][16];
    float energy_dc16x16[6];
    // Factor from the first level to the macroblock's mean, times 2^(qp / 6).
    float mean4x4[2][6];
    float mean8x8[2][6];
    float mean16x16[6];
    float mean_chroma[2][2][6];  // [Cb, Cr][intra, inter]; 4:2:0
};

Weights make_weights(const ScalingLists& lists);

}  // namespace salientclips::h264
