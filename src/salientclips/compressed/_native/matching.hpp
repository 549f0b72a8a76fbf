// The search of compressed/block_matching.py in C++, where it is explained: whole sums, so both give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace salientclips {

inline constexpr std::size_t kReach = 6;  // small pixels each way
inline constexpr std::size_t kSmallCellPx = 4;
inline constexpr std::size_t kWays = (2 * kReach + 1) * (2 * kReach + 1);

struct Matches {
    std::vector<float> costs;        // (ways, h, w): absolute differences over 3 x 3 cells
    std::vector<std::int64_t> best;  // (h, w): which way is cheapest with its bias, the first of equals
};

// frame: luma of height x width, both whole cells; reference: that of the earlier picture with its edges continued by
// kReach on all sides; bias: kWays values that are added where ways are compared.
Matches match(const std::uint8_t* frame, const std::uint8_t* reference, std::size_t height, std::size_t width,
              const float* bias);

}  // namespace salientclips
