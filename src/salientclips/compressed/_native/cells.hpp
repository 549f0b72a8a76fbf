// From blocks and macroblocks to the features of compressed/features.py, without a record for each vector.
//
// The definitions are there, and so is the same work in numpy, operation for operation: both give the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace salientclips {

inline constexpr int kCellPx = 16;

// What is constant in a stream, as far as its cells depend on it.
struct CellGrid {
    int width_px = 0;
    int height_px = 0;
    std::vector<std::int64_t> positions;  // place in display order of each packet
    std::array<float, 9> to_rgb{};        // rows of the matrix from differences of (Y, Cb, Cr)

    int rows() const { return (height_px + kCellPx - 1) / kCellPx; }
    int columns() const { return (width_px + kCellPx - 1) / kCellPx; }
    std::size_t count() const { return static_cast<std::size_t>(rows()) * static_cast<std::size_t>(columns()); }

    // Frames shown from one packet to another, at least 1; 1 where the first is unknown.
    std::int64_t distance(std::int64_t from, std::int64_t to) const;
};

// The features of one frame, planes one after the other.
struct Cells {
    std::vector<float> md;            // x, y
    std::vector<std::uint8_t> valid;  // 0 or 1
    std::vector<float> rgbr;          // R, G, B
    std::vector<float> energy;
};

// Adds up the vectors of one frame by the area of their blocks.
class CellSums {
public:
    explicit CellSums(const CellGrid& grid) : grid_(grid), sums_(grid.count()) {}

    // A block whose top left corner is (x, y), moved by (dx, dy) source pixels a frame. Parts outside count for nothing.
    void add(int x, int y, int width, int height, double dx, double dy);

    // Means into md, validity into valid.
    void finish(Cells& cells) const;

private:
    struct Sum {
        double area = 0;
        double x = 0;
        double y = 0;
    };
    void add_to(int row, int column, double area, double dx, double dy);

    const CellGrid& grid_;
    std::vector<Sum> sums_;
};

// Residual of one macroblock that is a cell: RGB where it has a vector, else nothing. means: Y, Cb, Cr.
inline void set_residual(Cells& cells, const CellGrid& grid, std::size_t at, const float* means, float energy) {
    const std::size_t plane = grid.count();
    for (std::size_t i = 0; i < 3; ++i) {
        const float* const m = grid.to_rgb.data() + 3 * i;
        cells.rgbr[i * plane + at] = cells.valid[at] != 0 ? m[0] * means[0] + m[1] * means[1] + m[2] * means[2] : 0;
    }
    cells.energy[at] = energy;
}

}  // namespace salientclips
