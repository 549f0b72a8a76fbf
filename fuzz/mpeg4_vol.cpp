// Fuzz target for the headers of video object layers, and of groups of VOPs.
//
// Input: a byte, and either what follows a start code, which is parsed (even; its bits 1 to 4 are the object's
// version), or fields that are written and must be read again (odd).
#include "mpeg4_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

void check_limits(const Vol& vol) {
    require(!mpeg4::name_of(vol.status).empty(), "a status without a name");
    require(vol.time_bits >= 1 && vol.time_bits <= 16, "time_bits");
    require(vol.complexity_bits_i <= 256 && vol.complexity_bits_p <= 256 && vol.complexity_bits_b <= 256, "estimation");
    if (vol.status != mpeg4::Status::ok) return;
    require(vol.width_px > 16 && vol.width_px < 8192 && vol.height_px > 0 && vol.height_px < 8192, "the size");
    require(vol.time_resolution > 0 && vol.time_resolution < 65536, "time_resolution");
    require(vol.time_resolution <= 1 << vol.time_bits, "time_bits for time_resolution");
    require(std::ranges::count(vol.inter_matrix, 0) == 0, "a weight of 0");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const unsigned choice = input.byte();
    if ((choice & 1) == 0) {
        const auto rest = input.rest();
        const Bytes memory(rest.begin(), rest.end());
        check_limits(mpeg4::parse_vol(mpeg4::BitReader(memory), static_cast<int>(choice >> 1 & 15)));
        const int seconds = mpeg4::parse_gov_seconds(mpeg4::BitReader(memory));
        require(seconds >= 0 && seconds < 32 * 3600 + 64 * 60 + 64, "the time code");
        return 0;
    }
    const Vol written = make_vol(input, 8191, 8191);
    BitWriter bits;
    write_vol(bits, written);
    bits.put(0x7f, 8);
    const Vol read = mpeg4::parse_vol(mpeg4::BitReader(bits.bytes()), 1);
    check_limits(read);
    require(read.status == mpeg4::Status::ok, "a valid layer is refused");
    require(read.width_px == written.width_px && read.height_px == written.height_px, "the size read");
    require(read.time_resolution == written.time_resolution && read.time_bits == written.time_bits &&
                read.fixed_increment == written.fixed_increment && read.low_delay == written.low_delay,
            "the clock");
    require(read.mpeg_quant == written.mpeg_quant && read.quarter_sample == written.quarter_sample &&
                read.resync_markers == written.resync_markers && read.inter_matrix == written.inter_matrix,
            "the tools");
    return 0;
}
