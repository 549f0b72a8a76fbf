// What one parsed block of transform coefficients comes down to.
#pragma once

namespace salientclips::h264 {

struct Levels {
    int first = 0;     // the level at scan position 0
    float energy = 0;  // sum of level^2 * weight over the block; 0 where no weights were given
    int total = 0;     // non-zero levels
};

// ctxBlockCat, Table 9-42.
enum BlockKind : int { kLumaDc16x16 = 0, kLumaAc16x16 = 1, kLuma4x4 = 2, kChromaDc = 3, kChromaAc = 4, kLuma8x8 = 5 };

}  // namespace salientclips::h264
