// Vectors by the area of their partitions, residuals by the colour matrix; see the header.
#include "cells.hpp"

namespace salientclips::h264 {
namespace {

// Vectors of one picture on their way into cells.
class CellWriter {
public:
    CellWriter(const Frame& frame, const CellGrid& grid) : frame_(frame), grid_(grid), sums_(grid) {}

    // The references of the slice that the next macroblocks are in.
    void set_references(const std::vector<Reference>& refs) {
        quarters_.clear();
        for (const Reference& ref : refs) {
            quarters_.push_back(4 * static_cast<double>(grid_.distance(ref.packet, frame_.packet)));
        }
    }

    // By the blocks that FFmpeg reports: none below 8x8, each such quarter by its first vector.
    void macroblock(const Macroblock& mb, int x, int y) {
        switch (mb.shape) {
            case Shape::k16x16:
                add(mb, 0, x, y, 16, 16);
                break;
            case Shape::k16x8:
                for (int i = 0; i < 2; ++i) add(mb, i * 8, x, y + 8 * i, 16, 8);
                break;
            case Shape::k8x16:
                for (int i = 0; i < 2; ++i) add(mb, i * 2, x + 8 * i, y, 8, 16);
                break;
            case Shape::k8x8:
                for (int i = 0; i < 4; ++i) {
                    add(mb, (i >> 1) * 8 + (i & 1) * 2, x + 8 * (i & 1), y + 8 * (i >> 1), 8, 8);
                }
        }
    }

    void finish(Cells& cells) const { sums_.finish(cells); }

private:
    void add(const Macroblock& mb, int block, int x, int y, int width, int height) {
        const auto index = static_cast<std::size_t>(mb.ref[(block >> 3) * 2 + ((block >> 1) & 1)]);
        const double scale = index < quarters_.size() ? quarters_[index] : 4.0;
        const Mv mv = mb.mv[block];
        sums_.add(x, y, width, height, -static_cast<int>(mv.x) / scale, -static_cast<int>(mv.y) / scale);
    }

    const Frame& frame_;
    const CellGrid& grid_;
    std::vector<double> quarters_;  // units of a vector in a pixel a frame, by reference index
    CellSums sums_;
};

}  // namespace

void parse_cells(Job& job, Scratch& scratch, const CellGrid& grid, Cells& cells) {
    if (!parse_macroblocks(job, scratch) || job.frame.head.type != 'P') return;
    const Canvas& canvas = scratch.canvas;
    if (canvas.width < grid.columns() || canvas.height < grid.rows()) {  // the picture size changed
        job.frame.parsed = false;
        return;
    }
    CellWriter writer(job.frame, grid);
    const Slice* slice = nullptr;
    const std::int64_t first_slice = canvas.next_slice - static_cast<std::int64_t>(job.slices.size());
    const auto each_cell = [&](const auto& visit) {
        for (int row = 0; row < grid.rows(); ++row) {
            for (int column = 0; column < grid.columns(); ++column) {
                visit(row, column, static_cast<std::size_t>(row * canvas.width + column));
            }
        }
    };
    each_cell([&](int row, int column, std::size_t at) {
        const Macroblock& mb = canvas.macroblocks[at];
        if (mb.intra()) return;
        const Slice& own = job.slices[static_cast<std::size_t>(mb.slice - first_slice)];
        if (slice != &own) writer.set_references(own.refs);
        slice = &own;
        writer.macroblock(mb, column * kCellPx, row * kCellPx);
    });
    writer.finish(cells);
    cells.rgbr.resize(3 * grid.count());
    cells.energy.resize(grid.count());
    std::size_t cell = 0;
    each_cell([&](int, int, std::size_t at) {
        const Residual& residual = canvas.residuals[at];
        set_residual(cells, grid, cell++, residual.mean, residual.energy);
    });
}

}  // namespace salientclips::h264
