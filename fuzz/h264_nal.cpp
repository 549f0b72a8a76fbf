// Fuzz target for the cutting of packets into NAL units and the removal of emulation prevention bytes, each against a
// plain rendering of its rule.
//
// Input: a byte that chooses the framing and how much of a unit is read, then the packet.
#include "../src/salientclips/compressed/_native/h264/nal.hpp"
#include "support.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;
using salientclips::h264::Nal;
using salientclips::h264::NalWalker;

namespace {

// Clause 7.4.1: the byte 3 after two zeros is left out.
Bytes slow_unescape(std::span<const std::uint8_t> escaped) {
    Bytes out;
    int zeros = 0;
    for (const std::uint8_t b : escaped) {
        if (zeros >= 2 && b == 3) {
            zeros = 0;
            continue;
        }
        out.push_back(b);
        zeros = b == 0 ? zeros + 1 : 0;
    }
    return out;
}

struct Range {
    std::size_t begin;
    std::size_t end;
};

// Annex B: units lie between start codes, less the zeros behind them.
std::vector<Range> slow_annex_b(std::span<const std::uint8_t> packet) {
    std::vector<std::size_t> codes;
    for (std::size_t i = 0; i + 3 <= packet.size(); ++i) {
        if (packet[i] == 0 && packet[i + 1] == 0 && packet[i + 2] == 1) codes.push_back(i);
    }
    std::vector<Range> units;
    for (std::size_t k = 0; k < codes.size(); ++k) {
        Range unit{codes[k] + 3, k + 1 < codes.size() ? codes[k + 1] : packet.size()};
        while (unit.end > unit.begin && packet[unit.end - 1] == 0) --unit.end;
        if (unit.end > unit.begin) units.push_back(unit);
    }
    return units;
}

// ISO/IEC 14496-15: each unit after its length. whole: every length was within the packet.
std::vector<Range> slow_prefixed(std::span<const std::uint8_t> packet, std::size_t prefix, bool& whole) {
    std::vector<Range> units;
    std::size_t at = 0;
    whole = true;
    while (at < packet.size()) {
        if (packet.size() - at < prefix) {
            whole = false;
            break;
        }
        std::size_t length = 0;
        for (std::size_t i = 0; i < prefix; ++i) length = length << 8 | packet[at + i];
        at += prefix;
        if (length > packet.size() - at) {
            whole = false;
            length = packet.size() - at;
        }
        if (length > 0) units.push_back({at, at + length});
        at += length;
    }
    return units;
}

std::vector<Range> slow_units(std::span<const std::uint8_t> packet, int length_size) {
    if (length_size == 0) return slow_annex_b(packet);
    bool whole = true;
    const auto units = slow_prefixed(packet, static_cast<std::size_t>(length_size), whole);
    const std::size_t zeros = packet.size() >= 4 && packet[2] == 0 ? 3 : 2;
    const bool start_code = packet.size() >= 4 && packet[0] == 0 && packet[1] == 0 && packet[zeros] == 1;
    return !whole && start_code ? slow_annex_b(packet) : units;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const unsigned choice = input.byte();
    const int length_size = static_cast<int>(choice % 5);
    const auto rest = input.rest();
    const Bytes packet(rest.begin(), rest.end());
    NalWalker walker(packet.data(), packet.size(), length_size);
    Bytes scratch;
    Nal nal;
    for (const Range& unit : slow_units(packet, length_size)) {
        require(walker.next(nal), "a unit is missing");
        require(nal.payload == packet.data() + unit.begin + 1, "where a unit begins");
        require(nal.size == unit.end - unit.begin - 1, "where a unit ends");
        require(nal.type == (packet[unit.begin] & 31) && nal.ref_idc == (packet[unit.begin] >> 5 & 3), "its header");
        const std::size_t most = (choice & 128) != 0 ? choice & 127 : nal.size;
        const std::size_t kept = unescape(nal.payload, nal.size, most, scratch);
        const Bytes expected = slow_unescape({nal.payload, std::min(nal.size, most)});
        require(kept == expected.size() && std::equal(expected.begin(), expected.end(), scratch.begin()), "unescape()");
        for (std::size_t i = 0; i < kPaddingBytes; ++i) require(scratch[kept + i] == 0, "the padding");
    }
    require(!walker.next(nal), "a unit too many");
    const Bytes escaped = escape(packet);
    const std::size_t kept = unescape(escaped.data(), escaped.size(), escaped.size(), scratch);
    require(kept == packet.size() && std::equal(packet.begin(), packet.end(), scratch.begin()), "escape and back");
    return 0;
}
