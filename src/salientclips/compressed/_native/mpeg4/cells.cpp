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
    CellWriter writer(grid, cells);
    const std::size_t plane = content.kinds.size();
    for (int row = 0; row < writer.rows(); ++row) {
        for (int column = 0; column < writer.columns(); ++column) {
            const auto at = static_cast<std::size_t>(row * content.mb_width + column);
            const MacroblockKind kind = content.kinds[at];
            const int blocks = kind == MacroblockKind::four_vectors ? 4 : kind == MacroblockKind::intra ? 0 : 1;
            const int side = blocks == 4 ? 8 : 16;
            CellSum sum;
            for (int block = 0; block < blocks; ++block) {
                const Vector v = content.vectors[at * 4 + static_cast<std::size_t>(block)];
                sum.add(writer.width_at(column, 8 * (block & 1), side), writer.height_at(row, 8 * (block >> 1), side),
                        -static_cast<int>(v.x) / scale, -static_cast<int>(v.y) / scale);
            }
            const std::array<float, 3> means{content.means[at], content.means[plane + at], content.means[2 * plane + at]};
            writer.write(row, column, sum, means.data(), content.energies[at]);
        }
    }
    return true;
}

}  // namespace salientclips::mpeg4
