// From blocks and macroblocks to the features of compressed/features.py, without a record for each vector.
//
// The definitions are there, and so is the same work in numpy, operation for operation: both give the same bits.
#pragma once

#include <algorithm>
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

// What the vectors of one cell add up to, weighted by the areas of their blocks.
struct CellSum {
    double area = 0;
    double x = 0;
    double y = 0;

    // dx, dy: source pixels a frame.
    void add(int width, int height, double dx, double dy) {
        const auto pixels = static_cast<double>(width * height);
        area += pixels;
        x += pixels * dx;
        y += pixels * dy;
    }
};

// Writes the features of one frame, cell by cell. The cells are macroblocks, so no block lies in two of them.
class CellWriter {
public:
    CellWriter(const CellGrid& grid, Cells& cells);

    int rows() const { return rows_; }
    int columns() const { return columns_; }

    // Pixels of a block that lie in the picture, at most those of the cell: side for most, fewer at the edges.
    int width_at(int column, int from, int side) const { return std::clamp(width_px_ - column * kCellPx - from, 0, side); }
    int height_at(int row, int from, int side) const { return std::clamp(height_px_ - row * kCellPx - from, 0, side); }

    // The next cell in raster order. means, energy: residual of Y, Cb, Cr and of Y.
    void write(int row, int column, const CellSum& sum, const float* means, float energy) {
        const std::size_t at = next_++;
        energy_[at] = energy;
        const int pixels = width_at(column, 0, kCellPx) * height_at(row, 0, kCellPx);
        if (sum.area < 0.5 * static_cast<double>(pixels)) return;
        valid_[at] = 1;
        md_[at] = static_cast<float>(sum.x / sum.area);
        md_[plane_ + at] = static_cast<float>(sum.y / sum.area);
        for (std::size_t i = 0; i < 3; ++i) {
            const float* const m = to_rgb_ + 3 * i;
            rgbr_[i * plane_ + at] = m[0] * means[0] + m[1] * means[1] + m[2] * means[2];
        }
    }

private:
    int rows_;
    int columns_;
    int width_px_;
    int height_px_;
    std::size_t plane_;
    std::size_t next_ = 0;
    const float* to_rgb_;
    float* md_;
    std::uint8_t* valid_;
    float* rgbr_;
    float* energy_;
};

// Blocks of any size and place, as other readers' records may have them; md and valid alone.
class BlockSums {
public:
    explicit BlockSums(const CellGrid& grid) : grid_(grid), sums_(grid.count()) {}

    // A block whose top left corner is (x, y), moved by (dx, dy) source pixels a frame. Parts outside count for nothing.
    void add(int x, int y, int width, int height, double dx, double dy);

    // Means into md, validity into valid.
    void finish(Cells& cells) const;

private:
    const CellGrid& grid_;
    std::vector<CellSum> sums_;
};

}  // namespace salientclips
