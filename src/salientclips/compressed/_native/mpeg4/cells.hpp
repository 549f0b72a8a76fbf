// A P-VOP's macroblocks as cells; see ../cells.hpp.
#pragma once

#include "../cells.hpp"
#include "reader.hpp"

namespace salientclips::mpeg4 {

// Parses the P-VOP of job and reduces it to cells. Returns whether it could: where not, cells stay empty.
bool parse_cells(const Job& job, const CellGrid& grid, Cells& cells);

}  // namespace salientclips::mpeg4
