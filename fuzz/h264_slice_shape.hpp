// The first bytes of an input of the slice targets: which valid stream stands around the damaged slice data.
#pragma once

#include "h264_writer.hpp"

namespace salientclips::fuzz {

// All of it fits in kShapeBytes bytes, which fuzz/cut_seeds.cpp writes for real slices.
inline constexpr std::size_t kShapeBytes = 12;

struct SliceShape {
    int width_mbs = 1;
    int height_mbs = 1;
    int chroma_format_idc = 1;
    int bit_depth = 8;
    bool transform_8x8 = false;
    bool scaling_matrix = false;
    bool weighted = false;
    bool p = false;
    bool sub_8x8 = false;
    bool second_slice = false;
    int num_ref_idx = 1;
    int qp = 26;
    int cabac_init_idc = 0;
    int chroma_qp_offset = 0;
    int pictures_before = 0;  // reference pictures
    int first_mb = 0;         // of the second slice
    unsigned split = 0;       // 256ths of the payload that the first slice gets, where there are two
};

inline constexpr int kMaxShapeMbs = 12;

inline SliceShape make_shape(Input& in) {
    SliceShape shape;
    shape.width_mbs = 1 + in.below(kMaxShapeMbs);
    shape.height_mbs = 1 + in.below(kMaxShapeMbs);
    shape.chroma_format_idc = in.below(3);
    shape.bit_depth = 8 + in.below(7);
    const unsigned flags = in.byte();
    shape.transform_8x8 = (flags & 1) != 0;
    shape.scaling_matrix = (flags & 2) != 0;
    shape.weighted = (flags & 4) != 0;
    shape.p = (flags & 8) != 0;
    shape.sub_8x8 = (flags & 16) != 0;
    shape.second_slice = (flags & 32) != 0;
    shape.num_ref_idx = 1 + in.below(32);
    const int lowest = -6 * (shape.bit_depth - 8);
    shape.qp = lowest + in.below(52 - lowest);
    shape.cabac_init_idc = in.below(3);
    shape.chroma_qp_offset = in.below(25) - 12;
    shape.pictures_before = in.below(6);
    shape.first_mb = in.below(256);
    shape.split = in.byte();
    return shape;
}

inline std::vector<std::uint8_t> shape_bytes(const SliceShape& s) {
    const int flags = s.transform_8x8 | s.scaling_matrix << 1 | s.weighted << 2 | s.p << 3 | s.sub_8x8 << 4 |
                      s.second_slice << 5;
    const int values[kShapeBytes] = {
        s.width_mbs - 1,   s.height_mbs - 1, s.chroma_format_idc, s.bit_depth - 8, flags, s.num_ref_idx - 1,
        s.qp + 6 * (s.bit_depth - 8), s.cabac_init_idc, s.chroma_qp_offset + 12, s.pictures_before, s.first_mb,
        static_cast<int>(s.split)};
    Bytes bytes;
    for (const int value : values) bytes.push_back(static_cast<std::uint8_t>(value));
    return bytes;
}

}  // namespace salientclips::fuzz
