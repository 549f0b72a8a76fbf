// Motion vector prediction, ITU-T H.264 clause 8.4.1: the median of three neighbours and its exceptions.
//
// Frame macroblocks only, list 0 only. Neighbouring partitions (6.4.11.7) are found on the 4x4 grid.
#pragma once

#include <algorithm>

#include "picture.hpp"

namespace salientclips::h264 {

struct Candidate {
    int ref;  // -2: not available, -1: available but without a vector (intra)
    Mv mv;
};

inline Candidate at_block(const Macroblock& mb, int x, int y) {
    return {mb.ref[(y >> 1) * 2 + (x >> 1)], mb.mv[y * 4 + x]};
}

// Position of a 4x4 block in decoding order (6.4.3).
inline int decoding_order(int x, int y) { return (x & 1) | ((y & 1) << 1) | ((x & 2) << 1) | ((y & 2) << 2); }

inline Candidate left_of(const Macroblock& mb, const Neighbours& near, int x, int y) {
    if (x > 0) return at_block(mb, x - 1, y);
    return near.a ? at_block(*near.a, 3, y) : Candidate{-2, {}};
}

inline Candidate above(const Macroblock& mb, const Neighbours& near, int x, int y) {
    if (y > 0) return at_block(mb, x, y - 1);
    return near.b ? at_block(*near.b, x, 3) : Candidate{-2, {}};
}

// C, or D where C is not available (8.4.1.3.2).
inline Candidate above_right(const Macroblock& mb, const Neighbours& near, int x, int y, int width) {
    const int right = x + width;
    if (y == 0) {
        if (right < 4 && near.b) return at_block(*near.b, right, 3);
        if (right >= 4 && near.c) return at_block(*near.c, 0, 3);
    } else if (right < 4 && decoding_order(right, y - 1) < decoding_order(x, y)) {
        return at_block(mb, right, y - 1);
    }
    if (x > 0) {
        if (y > 0) return at_block(mb, x - 1, y - 1);
        return near.b ? at_block(*near.b, x - 1, 3) : Candidate{-2, {}};
    }
    if (y > 0) return near.a ? at_block(*near.a, 3, y - 1) : Candidate{-2, {}};
    return near.d ? at_block(*near.d, 3, 3) : Candidate{-2, {}};
}

inline std::int16_t median(int a, int b, int c) {
    return static_cast<std::int16_t>(std::max(std::min(a, b), std::min(std::max(a, b), c)));
}

// 8.4.1.3.1
inline Mv median_prediction(int ref, const Candidate& a, Candidate b, Candidate c) {
    if (b.ref == -2 && c.ref == -2 && a.ref != -2) return a.mv;
    const int same = (a.ref == ref) + (b.ref == ref) + (c.ref == ref);
    if (same == 1) return a.ref == ref ? a.mv : (b.ref == ref ? b.mv : c.mv);
    return {median(a.mv.x, b.mv.x, c.mv.x), median(a.mv.y, b.mv.y, c.mv.y)};
}

// Prediction of the partition at block (x, y), width in blocks; mb.ref and all earlier vectors are in place.
inline Mv predict(const Macroblock& mb, const Neighbours& near, int x, int y, int width) {
    const int ref = mb.ref[(y >> 1) * 2 + (x >> 1)];
    const Candidate a = left_of(mb, near, x, y);
    if (mb.shape == Shape::k16x8 && y != 0 && a.ref == ref) return a.mv;
    if (mb.shape == Shape::k8x16 && x == 0 && a.ref == ref) return a.mv;
    const Candidate b = above(mb, near, x, y);
    if (mb.shape == Shape::k16x8 && y == 0 && b.ref == ref) return b.mv;
    const Candidate c = above_right(mb, near, x, y, width);
    if (mb.shape == Shape::k8x16 && x != 0 && c.ref == ref) return c.mv;
    return median_prediction(ref, a, b, c);
}

// The vector of a skipped macroblock, 8.4.1.1; its reference is index 0.
inline Mv predict_skip(const Macroblock& mb, const Neighbours& near) {
    if (!near.a || !near.b) return {};
    const Candidate a = at_block(*near.a, 3, 0);
    const Candidate b = at_block(*near.b, 0, 3);
    if ((a.ref == 0 && a.mv == Mv{}) || (b.ref == 0 && b.mv == Mv{})) return {};
    return median_prediction(0, a, b, above_right(mb, near, 0, 0, 4));
}

}  // namespace salientclips::h264
