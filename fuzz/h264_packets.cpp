// Fuzz target for the whole H.264 entry: extradata and packets as a container would give them.
//
// Input: records of a three-byte big-endian length and as many bytes; the first is extradata, the others are packets.
// Built with libFuzzer (-fsanitize=fuzzer) it is a fuzzer; with fuzz/standalone.cpp it replays files
// and mutates them under any compiler's sanitizers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "../src/salientclips/compressed/_native/h264/cells.hpp"
#include "../src/salientclips/compressed/_native/h264/reader.hpp"

namespace {

// The next record; false at the end.
bool take(const std::uint8_t*& at, const std::uint8_t* end, const std::uint8_t*& record, std::size_t& size) {
    if (end - at < 3) return false;
    const auto length = static_cast<std::size_t>(at[0]) << 16 | static_cast<std::size_t>(at[1]) << 8 | at[2];
    record = at + 3;
    const auto left = static_cast<std::size_t>(end - record);
    size = length < left ? length : left;
    at = record + size;
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace salientclips::h264;
    const std::uint8_t* end = data + size;
    const std::uint8_t* record;
    std::size_t length;
    if (!take(data, end, record, length)) return 0;
    Reader reader(record, length);
    static Scratch scratch;
    // Pictures that the stream has and ones that it has not: its size may change under the features' feet.
    salientclips::CellGrid grid;
    grid.width_px = 1 + static_cast<int>(size * 37 % 400);
    grid.height_px = 1 + static_cast<int>(size * 53 % 300);
    grid.positions = {0, 3, 1, 2, 6, 4, 5};
    while (take(data, end, record, length)) {
        reader.look(record, length);
        Job job = reader.accept(record, length, true);
        if ((length & 2) != 0) {
            salientclips::Cells cells;
            parse_cells(job, scratch, grid, cells);
            if (!cells.energy.empty() && cells.md.size() != 2 * grid.count()) std::abort();
        } else {
            parse_job(job, scratch, (length & 1) != 0);
        }
    }
    return 0;
}
