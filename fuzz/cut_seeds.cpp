// Cuts real streams into seeds for the targets of single parsers; tools/make_fuzz_corpus.py runs it.
//
// Usage: cut_seeds CORPUS_DIR NAME PACKETS_FILE, the file as for h264_packets.cpp or mpeg4_packets.cpp. Writes
// CORPUS_DIR/TARGET/NAME files; which codec it is follows from the first start code of the file.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "../src/salientclips/compressed/_native/mpeg4/headers.hpp"
#include "h264_slice_shape.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

struct Output {
    std::filesystem::path root;
    std::string name;

    void write(const std::string& target, const std::string& suffix, const Bytes& bytes) const {
        std::filesystem::create_directories(root / target);
        std::ofstream out(root / target / (name + suffix), std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
};

std::vector<Bytes> records(const Bytes& file) {
    std::vector<Bytes> all;
    Input in(file.data(), file.size());
    while (!in.empty()) {
        std::size_t length = in.byte() << 16;
        length |= in.byte() << 8;
        length |= in.byte();
        const auto part = in.take(length);
        all.emplace_back(part.begin(), part.end());
    }
    return all;
}

// Bits from a place on, as bytes.
Bytes bits_from(const Bytes& rbsp, std::size_t size, std::size_t bit) {
    BitWriter out;
    for (; bit < 8 * size; ++bit) out.bit((rbsp[bit / 8] >> (7 - bit % 8) & 1) != 0);
    return out.bytes();
}

Bytes joined(Bytes first, std::span<const std::uint8_t> second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

// The seeds of H.264 streams with start codes and one slice a picture.
void cut_h264(const std::vector<Bytes>& packets, const Output& out) {
    h264::ParameterSets sets;
    out.write("h264_extradata", "", packets.at(0));
    for (std::size_t number = 0; number < packets.size(); ++number) {
        const Bytes& packet = packets[number];
        if (number == 1) out.write("h264_nal", "", joined({0}, packet));
        h264::NalWalker walker(packet.data(), packet.size(), 0);
        for (h264::Nal nal; walker.next(nal);) {
            Bytes rbsp;
            const std::size_t size = unescape(nal.payload, nal.size, nal.size, rbsp);
            const Bytes plain(rbsp.begin(), rbsp.begin() + static_cast<std::ptrdiff_t>(size));
            if (nal.type == h264::kNalSps) {
                const auto sps = h264::parse_sps(rbsp.data(), size);
                if (!sps) continue;
                sets.sps.at[static_cast<std::size_t>(sps->id)] = sps;
                out.write("h264_sps", "", joined({0}, plain));
            } else if (nal.type == h264::kNalPps) {
                const auto pps = h264::parse_pps(rbsp.data(), size, sets.sps);
                if (!pps) continue;
                sets.pps[static_cast<std::size_t>(pps->id)] = pps;
                // An SPS of profile 77 by make_sps(): its other fields do not matter here, but for their number.
                out.write("h264_pps", "", joined({0, 1, 0, 0, 2, 3, 0, 9, 7, 1}, plain));
            } else if (nal.type == h264::kNalSlice || nal.type == h264::kNalIdr) {
                h264::SliceHeader header;
                BitReader in(rbsp.data(), size * 8);
                if (h264::parse_slice_header(nal, in, sets, header) != h264::Status::kOk) continue;
                const Sps& sps = *header.sps;
                const Pps& pps = *header.pps;
                SliceShape shape;
                shape.width_mbs = sps.width_mbs;
                shape.height_mbs = sps.height_mbs();
                shape.chroma_format_idc = sps.chroma_format_idc;
                shape.bit_depth = sps.bit_depth_luma;
                shape.transform_8x8 = pps.transform_8x8_mode;
                shape.p = header.type == h264::kP;
                shape.num_ref_idx = std::max(1, header.num_ref_idx);
                shape.qp = header.qp;
                shape.cabac_init_idc = header.cabac_init_idc;
                shape.pictures_before = shape.p ? 2 : 0;
                std::size_t bit = header.data_bit;
                if (pps.cabac) bit = (bit + 7) / 8 * 8;
                const Bytes data = bits_from(rbsp, size, bit);
                out.write(pps.cabac ? "h264_slice_cabac" : "h264_slice_cavlc", "_" + std::to_string(number),
                          joined(shape_bytes(shape), data));
            }
        }
    }
}

void cut_mpeg4(const std::vector<Bytes>& packets, const Output& out) {
    mpeg4::Vol vol;
    for (std::size_t number = 0; number < packets.size(); ++number) {
        const Bytes& packet = packets[number];
        for (std::size_t i = 0; i + 4 <= packet.size(); ++i) {
            if (packet[i] != 0 || packet[i + 1] != 0 || packet[i + 2] != 1) continue;
            const unsigned code = packet[i + 3];
            std::size_t end = i + 4;
            while (end + 3 <= packet.size() && !(packet[end] == 0 && packet[end + 1] == 0 && packet[end + 2] == 1)) ++end;
            if (end + 3 > packet.size()) end = packet.size();
            const Bytes section(packet.begin() + static_cast<std::ptrdiff_t>(i + 4),
                                packet.begin() + static_cast<std::ptrdiff_t>(end));
            if (code >= 0x20 && code < 0x30) {
                vol = mpeg4::parse_vol(mpeg4::BitReader(section), 1);
                out.write("mpeg4_vol", "", joined({2}, section));
            }
            if (code != 0xB6 || vol.status != mpeg4::Status::ok) continue;
            const auto big = [](int v) { return std::vector<int>{v >> 8, v & 255}; };
            Bytes fields;
            for (const int v : {vol.width_px - 17, vol.height_px - 1, vol.time_resolution - 1}) {
                for (const int b : big(v)) fields.push_back(static_cast<std::uint8_t>(b));
            }
            fields.push_back(static_cast<std::uint8_t>(vol.low_delay | vol.mpeg_quant << 1 | vol.quarter_sample << 2 |
                                                       vol.resync_markers << 3));
            const std::size_t kept = std::min<std::size_t>(section.size(), 16);
            out.write("mpeg4_vop_header", "_" + std::to_string(number),
                      joined(joined({0}, fields), std::span(section).first(kept)));
            const auto header = mpeg4::parse_vop_header(mpeg4::BitReader(section), vol);
            if (header.status != mpeg4::Status::ok || header.type != mpeg4::VopType::predicted) continue;
            for (const unsigned v : {static_cast<unsigned>(header.quantiser - 1), header.fcode - 1,
                                     static_cast<unsigned>(header.intra_dc_vlc_thr),
                                     static_cast<unsigned>(header.macroblocks_at % 8)}) {
                fields.push_back(static_cast<std::uint8_t>(v));
            }
            out.write("mpeg4_vop", "_" + std::to_string(number),
                      joined(fields, std::span(section).subspan(header.macroblocks_at / 8)));
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    std::ifstream in(argv[3], std::ios::binary);
    const Bytes file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::vector<Bytes> packets = records(file);
    const bool h264 = std::ranges::any_of(packets, [](const Bytes& p) {
        for (std::size_t i = 0; i + 4 <= p.size(); ++i) {
            if (p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 1 && (p[i + 3] & 31) == h264::kNalSps && p[i + 3] < 0x80) {
                return true;
            }
        }
        return false;
    });
    const Output out{argv[1], argv[2]};
    h264 ? cut_h264(packets, out) : cut_mpeg4(packets, out);
    return 0;
}
