// See reader.hpp.
#include "reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace salientclips::mpeg4 {

namespace {

constexpr std::size_t kStartCodeBytes = 4;
constexpr std::size_t kMaxUserData = 256;

// Table 6-3, start code values.
constexpr std::uint8_t kVideoObjectLayerFirst = 0x20;
constexpr std::uint8_t kVideoObjectLayerLast = 0x2F;
constexpr std::uint8_t kVisualObjectSequence = 0xB0;
constexpr std::uint8_t kUserData = 0xB2;
constexpr std::uint8_t kGroupOfVop = 0xB3;
constexpr std::uint8_t kVisualObject = 0xB5;
constexpr std::uint8_t kVop = 0xB6;

// Table G.1: the simple studio and core studio profiles.
constexpr std::uint8_t kStudioProfileFirst = 0xE1;
constexpr std::uint8_t kStudioProfileLast = 0xE8;

// Where the next 00 00 01 begins, at or after `from`; the size where there is none with a value after it.
std::size_t find_start_code(std::span<const std::uint8_t> bytes, std::size_t from) {
    std::size_t at = from + 2;
    while (at + 1 < bytes.size()) {
        const void* one = std::memchr(bytes.data() + at, 1, bytes.size() - 1 - at);
        if (one == nullptr) {
            break;
        }
        at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(one) - bytes.data());
        if (bytes[at - 1] == 0 && bytes[at - 2] == 0) {
            return at - 2;
        }
        ++at;
    }
    return bytes.size();
}

// short_video_start_marker: 22 bits 0000 0000 0000 0000 1000 00 at the start of a packet.
bool is_short_header(std::span<const std::uint8_t> bytes) {
    return bytes.size() >= 3 && bytes[0] == 0 && bytes[1] == 0 && (bytes[2] & 0xFC) == 0x80;
}

}  // namespace

Reader::Reader(std::span<const std::uint8_t> extradata) { walk(extradata); }

std::vector<VopInfo> Reader::look(std::span<const std::uint8_t> packet) {
    std::vector<VopInfo> infos;
    for (const Unit& unit : walk(packet)) {
        infos.push_back(unit.info);
    }
    return infos;
}

std::vector<Frame> Reader::feed(std::span<const std::uint8_t> packet, bool parse) {
    std::vector<Frame> frames;
    for (Unit& unit : walk(packet)) {
        Frame frame{unit.info, {}, std::move(unit.vol)};
        if (unit.header.status != Status::ok) {
            frame.content.status = unit.header.status;
        } else if (parse && unit.header.type == VopType::predicted) {
            frame.content = parse_predicted_vop(unit.bytes, *frame.vol, unit.header);
        }
        frames.push_back(std::move(frame));
    }
    return frames;
}

Job Reader::accept(std::span<const std::uint8_t> packet, bool wanted) {
    Job job;
    job.packet = ++packet_;
    for (Unit& unit : walk(packet)) {
        const bool predicted = unit.info.type == VopType::predicted;
        if (is_form(unit.header.status) && job.status == Status::ok) {
            job.status = unit.header.status;
        }
        const bool anchors = unit.info.coded && (predicted || unit.info.type == VopType::intra);
        if (wanted && predicted && unit.header.status == Status::ok) {
            job.anchor = anchor_;
            job.vop = std::move(unit);
        }
        if (anchors) {
            anchor_ = packet_;
        }
    }
    return job;
}

Vol Reader::vol() const {
    const std::lock_guard guard(lock_);
    return *vol_;
}

bool Reader::packed() const {
    const std::lock_guard guard(lock_);
    return packed_;
}

std::string Reader::user_data() const {
    const std::lock_guard guard(lock_);
    return user_data_;
}

std::vector<Unit> Reader::walk(std::span<const std::uint8_t> bytes) {
    const std::lock_guard guard(lock_);
    std::vector<Unit> units;
    if (is_short_header(bytes)) {
        Unit unit;
        unit.header.status = unit.info.status = Status::short_header;
        unit.info.size_bytes = bytes.size();
        unit.vol = vol_;
        units.push_back(std::move(unit));
        return units;
    }
    std::size_t at = find_start_code(bytes, 0);
    while (at < bytes.size()) {
        const std::size_t next = find_start_code(bytes, at + kStartCodeBytes);
        const std::uint8_t code = bytes[at + 3];
        const std::span<const std::uint8_t> section = bytes.subspan(at + kStartCodeBytes, next - at - kStartCodeBytes);
        if (code == kVop) {
            units.push_back(read_vop(section));
            units.back().info.offset_bytes = at;
            units.back().info.size_bytes = next - at;
        } else {
            read_section(code, section);
        }
        at = next;
    }
    return units;
}

void Reader::read_section(std::uint8_t code, std::span<const std::uint8_t> bytes) {
    if (code == kVisualObjectSequence && !bytes.empty()) {
        studio_ = bytes[0] >= kStudioProfileFirst && bytes[0] <= kStudioProfileLast;
    } else if (code == kVisualObject) {
        BitReader bits(bytes);
        object_version_ = bits.read_flag() ? static_cast<int>(bits.read(4)) : 1;
    } else if (code >= kVideoObjectLayerFirst && code <= kVideoObjectLayerLast) {
        Vol vol = parse_vol(BitReader(bytes), object_version_);
        if (studio_) {
            vol.status = Status::studio;
        }
        vol_ = std::make_shared<const Vol>(vol);
    } else if (code == kGroupOfVop) {
        seconds_ = parse_gov_seconds(BitReader(bytes));
    } else if (code == kUserData) {
        read_user_data(bytes);
    }
}

// DivX writes "DivX503b1393p" where its bitstream is packed; XviD imitates it and adds "XviD0063".
void Reader::read_user_data(std::span<const std::uint8_t> bytes) {
    const auto end = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
    const auto length = std::min(static_cast<std::size_t>(end - bytes.begin()), kMaxUserData);
    const std::string text(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    if (text.starts_with("DivX")) {
        packed_ = text.ends_with('p');
    }
    user_data_ = text;
}

Unit Reader::read_vop(std::span<const std::uint8_t> bytes) {
    Unit unit;
    unit.vol = vol_;
    unit.bytes = bytes;
    unit.header = parse_vop_header(BitReader(bytes), *vol_);
    const VopHeader& header = unit.header;
    VopInfo& info = unit.info;
    info.type = header.type;
    info.status = header.status;
    info.quantiser = header.quantiser;
    info.rounding = header.rounding;
    info.coded = header.status != Status::not_coded && header.status != Status::broken_header;
    if (header.status == Status::broken_header) {
        return unit;
    }
    // 6.3.5, modulo_time_base: I-, P- and S-VOPs count seconds on from the last of them, B-VOPs from the one
    // that is shown before them.
    std::int64_t seconds = previous_seconds_ + header.modulo_seconds;
    if (header.type != VopType::bidirectional) {
        previous_seconds_ = seconds_;
        seconds_ += header.modulo_seconds;
        seconds = seconds_;
    }
    info.time_ticks = seconds * vol_->time_resolution + header.time_increment;
    if (header.type == VopType::predicted) {
        info.reference_ticks = reference_ticks_;
    }
    if (info.coded && header.type != VopType::bidirectional) {
        reference_ticks_ = info.time_ticks;
    }
    return unit;
}

}  // namespace salientclips::mpeg4
