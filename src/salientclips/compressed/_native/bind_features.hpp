// Adds the grid of cells and the camera fit to a Python module, and turns cells into numpy's arrays.
#pragma once

#include <nanobind/nanobind.h>

#include <string_view>

#include "cells.hpp"

// The features of one wanted packet, with its arrays turned into numpy's once; None where there are none.
struct CellsResult {
    char type = '?';
    std::string_view status;
    nanobind::object md;
    nanobind::object valid;
    nanobind::object rgbr;
    nanobind::object energy;
};

// Empty cells give a result without arrays.
CellsResult to_cells_result(salientclips::Cells&& cells, const salientclips::CellGrid& grid, char type,
                      std::string_view status);

void bind_features(nanobind::module_& m);
