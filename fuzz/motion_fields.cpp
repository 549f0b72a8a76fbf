// Fuzz target for what is made of vectors: blocks of any size and place as cells, and the camera's motion taken out.
//
// Input: a byte each for the rows and columns of a picture, then blocks of 12 bytes (place, size, movement), of which
// those with an odd first byte also set a cell of a field to four bytes of any float, infinite and NaN among them. The
// oracle: a cell is valid or zero, and the camera leaves cells that are not valid at zero.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../src/salientclips/compressed/_native/camera.hpp"
#include "../src/salientclips/compressed/_native/cells.hpp"

namespace {

int word(const std::uint8_t* at) { return static_cast<std::int16_t>(static_cast<std::uint16_t>(at[0] | at[1] << 8)); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    salientclips::CellGrid grid;
    grid.height_px = 1 + data[0] * 2;
    grid.width_px = 1 + data[1] * 2;
    const std::size_t plane = grid.count();
    salientclips::BlockSums sums(grid);
    std::vector<float> wild(2 * plane, 0.0F);
    std::vector<std::uint8_t> marked(plane, 0);
    for (std::size_t at = 2; size - at >= 12; at += 12) {
        const std::uint8_t* const block = data + at;
        sums.add(word(block), word(block + 2), block[4], block[5], word(block + 6) / 4.0, word(block + 8) / 4.0);
        if ((block[0] & 1) != 0) {
            const std::size_t cell = static_cast<std::size_t>(word(block + 2) & 0x7FFF) % plane;
            std::memcpy(&wild[cell], block + 4, 4);
            std::memcpy(&wild[plane + cell], block + 8, 4);
            marked[cell] = 1;
        }
    }
    salientclips::Cells cells;
    sums.finish(cells);
    salientclips::CameraFit camera(grid.rows(), grid.columns());
    camera.remove(cells.md.data(), cells.valid.data());
    camera.remove(wild.data(), marked.data());
    for (std::size_t i = 0; i < plane; ++i) {
        if (cells.valid[i] == 0 && (cells.md[i] != 0 || cells.md[plane + i] != 0)) std::abort();
        if (marked[i] == 0 && (wild[i] != 0 || wild[plane + i] != 0)) std::abort();
    }
    return 0;
}
