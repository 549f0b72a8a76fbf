// From packets to VOPs: finds the start codes, keeps the layer header and the clock, parses what is asked for.
//
// A packet may hold several VOPs (DivX's packed bitstream puts a P- and a B-VOP into one packet and a VOP that
// is not coded into the next). Each packet is given once, in decoding order, to look() or to feed(), because the
// time of a VOP counts on from the VOPs before it. Calls from several threads on one reader are safe: the clock
// is behind a lock, and macroblocks are parsed outside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headers.hpp"
#include "vop.hpp"

namespace salientclips::mpeg4 {

// A VOP as its header shows it.
struct VopInfo {
    Status status = Status::broken_header;  // ok where the header is whole and the VOP is coded
    VopType type = VopType::intra;
    bool coded = false;
    std::int64_t time_ticks = 0;                   // display time, in ticks of the layer's resolution
    std::optional<std::int64_t> reference_ticks;   // of a P-VOP: time of the coded I- or P-VOP before it
    int quantiser = 0;     // of the header, 1 to 31; 0 where it was not read
    bool rounding = false; // vop_rounding_type: how halves are rounded in motion compensation
    std::size_t offset_bytes = 0;                  // of its start code in the packet
    std::size_t size_bytes = 0;                    // with its start code
};

// A VOP with its header read, ready to be parsed apart from all others. It points into the packet.
struct Unit {
    VopInfo info;
    VopHeader header;
    std::shared_ptr<const Vol> vol;
    std::span<const std::uint8_t> bytes;  // after the start code
};

// What a packet holds for one who wants its P-frame alone.
struct Job {
    Status status = Status::ok;  // of the first VOP that has a form that is not read
    std::optional<Unit> vop;     // the last P-VOP that can be parsed
    std::int64_t packet = 0;     // counted from 0
    std::int64_t anchor = -1;    // packet of the coded I- or P-VOP before it, -1 where there is none
};

struct Frame {
    VopInfo info;
    VopContent content;
    std::shared_ptr<const Vol> vol;
};

class Reader {
public:
    // Takes the headers that the container keeps beside the packets; they may be empty.
    explicit Reader(std::span<const std::uint8_t> extradata);

    // The VOPs of a packet from their headers alone.
    std::vector<VopInfo> look(std::span<const std::uint8_t> packet);

    // The VOPs of a packet; with `parse`, P-VOPs come with their content.
    std::vector<Frame> feed(std::span<const std::uint8_t> packet, bool parse);

    // Reads the headers of the next packet, in the stead of look() and feed(); with `wanted`, the job can be parsed.
    // Packets are counted here, so all of a stream must be given.
    Job accept(std::span<const std::uint8_t> packet, bool wanted);

    // The layer header that holds now.
    Vol vol() const;

    // Whether user data announced a packed bitstream.
    bool packed() const;

    // The last user data, as written; where it is an encoder, its name.
    std::string user_data() const;

private:
    std::vector<Unit> walk(std::span<const std::uint8_t> bytes);
    void read_section(std::uint8_t code, std::span<const std::uint8_t> bytes);
    Unit read_vop(std::span<const std::uint8_t> bytes);
    void read_user_data(std::span<const std::uint8_t> bytes);

    mutable std::mutex lock_;
    std::shared_ptr<const Vol> vol_ = std::make_shared<const Vol>();
    int object_version_ = 1;
    bool studio_ = false;
    bool packed_ = false;
    std::string user_data_;
    std::int64_t seconds_ = 0;           // whole seconds up to the last I-, P- or S-VOP
    std::int64_t previous_seconds_ = 0;  // and up to the one before, from which B-VOPs count
    std::optional<std::int64_t> reference_ticks_;
    std::int64_t packet_ = -1;
    std::int64_t anchor_ = -1;
};

}  // namespace salientclips::mpeg4
