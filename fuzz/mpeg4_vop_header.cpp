// Fuzz target for the headers of VOPs.
//
// Input: a byte, the fields of a layer, and either what follows a VOP's start code, which is parsed (even), or fields
// that are written and must be read again (odd).
#include "mpeg4_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;
using mpeg4::VopHeader;
using mpeg4::VopType;

namespace {

void check_limits(const VopHeader& vop, std::size_t bits) {
    require(!mpeg4::name_of(vop.status).empty(), "a status without a name");
    require(vop.time_increment >= 0 && vop.time_increment < 65536, "time_increment");
    require(vop.modulo_seconds <= bits, "modulo_seconds");
    if (vop.status != mpeg4::Status::ok) return;
    require(vop.quantiser >= 1 && vop.quantiser <= 31, "quantiser");
    require(vop.fcode >= 1 && vop.fcode <= 7, "fcode");
    require(vop.intra_dc_vlc_thr >= 0 && vop.intra_dc_vlc_thr <= 7, "intra_dc_vlc_thr");
    require(vop.macroblocks_at <= bits, "macroblocks beyond the end");
    require(vop.type != VopType::sprite, "a type that is not read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const unsigned choice = input.byte();
    Vol vol = make_vol(input, 8191, 8191);
    if ((choice & 1) == 0) {
        vol.complexity_bits_i = choice >> 1 & 63;
        vol.complexity_bits_p = choice >> 3 & 31;
        vol.complexity_bits_b = choice >> 5 & 7;
        const auto rest = input.rest();
        const Bytes memory(rest.begin(), rest.end());
        check_limits(mpeg4::parse_vop_header(mpeg4::BitReader(memory), vol), 8 * memory.size());
        return 0;
    }
    const int type = input.below(3);
    const unsigned seconds = input.byte();
    const unsigned increment = (input.byte() << 8 | input.byte()) % (1U << vol.time_bits);
    const bool coded = input.byte() % 8 != 0;
    const bool rounding = input.flag();
    const int threshold = input.below(8);
    const int quantiser = 1 + input.below(31);
    const int fcode = 1 + input.below(7);
    BitWriter bits;
    bits.put(static_cast<unsigned>(type), 2);
    for (unsigned i = 0; i < seconds; ++i) bits.bit(true);
    bits.put(1, 2);  // the 0 that ends the seconds, and the marker
    bits.put(increment, vol.time_bits);
    bits.bit(true);
    bits.bit(coded);
    if (coded) {
        if (type == 1) bits.bit(rounding);
        bits.put(static_cast<unsigned>(threshold), 3);
        bits.put(static_cast<unsigned>(quantiser), 5);
        if (type != 0) bits.put(static_cast<unsigned>(fcode), 3);
        if (type == 2) bits.put(1, 3);
    }
    const std::size_t length = bits.position();
    const VopHeader read = mpeg4::parse_vop_header(mpeg4::BitReader(bits.bytes()), vol);
    check_limits(read, 8 * bits.bytes().size());
    require(read.status == (coded ? mpeg4::Status::ok : mpeg4::Status::not_coded), "the status");
    require(static_cast<int>(read.type) == type && read.modulo_seconds == seconds &&
                read.time_increment == static_cast<int>(increment),
            "type and time");
    if (!coded) return 0;
    require(read.rounding == (type == 1 && rounding) && read.intra_dc_vlc_thr == threshold &&
                read.quantiser == quantiser && (type == 0 || static_cast<int>(read.fcode) == fcode),
            "how it is coded");
    require(read.macroblocks_at == length, "where macroblocks begin");
    return 0;
}
