// Full search; see the header. Plain loops over rows, which compilers turn into vector instructions.
#include "matching.hpp"

#include <algorithm>
#include <limits>

namespace salientclips {

namespace {

// Sums of 16 differences of 8 bits, and of nine such, fit in 16 bits.
using Sum = std::uint16_t;

// Adds up the absolute differences of four rows, column by column.
void add_rows(const std::uint8_t* frame, const std::uint8_t* reference, std::size_t width, Sum* columns) {
    std::fill_n(columns, width, Sum{0});
    for (std::size_t y = 0; y < kSmallCellPx; ++y) {
        const std::uint8_t* const a = frame + y * width;
        const std::uint8_t* const b = reference + y * (width + 2 * kReach);
        for (std::size_t x = 0; x < width; ++x) {
            const std::uint8_t most = std::max(a[x], b[x]);
            const std::uint8_t least = std::min(a[x], b[x]);
            columns[x] = static_cast<Sum>(columns[x] + static_cast<std::uint8_t>(most - least));
        }
    }
}

// Each cell with its neighbours to the left and right; at the border the edge cell counts again.
void sum_across(const Sum* columns, std::size_t cells, Sum* own, Sum* sums) {
    for (std::size_t i = 0; i < cells; ++i) {
        const Sum* const c = columns + kSmallCellPx * i;
        own[i] = static_cast<Sum>(c[0] + c[1] + c[2] + c[3]);
    }
    const std::size_t last = cells - 1;
    for (std::size_t i = 1; i < last; ++i) sums[i] = static_cast<Sum>(own[i - 1] + own[i] + own[i + 1]);
    sums[0] = static_cast<Sum>(own[0] + own[0] + own[std::min<std::size_t>(1, last)]);
    sums[last] = static_cast<Sum>(own[last == 0 ? 0 : last - 1] + own[last] + own[last]);
}

}  // namespace

Matches match(const std::uint8_t* frame, const std::uint8_t* reference, std::size_t height, std::size_t width,
              const float* bias) {
    const std::size_t h = height / kSmallCellPx;
    const std::size_t w = width / kSmallCellPx;
    const std::size_t stride = width + 2 * kReach;
    Matches found{std::vector<float>(kWays * h * w), std::vector<std::int64_t>(h * w, 0)};
    std::vector<float> lowest(h * w, std::numeric_limits<float>::infinity());
    std::vector<Sum> columns(width);
    std::vector<Sum> own(w);
    std::vector<Sum> across(h * w);
    for (std::size_t way = 0; way < kWays && h * w > 0; ++way) {
        // Content that moved by (right, down) - reach lay that far back in the reference.
        const std::size_t top = 2 * kReach - way / (2 * kReach + 1);
        const std::size_t left = 2 * kReach - way % (2 * kReach + 1);
        for (std::size_t row = 0; row < h; ++row) {
            const std::size_t y = kSmallCellPx * row;
            add_rows(frame + y * width, reference + (top + y) * stride + left, width, columns.data());
            sum_across(columns.data(), w, own.data(), across.data() + row * w);
        }
        float* const costs = found.costs.data() + way * h * w;
        for (std::size_t row = 0; row < h; ++row) {
            const Sum* const above = across.data() + (row == 0 ? 0 : row - 1) * w;
            const Sum* const here = across.data() + row * w;
            const Sum* const below = across.data() + std::min(row + 1, h - 1) * w;
            float* const low = lowest.data() + row * w;
            std::int64_t* const best = found.best.data() + row * w;
            for (std::size_t i = 0; i < w; ++i) {
                const auto cost = static_cast<float>(static_cast<Sum>(above[i] + here[i] + below[i]));
                const float biased = cost + bias[way];
                costs[row * w + i] = cost;
                best[i] = biased < low[i] ? static_cast<std::int64_t>(way) : best[i];
                low[i] = std::min(biased, low[i]);
            }
        }
    }
    return found;
}

}  // namespace salientclips
