// Areas and means; see the header.
#include "cells.hpp"

#include <algorithm>

namespace salientclips {

std::int64_t CellGrid::distance(std::int64_t from, std::int64_t to) const {
    const auto count = static_cast<std::int64_t>(positions.size());
    if (from < 0 || from >= count || to < 0 || to >= count) return 1;
    const std::int64_t away = positions[static_cast<std::size_t>(to)] - positions[static_cast<std::size_t>(from)];
    return std::max<std::int64_t>(away, 1);
}

CellWriter::CellWriter(const CellGrid& grid, Cells& cells)
    : rows_(grid.rows()), columns_(grid.columns()), width_px_(grid.width_px), height_px_(grid.height_px),
      plane_(grid.count()), to_rgb_(grid.to_rgb.data()) {
    cells.md.assign(2 * plane_, 0.0F);
    cells.valid.assign(plane_, 0);
    cells.rgbr.assign(3 * plane_, 0.0F);
    cells.energy.assign(plane_, 0.0F);
    md_ = cells.md.data();
    valid_ = cells.valid.data();
    rgbr_ = cells.rgbr.data();
    energy_ = cells.energy.data();
}

void BlockSums::add(int x, int y, int width, int height, double dx, double dy) {
    const int x0 = std::clamp(x, 0, grid_.width_px);
    const int x1 = std::clamp(x + width, 0, grid_.width_px);
    const int y0 = std::clamp(y, 0, grid_.height_px);
    const int y1 = std::clamp(y + height, 0, grid_.height_px);
    if (x1 <= x0 || y1 <= y0) return;
    for (int row = y0 / kCellPx; row * kCellPx < y1; ++row) {
        const int tall = std::min(y1, (row + 1) * kCellPx) - std::max(y0, row * kCellPx);
        for (int column = x0 / kCellPx; column * kCellPx < x1; ++column) {
            const int wide = std::min(x1, (column + 1) * kCellPx) - std::max(x0, column * kCellPx);
            sums_[static_cast<std::size_t>(row) * static_cast<std::size_t>(grid_.columns()) +
                  static_cast<std::size_t>(column)]
                .add(wide, tall, dx, dy);
        }
    }
}

void BlockSums::finish(Cells& cells) const {
    const std::size_t plane = sums_.size();
    cells.md.assign(2 * plane, 0.0F);
    cells.valid.assign(plane, 0);
    std::size_t at = 0;
    for (int row = 0; row < grid_.rows(); ++row) {
        const int tall = std::min(kCellPx, grid_.height_px - row * kCellPx);
        for (int column = 0; column < grid_.columns(); ++column, ++at) {
            const int wide = std::min(kCellPx, grid_.width_px - column * kCellPx);
            const CellSum& sum = sums_[at];
            if (sum.area < 0.5 * static_cast<double>(wide * tall)) continue;
            cells.valid[at] = 1;
            cells.md[at] = static_cast<float>(sum.x / sum.area);
            cells.md[plane + at] = static_cast<float>(sum.y / sum.area);
        }
    }
}

}  // namespace salientclips
