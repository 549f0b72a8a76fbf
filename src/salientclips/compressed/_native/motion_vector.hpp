// What libavcodec exports for a block, whatever the codec.
#pragma once

#include <cstddef>
#include <cstdint>

namespace salientclips {

// The layout of FFmpeg's AVMotionVector with its padding, as PyAV's structured array shows it; dtypes.py mirrors it.
struct MotionVector {
    std::int32_t source;  // -1: the picture before
    std::uint8_t w;
    std::uint8_t h;
    std::int16_t src_x;
    std::int16_t src_y;
    std::int16_t dst_x;  // centre of the block
    std::int16_t dst_y;
    std::uint64_t flags;
    std::int32_t motion_x;
    std::int32_t motion_y;
    std::uint16_t motion_scale;  // units a sample
};
static_assert(sizeof(MotionVector) == 40 && offsetof(MotionVector, motion_scale) == 32);

}  // namespace salientclips
