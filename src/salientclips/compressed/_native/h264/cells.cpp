// Vectors by the area of their partitions, residuals by the colour matrix; see the header.
#include "cells.hpp"

namespace salientclips::h264 {
namespace {

// Adds up the vectors of one macroblock after the other.
class Adder {
public:
    Adder(const CellGrid& grid, const CellWriter& writer, std::int64_t packet)
        : grid_(grid), writer_(writer), packet_(packet) {}

    // The references of the slice that the next macroblocks are in.
    void set_references(const std::vector<Reference>& refs) {
        quarters_.clear();
        for (const Reference& ref : refs) {
            quarters_.push_back(4 * static_cast<double>(grid_.distance(ref.packet, packet_)));
        }
    }

    // By the blocks that FFmpeg reports: none below 8x8, each such quarter by its first vector.
    CellSum sum_of(const Macroblock& mb, int row, int column) const {
        CellSum sum;
        const int half_width = writer_.width_at(column, 0, 8);
        const int half_height = writer_.height_at(row, 0, 8);
        const int width = half_width + writer_.width_at(column, 8, 8);
        const int height = half_height + writer_.height_at(row, 8, 8);
        const int widths[2] = {half_width, width - half_width};
        const int heights[2] = {half_height, height - half_height};
        switch (mb.shape) {
            case Shape::k16x16:
                add(sum, mb, 0, width, height);
                break;
            case Shape::k16x8:
                for (int i = 0; i < 2; ++i) add(sum, mb, i * 8, width, heights[i]);
                break;
            case Shape::k8x16:
                for (int i = 0; i < 2; ++i) add(sum, mb, i * 2, widths[i], height);
                break;
            case Shape::k8x8:
                for (int i = 0; i < 4; ++i) add(sum, mb, (i >> 1) * 8 + (i & 1) * 2, widths[i & 1], heights[i >> 1]);
        }
        return sum;
    }

private:
    void add(CellSum& sum, const Macroblock& mb, int block, int width, int height) const {
        const auto index = static_cast<std::size_t>(mb.ref[(block >> 3) * 2 + ((block >> 1) & 1)]);
        const double scale = index < quarters_.size() ? quarters_[index] : 4.0;
        const Mv mv = mb.mv[block];
        sum.add(width, height, -static_cast<int>(mv.x) / scale, -static_cast<int>(mv.y) / scale);
    }

    const CellGrid& grid_;
    const CellWriter& writer_;
    const std::int64_t packet_;
    std::vector<double> quarters_;  // units of a vector in a pixel a frame, by reference index
};

}  // namespace

void parse_cells(Job& job, Scratch& scratch, const CellGrid& grid, Cells& cells) {
    if (!parse_macroblocks(job, scratch) || job.frame.head.type != 'P') return;
    const Canvas& canvas = scratch.canvas;
    if (canvas.width < grid.columns() || canvas.height < grid.rows()) {  // the picture size changed
        job.frame.parsed = false;
        return;
    }
    CellWriter writer(grid, cells);
    Adder adder(grid, writer, job.frame.packet);
    const std::int64_t first_slice = canvas.next_slice - static_cast<std::int64_t>(job.slices.size());
    std::int64_t slice = -1;
    for (int row = 0; row < writer.rows(); ++row) {
        for (int column = 0; column < writer.columns(); ++column) {
            const auto at = static_cast<std::size_t>(row * canvas.width + column);
            const Macroblock& mb = canvas.macroblocks[at];
            const Residual& residual = canvas.residuals[at];
            if (mb.slice != slice) adder.set_references(job.slices[static_cast<std::size_t>(mb.slice - first_slice)].refs);
            slice = mb.slice;
            const CellSum sum = mb.intra() ? CellSum{} : adder.sum_of(mb, row, column);
            writer.write(row, column, sum, residual.mean, residual.energy);
        }
    }
}

}  // namespace salientclips::h264
