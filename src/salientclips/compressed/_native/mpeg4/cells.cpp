// Vectors by the area of their blocks, residuals by the colour matrix; see the header.
#include "cells.hpp"

#include <array>

namespace salientclips::mpeg4 {

bool parse_cells(const Job& job, const CellGrid& grid, Cells& cells) {
    if (!job.vop) return false;
    const Unit& unit = *job.vop;
    const VopContent content = parse_predicted_vop(unit.bytes, *unit.vol, unit.header);
    if (content.status != Status::ok) return false;
    if (content.mb_width < grid.columns() || content.mb_height < grid.rows()) return false;  // the size changed
    const int units = unit.vol->quarter_sample ? 4 : 2;
    const double scale = units * static_cast<double>(grid.distance(job.anchor, job.packet));
    CellSums sums(grid);
    for (int row = 0; row < grid.rows(); ++row) {
        for (int column = 0; column < grid.columns(); ++column) {
            const auto at = static_cast<std::size_t>(row * content.mb_width + column);
            const MacroblockKind kind = content.kinds[at];
            if (kind == MacroblockKind::intra) continue;
            const bool four = kind == MacroblockKind::four_vectors;
            const int side = four ? 8 : 16;
            for (int block = 0; block < (four ? 4 : 1); ++block) {
                const Vector v = content.vectors[at * 4 + static_cast<std::size_t>(block)];
                sums.add(column * kCellPx + 8 * (block & 1), row * kCellPx + 8 * (block >> 1), side, side,
                         -static_cast<int>(v.x) / scale, -static_cast<int>(v.y) / scale);
            }
        }
    }
    sums.finish(cells);
    cells.rgbr.resize(3 * grid.count());
    cells.energy.resize(grid.count());
    const std::size_t plane = content.kinds.size();
    std::size_t cell = 0;
    for (int row = 0; row < grid.rows(); ++row) {
        for (int column = 0; column < grid.columns(); ++column) {
            const auto at = static_cast<std::size_t>(row * content.mb_width + column);
            const std::array<float, 3> means{content.means[at], content.means[plane + at], content.means[2 * plane + at]};
            set_residual(cells, grid, cell++, means.data(), content.energies[at]);
        }
    }
    return true;
}

}  // namespace salientclips::mpeg4
