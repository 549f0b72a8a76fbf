// Python's view of cells, of the camera fit and of block matching; _core.pyi documents it. The GIL is released while numbers are made.
#include "bind_features.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "camera.hpp"
#include "motion_vector.hpp"
#include "h264/reader.hpp"
#include "matching.hpp"
#include "to_numpy.hpp"

namespace nb = nanobind;
using namespace salientclips;

namespace {

template <class T, int Dimensions>
using Input = nb::ndarray<const T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

// Longer sides than any picture has would overflow the grid.
constexpr int kMaxSidePx = 1 << 16;

CellGrid make_grid(int width_px, int height_px, const Input<std::int64_t, 1>& positions, const Input<float, 2>& to_rgb) {
    if (width_px < 1 || height_px < 1 || width_px > kMaxSidePx || height_px > kMaxSidePx) {
        throw nb::value_error("the picture has no size, or too large a one");
    }
    if (to_rgb.shape(0) != 3 || to_rgb.shape(1) != 3) throw nb::value_error("to_rgb is not 3 by 3");
    CellGrid grid;
    grid.width_px = width_px;
    grid.height_px = height_px;
    grid.positions.assign(positions.data(), positions.data() + positions.size());
    std::copy_n(to_rgb.data(), 9, grid.to_rgb.begin());
    return grid;
}

// Fields of one size, one after the other.
nb::object remove_camera_motion(const Input<float, 4>& md, const Input<bool, 3>& valid) {
    const std::size_t count = md.shape(0);
    const std::size_t rows = md.shape(2);
    const std::size_t columns = md.shape(3);
    if (md.shape(1) != 2 || valid.shape(0) != count || valid.shape(1) != rows || valid.shape(2) != columns) {
        throw nb::value_error("md is not (n, 2, h, w) or valid is not (n, h, w)");
    }
    std::vector<float> left(md.data(), md.data() + md.size());
    {
        nb::gil_scoped_release released;
        CameraFit camera(static_cast<int>(rows), static_cast<int>(columns));
        const std::size_t plane = rows * columns;
        const auto* const masks = reinterpret_cast<const std::uint8_t*>(valid.data());
        for (std::size_t i = 0; i < count; ++i) camera.remove(left.data() + 2 * plane * i, masks + plane * i);
    }
    return to_numpy<float>(std::move(left), {count, 2, rows, columns});
}

using Record = MotionVector;

nb::object rasterise(const Input<std::uint8_t, 1>& records, int width_px, int height_px,
                     const Input<double, 1>& distances) {
    const std::size_t count = records.size() / sizeof(Record);
    if (records.size() % sizeof(Record) != 0 || distances.size() != count) {
        throw nb::value_error("records are not 40 bytes each, or distances are not one for each");
    }
    CellGrid grid;
    grid.width_px = std::clamp(width_px, 0, kMaxSidePx);
    grid.height_px = std::clamp(height_px, 0, kMaxSidePx);
    Cells cells;
    {
        nb::gil_scoped_release released;
        BlockSums sums(grid);
        for (std::size_t i = 0; i < count; ++i) {
            Record r;
            std::copy_n(records.data() + i * sizeof(Record), sizeof(Record), reinterpret_cast<std::uint8_t*>(&r));
            if (r.source >= 0) continue;
            const double scale = std::max<int>(r.motion_scale, 1) * distances.data()[i];
            sums.add(r.dst_x - (r.w >> 1), r.dst_y - (r.h >> 1), r.w, r.h, -static_cast<double>(r.motion_x) / scale,
                     -static_cast<double>(r.motion_y) / scale);
        }
        sums.finish(cells);
    }
    const auto h = static_cast<std::size_t>(grid.rows());
    const auto w = static_cast<std::size_t>(grid.columns());
    return nb::make_tuple(to_numpy<float>(std::move(cells.md), {2, h, w}),
                          to_numpy<bool>(std::move(cells.valid), {h, w}));
}

nb::object match_cells(const Input<std::uint8_t, 2>& frame, const Input<std::uint8_t, 2>& reference,
                       const Input<float, 2>& bias) {
    const std::size_t height = frame.shape(0);
    const std::size_t width = frame.shape(1);
    constexpr std::size_t side = 2 * kReach + 1;
    if (height % kSmallCellPx != 0 || width % kSmallCellPx != 0 || reference.shape(0) != height + 2 * kReach ||
        reference.shape(1) != width + 2 * kReach || bias.shape(0) != side || bias.shape(1) != side) {
        throw nb::value_error("the pictures are no whole cells, of two sizes, or bias is not one for each way");
    }
    Matches found;
    {
        nb::gil_scoped_release released;
        found = match(frame.data(), reference.data(), height, width, bias.data());
    }
    const std::size_t h = height / kSmallCellPx;
    const std::size_t w = width / kSmallCellPx;
    return nb::make_tuple(to_numpy<float>(std::move(found.costs), {side, side, h, w}),
                          to_numpy<std::int64_t>(std::move(found.best), {h, w}));
}

}  // namespace

CellsResult to_cells_result(Cells&& cells, const CellGrid& grid, char type, std::string_view status) {
    CellsResult result{type, status, nb::none(), nb::none(), nb::none(), nb::none()};
    if (cells.energy.empty()) return result;
    const auto h = static_cast<std::size_t>(grid.rows());
    const auto w = static_cast<std::size_t>(grid.columns());
    result.md = to_numpy<float>(std::move(cells.md), {2, h, w});
    result.valid = to_numpy<bool>(std::move(cells.valid), {h, w});
    result.rgbr = to_numpy<float>(std::move(cells.rgbr), {3, h, w});
    result.energy = to_numpy<float>(std::move(cells.energy), {h, w});
    return result;
}

void bind_features(nb::module_& m) {
    nb::class_<CellGrid>(m, "CellGrid")
        .def("__init__",
             [](CellGrid* self, int width_px, int height_px, const Input<std::int64_t, 1>& positions,
                const Input<float, 2>& to_rgb) {
                 new (self) CellGrid(make_grid(width_px, height_px, positions, to_rgb));
             },
             nb::arg("width_px"), nb::arg("height_px"), nb::arg("positions"), nb::arg("to_rgb"));
    nb::class_<CellsResult>(m, "CellsResult")
        .def_prop_ro("type", [](const CellsResult& r) { return std::string_view(&r.type, 1); })
        .def_ro("status", &CellsResult::status)
        .def_ro("md", &CellsResult::md)
        .def_ro("valid", &CellsResult::valid)
        .def_ro("rgbr", &CellsResult::rgbr)
        .def_ro("energy", &CellsResult::energy);
    m.def("remove_camera_motion", &remove_camera_motion, nb::arg("md"), nb::arg("valid"));
    m.def("rasterise", &rasterise, nb::arg("records"), nb::arg("width_px"), nb::arg("height_px"),
          nb::arg("distances"));
    m.def("match_cells", &match_cells, nb::arg("frame"), nb::arg("reference"), nb::arg("bias"));
}
