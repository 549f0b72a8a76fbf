// Fuzz target for the configuration beside the packets: avcC records and Annex B parameter sets.
//
// Input: extradata in memory of its exact size. What was read of it is then used, by the header of one slice for each
// of the first picture parameter sets, in each framing.
#include "../src/salientclips/compressed/_native/h264/reader.hpp"
#include "support.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

// An IDR slice that begins with first_mb 0, slice_type I, the parameter set, and nothing but ones and zeros.
Bytes slice(unsigned pps_id, std::size_t length_size) {
    BitWriter bits;
    bits.put(0x65, 8);
    bits.ue(0);
    bits.ue(7);
    bits.ue(pps_id);
    for (int i = 0; i < 16; ++i) bits.put(0xA5, 8);
    const Bytes unit = escape(bits.bytes());
    Bytes packet;
    if (length_size == 0) packet = {0, 0, 1};
    for (std::size_t i = length_size; i-- > 0;) packet.push_back(static_cast<std::uint8_t>(unit.size() >> 8 * i));
    packet.insert(packet.end(), unit.begin(), unit.end());
    return packet;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes extradata(data, data + size);
    h264::Reader reader(extradata.data(), extradata.size());
    for (unsigned pps_id = 0; pps_id < 4; ++pps_id) {
        for (std::size_t length_size = 0; length_size <= 4; ++length_size) {
            const Bytes packet = slice(pps_id, length_size);
            const h264::PictureHead look = reader.look(packet.data(), packet.size());
            const h264::Job job = reader.accept(packet.data(), packet.size(), false);
            require(look.type == job.frame.head.type && look.frame_num == job.frame.head.frame_num, "look and accept");
        }
    }
    return 0;
}
