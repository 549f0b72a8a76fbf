// CAVLC: reading one block of transform coefficient levels, ITU-T H.264 clause 9.2.
#pragma once

#include "../bits.hpp"
#include "levels.hpp"

namespace salientclips::h264 {

// nC: number predicted from the neighbours, or -1 and -2 for chroma DC of 4:2:0 and 4:2:2 (Table 9-5). weights: one
// per scan position, or null. Returns false where the block breaks a rule of the standard.
bool read_cavlc_block(BitReader& in, int nc, int max_levels, const float* weights, Levels& out);

}  // namespace salientclips::h264
