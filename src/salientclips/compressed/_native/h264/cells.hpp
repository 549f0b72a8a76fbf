// A picture's macroblocks as cells; see ../cells.hpp.
#pragma once

#include "../cells.hpp"
#include "reader.hpp"

namespace salientclips::h264 {

// Parses the macroblocks of job and reduces them to cells, as parse_job and then numpy would. job.frame says what
// became of it, and its arrays stay empty; a P picture that was parsed has its cells.
void parse_cells(Job& job, Scratch& scratch, const CellGrid& grid, Cells& cells);

}  // namespace salientclips::h264
