// What is kept of a picture while its slices are parsed: one record a macroblock, and the residual summary.
#pragma once

#include <cstdint>
#include <vector>

#include "reference_pictures.hpp"
#include "slice_header.hpp"

namespace salientclips::h264 {

struct Mv {
    std::int16_t x = 0;
    std::int16_t y = 0;
    bool operator==(const Mv&) const = default;
};

enum class Kind : std::uint8_t { kSkip, kInter, kIntraNxN, kIntra16x16, kPcm };
enum class Shape : std::uint8_t { k16x16, k16x8, k8x16, k8x8 };

// A macroblock, as far as its neighbours and the output need it. Blocks are in raster order within the macroblock.
struct Macroblock {
    std::int64_t slice = -1;        // number of the slice it was parsed in: neighbours of another one are unavailable
    Kind kind = Kind::kSkip;
    Shape shape = Shape::k16x16;
    std::uint8_t sub_shape[4] = {};  // 0: 8x8, 1: 8x4, 2: 4x8, 3: 4x4 (Table 7-17)
    std::uint8_t cbp = 0;           // luma in bits 0..3, chroma in bits 4..5
    bool transform_8x8 = false;
    bool chroma_mode = false;       // intra_chroma_pred_mode is not 0
    std::uint8_t dc_coded = 0;      // coded_block_flag of luma DC (bit 0), Cb DC (1), Cr DC (2)
    std::int8_t ref[4] = {-1, -1, -1, -1};
    Mv mv[16];
    std::uint8_t mvd[16][2] = {};   // magnitudes, saturated: only sums up to 32 matter (CABAC)
    std::uint8_t coded[32] = {};    // CAVLC: coefficients of each 4x4 block; CABAC: its flag. Y 16, Cb 8, Cr 8

    bool intra() const { return kind >= Kind::kIntraNxN; }
};

// Macroblocks to the left, above, above right, above left: null where not available (clause 6.4.9).
struct Neighbours {
    const Macroblock* a;
    const Macroblock* b;
    const Macroblock* c;
    const Macroblock* d;
};

// Entry of Macroblock::coded for the 4x4 block to the left of block index, or -1 where it is not available (6.4.11.4,
// 6.4.11.5). Chroma blocks begin at 16 (Cb) and 24 (Cr), two to a row.
inline int coded_left(const Macroblock& mb, const Neighbours& near, int index) {
    const int columns = index < 16 ? 4 : 2;
    if (index % columns != 0) return mb.coded[index - 1];
    return near.a ? near.a->coded[index + columns - 1] : -1;
}

// The same for the block above. chroma_rows: rows of 4x4 chroma blocks, 2 in 4:2:0 and 4 in 4:2:2.
inline int coded_above(const Macroblock& mb, const Neighbours& near, int index, int chroma_rows) {
    if (index < 16) {
        if (index >= 4) return mb.coded[index - 4];
        return near.b ? near.b->coded[index + 12] : -1;
    }
    const int within = index % 8;
    if (within >= 2) return mb.coded[index - 2];
    return near.b ? near.b->coded[index + 2 * (chroma_rows - 1)] : -1;
}

// Residual of each macroblock: area means of Y, Cb, Cr and the mean square of Y, 8-bit levels.
struct Residual {
    float mean[3] = {0, 0, 0};
    float energy = 0;
};

// Working memory of one parser; reused from picture to picture.
struct Canvas {
    std::vector<Macroblock> macroblocks;
    std::vector<Residual> residuals;
    int width = 0;
    int height = 0;
    std::int64_t next_slice = 0;  // never reused, so that nothing need be cleared between pictures
};

// One slice, ready to be parsed apart from all others.
struct Slice {
    SliceHeader header;
    const std::uint8_t* payload = nullptr;
    std::size_t size = 0;
    std::vector<Reference> refs;
};

}  // namespace salientclips::h264
