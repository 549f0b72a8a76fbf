// The macroblocks of one slice, ITU-T H.264 clauses 7.3.4 and 7.3.5: types, vectors, residual summaries.
//
// No sample is made. A slice needs nothing but its parameter sets, so slices and pictures can be parsed in any order.
#pragma once

#include "picture.hpp"
#include "scaling.hpp"

namespace salientclips::h264 {

// Parses slice into canvas. rbsp: the unescaped payload, followed by kPaddingBytes zeros. number: of the slice, unique
// in the canvas. Returns false where the slice breaks; what was parsed before stays in the canvas.
bool parse_slice(const Slice& slice, const std::uint8_t* rbsp, std::size_t size, const Weights& weights,
                 std::int64_t number, Canvas& canvas);

}  // namespace salientclips::h264
