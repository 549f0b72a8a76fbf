// The macroblocks of one P-VOP: vectors, and sums over the residual, without any pixel.
//
// ISO/IEC 14496-2, 6.2.6 (macroblock syntax), 7.6.5 (motion vectors), 7.4 (inverse quantisation). Nothing
// of another picture is needed: the prediction of vectors and the entropy coding start anew at every VOP.
// Not done: motion compensation, inverse transform, DC and AC prediction of intra macroblocks (their
// syntax does not depend on it), and anything of I- and B-VOPs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "headers.hpp"

namespace salientclips::mpeg4 {

// A vector in units of half or quarter luma samples.
struct Vector {
    std::int16_t x = 0;
    std::int16_t y = 0;
};

enum class MacroblockKind : std::uint8_t { skipped, one_vector, four_vectors, intra };

// What a P-VOP holds, one entry a macroblock in raster order; empty unless the status is ok.
struct VopContent {
    Status status = Status::not_parsed;
    int mb_width = 0;
    int mb_height = 0;
    std::vector<MacroblockKind> kinds;
    std::vector<Vector> vectors;       // four a macroblock: top left, top right, bottom left, bottom right
    std::vector<float> means;          // three planes: mean residual of Y, Cb and Cr, 8-bit levels
    std::vector<float> energies;       // mean squared luma residual, squared 8-bit levels
};

// Parses the macroblocks of a P-VOP.
//
// `bytes` is what follows the VOP start code, up to the next start code; `header` was parsed from it and
// has the status ok and the type predicted. A VOP that breaks leaves its status and no arrays.
VopContent parse_predicted_vop(std::span<const std::uint8_t> bytes, const Vol& vol, const VopHeader& header);

}  // namespace salientclips::mpeg4
