// The content of a P-VOP in the forms that Python gets: libavcodec's records, and one cell a macroblock.
#pragma once

#include <vector>

#include "../motion_vector.hpp"
#include "headers.hpp"
#include "vop.hpp"

namespace salientclips::mpeg4 {

// One record for each inter macroblock (16x16, skipped ones too) or for each of its four blocks (8x8), in
// raster order of macroblocks, as libavcodec exports them. Its source position is cut towards zero.
std::vector<MotionVector> motion_records(const VopContent& content, const Vol& vol);

// Planes of x and y: the vector of each macroblock, or the mean of its four, in luma samples; 0 where intra.
std::vector<float> displacements(const VopContent& content, const Vol& vol);

}  // namespace salientclips::mpeg4
