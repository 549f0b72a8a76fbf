// The content of a P-VOP in the forms that Python gets: libavcodec's records, and one cell a macroblock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "headers.hpp"
#include "vop.hpp"

namespace salientclips::mpeg4 {

// The fields of libavcodec's AVMotionVector, in its order and with its padding.
struct MotionRecord {
    std::int32_t source;  // -1: the picture before
    std::uint8_t w, h;
    std::int16_t src_x, src_y;
    std::int16_t dst_x, dst_y;  // centre of the block
    std::uint64_t flags;
    std::int32_t motion_x, motion_y;
    std::uint16_t motion_scale;  // units a sample: 2 or 4
};
static_assert(sizeof(MotionRecord) == 40 && offsetof(MotionRecord, motion_scale) == 32);

// One record for each inter macroblock (16x16, skipped ones too) or for each of its four blocks (8x8), in
// raster order of macroblocks, as libavcodec exports them. Its source position is cut towards zero.
std::vector<MotionRecord> motion_records(const VopContent& content, const Vol& vol);

// Planes of x and y: the vector of each macroblock, or the mean of its four, in luma samples; 0 where intra.
std::vector<float> displacements(const VopContent& content, const Vol& vol);

}  // namespace salientclips::mpeg4
