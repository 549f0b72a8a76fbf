// Fuzz target for the whole MPEG-4 part 2 entry: extradata and packets as a container would give them.
//
// Input as for h264_packets.cpp: records of a three-byte big-endian length and as many bytes; the first is extradata,
// the others are packets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "../src/salientclips/compressed/_native/mpeg4/cells.hpp"
#include "../src/salientclips/compressed/_native/mpeg4/export.hpp"
#include "../src/salientclips/compressed/_native/mpeg4/reader.hpp"

using namespace salientclips::mpeg4;

namespace {

// Copies a record into memory of its exact size, so that a read past its end is seen.
std::vector<std::uint8_t> take_record(std::span<const std::uint8_t>& input) {
    if (input.size() < 3) {
        input = {};
        return {};
    }
    const std::size_t wanted = std::size_t{input[0]} << 16 | std::size_t{input[1]} << 8 | input[2];
    const std::size_t length = std::min(wanted, input.size() - 3);
    std::vector<std::uint8_t> record(input.begin() + 3, input.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(3 + length);
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::span<const std::uint8_t> input(data, size);
    const std::vector<std::uint8_t> extradata = take_record(input);
    Reader reader(extradata);
    // Pictures that the stream has and ones that it has not: its size may change under the features' feet.
    salientclips::CellGrid grid;
    grid.width_px = 1 + static_cast<int>(size * 37 % 400);
    grid.height_px = 1 + static_cast<int>(size * 53 % 300);
    grid.positions = {0, 3, 1, 2, 6, 4, 5};
    const bool as_cells = (size & 1) != 0;
    while (!input.empty()) {
        const std::vector<std::uint8_t> packet = take_record(input);
        if (as_cells) {
            salientclips::Cells cells;
            const Job job = reader.accept(packet, true);
            if (parse_cells(job, grid, cells) && cells.md.size() != 2 * grid.count()) std::abort();
            continue;
        }
        for (const Frame& frame : reader.feed(packet, true)) {
            if (frame.content.status == Status::ok) {
                const auto records = motion_records(frame.content, *frame.vol);
                const auto planes = displacements(frame.content, *frame.vol);
                if (records.size() > frame.content.kinds.size() * 4 || planes.empty()) {
                    std::abort();
                }
            }
        }
    }
    return 0;
}
