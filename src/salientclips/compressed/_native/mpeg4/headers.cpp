// See headers.hpp. Every function reads through BitReader, so a header that ends early reads as zeros and is
// found by overrun() at the end.
#include "headers.hpp"

#include <algorithm>
#include <bit>

namespace salientclips::mpeg4 {

std::string_view name_of(Status status) {
    switch (status) {
        case Status::ok: return "ok";
        case Status::not_parsed: return "not_parsed";
        case Status::not_coded: return "not_coded";
        case Status::no_header: return "no_header";
        case Status::broken_header: return "broken_header";
        case Status::broken_macroblock: return "broken_macroblock";
        case Status::truncated: return "truncated";
        case Status::lost_packet: return "lost_packet";
        case Status::interlaced: return "interlaced";
        case Status::sprite: return "sprite";
        case Status::gmc: return "gmc";
        case Status::data_partitioned: return "data_partitioned";
        case Status::short_header: return "short_header";
        case Status::shape: return "shape";
        case Status::not_8_bit: return "not_8_bit";
        case Status::scalability: return "scalability";
        case Status::newpred: return "newpred";
        case Status::reduced_resolution: return "reduced_resolution";
        case Status::complexity_estimation: return "complexity_estimation";
        case Status::studio: return "studio";
        case Status::narrow: return "narrow";
    }
    return "broken_header";
}

namespace {

constexpr unsigned kShapeRectangular = 0;
constexpr unsigned kSpriteStatic = 1;
constexpr unsigned kExtendedAspect = 15;
constexpr unsigned kObjectSimpleStudio = 14;
constexpr unsigned kObjectCoreStudio = 15;
constexpr unsigned kObjectFineGranularity = 18;

void skip_vol_control(BitReader& bits, Vol& vol) {
    if (!bits.read_flag()) {
        return;
    }
    bits.skip(2);  // chroma_format: 4:2:0 is all that the standard allows
    vol.low_delay = bits.read_flag();
    if (bits.read_flag()) {
        bits.skip(15 + 1 + 15 + 1 + 15 + 1 + 3 + 11 + 1 + 15 + 1);  // vbv_parameters
    }
}

// Returns whether the time fields are usable.
bool read_time_base(BitReader& bits, Vol& vol) {
    bits.skip(1);
    vol.time_resolution = static_cast<int>(bits.read(16));
    bits.skip(1);
    if (vol.time_resolution == 0) {
        return false;
    }
    const auto largest = static_cast<unsigned>(vol.time_resolution - 1);
    vol.time_bits = std::max(1U, static_cast<unsigned>(std::bit_width(largest)));
    if (bits.read_flag()) {
        vol.fixed_increment = static_cast<int>(bits.read(vol.time_bits));
    }
    return true;
}

// load_*_quant_mat: up to 64 values in zigzag order; a 0 ends them and the last one fills the rest.
bool read_matrix(BitReader& bits, std::array<std::uint8_t, 64>& matrix) {
    std::uint8_t last = 0;
    std::size_t i = 0;
    for (; i < 64; ++i) {
        const auto value = static_cast<std::uint8_t>(bits.read(8));
        if (value == 0) {
            break;
        }
        last = value;
        matrix[kZigzag[i]] = value;
    }
    for (std::size_t rest = i; rest < 64; ++rest) {
        matrix[kZigzag[rest]] = last;
    }
    return last != 0;
}

// define_vop_complexity_estimation_header: which counts each VOP header carries, as sums of their bits.
bool read_complexity(BitReader& bits, Vol& vol) {
    const unsigned method = bits.read(2);
    if (method > 1) {
        return false;
    }
    const auto counts = [&bits](unsigned& total, int how_many, unsigned width = 8) {
        for (int i = 0; i < how_many; ++i) {
            total += bits.read(1) * width;
        }
    };
    if (!bits.read_flag()) {
        counts(vol.complexity_bits_i, 6);  // shape
    }
    if (!bits.read_flag()) {
        counts(vol.complexity_bits_i, 1);  // intra_blocks
        counts(vol.complexity_bits_p, 2);  // inter_blocks, inter4v_blocks
        counts(vol.complexity_bits_i, 1);  // not_coded_blocks
    }
    bits.skip(1);
    if (!bits.read_flag()) {
        counts(vol.complexity_bits_i, 3);     // dct_coefs, dct_lines, vlc_symbols
        counts(vol.complexity_bits_i, 1, 4);  // vlc_bits
    }
    if (!bits.read_flag()) {
        counts(vol.complexity_bits_p, 2);  // apm, npm
        counts(vol.complexity_bits_b, 1);  // interpolate_mc_q
        counts(vol.complexity_bits_p, 3);  // forw_back_mc_q, halfpel2, halfpel4
    }
    bits.skip(1);
    if (method == 1 && !bits.read_flag()) {
        counts(vol.complexity_bits_i, 1);  // sadct
        counts(vol.complexity_bits_p, 1);  // quarterpel
    }
    return true;
}

// The part that only rectangular layers have, from interlaced to scalability.
Status read_coding_tools(BitReader& bits, Vol& vol, int version) {
    if (bits.read_flag()) {
        return Status::interlaced;
    }
    bits.skip(1);  // obmc_disable: overlapping changes the prediction, not the vectors or the residual
    if (const unsigned sprite = bits.read(version == 1 ? 1 : 2); sprite != 0) {
        return sprite == kSpriteStatic ? Status::sprite : Status::gmc;
    }
    if (bits.read_flag()) {
        return Status::not_8_bit;
    }
    vol.mpeg_quant = bits.read_flag();
    if (vol.mpeg_quant) {
        std::array<std::uint8_t, 64> intra_matrix{};  // intra blocks are parsed for their length alone
        if (bits.read_flag() && !read_matrix(bits, intra_matrix)) {
            return Status::broken_header;
        }
        if (bits.read_flag() && !read_matrix(bits, vol.inter_matrix)) {
            return Status::broken_header;
        }
    }
    if (version != 1) {
        vol.quarter_sample = bits.read_flag();
    }
    if (!bits.read_flag() && !read_complexity(bits, vol)) {
        return Status::complexity_estimation;
    }
    vol.resync_markers = !bits.read_flag();
    if (bits.read_flag()) {
        return Status::data_partitioned;
    }
    if (version != 1) {
        if (bits.read_flag()) {
            return Status::newpred;
        }
        if (bits.read_flag()) {
            return Status::reduced_resolution;
        }
    }
    return bits.read_flag() ? Status::scalability : Status::ok;
}

}  // namespace

Vol parse_vol(BitReader bits, int object_version) {
    Vol vol;
    bits.skip(1);  // random_accessible_vol
    const unsigned object_type = bits.read(8);
    int version = object_version;
    if (bits.read_flag()) {
        version = static_cast<int>(bits.read(4));
        bits.skip(3);
    }
    if (object_type == kObjectSimpleStudio || object_type == kObjectCoreStudio) {
        vol.status = Status::studio;
        return vol;
    }
    if (object_type == kObjectFineGranularity) {
        vol.status = Status::scalability;
        return vol;
    }
    if (bits.read(4) == kExtendedAspect) {
        bits.skip(16);
    }
    skip_vol_control(bits, vol);
    const unsigned shape = bits.read(2);
    if (shape != kShapeRectangular) {
        vol.status = Status::shape;
        return vol;
    }
    if (!read_time_base(bits, vol)) {
        vol.status = Status::broken_header;
        return vol;
    }
    bits.skip(1);
    vol.width_px = static_cast<int>(bits.read(13));
    bits.skip(1);
    vol.height_px = static_cast<int>(bits.read(13));
    bits.skip(1);
    vol.status = read_coding_tools(bits, vol, version);
    if (bits.overrun() || vol.width_px == 0 || vol.height_px == 0) {
        vol.status = Status::broken_header;
    } else if (vol.status == Status::ok && vol.width_px <= 16) {
        vol.status = Status::narrow;
    }
    return vol;
}

VopHeader parse_vop_header(BitReader bits, const Vol& vol) {
    VopHeader vop;
    vop.type = static_cast<VopType>(bits.read(2));
    if (vol.time_resolution == 0) {  // no layer header, or one that could not be read as far as its clock
        vop.status = vol.status;
        return vop;
    }
    while (bits.left() > 0 && bits.read_flag()) {
        ++vop.modulo_seconds;
    }
    bits.skip(1);
    vop.time_increment = static_cast<int>(bits.read(vol.time_bits));
    bits.skip(1);
    const bool coded = bits.read_flag();
    if (bits.overrun()) {
        return vop;
    }
    if (!coded) {
        vop.status = Status::not_coded;
        return vop;
    }
    if (vol.status != Status::ok) {
        vop.status = vol.status;
        return vop;
    }
    if (vop.type == VopType::sprite) {
        vop.status = Status::gmc;
        return vop;
    }
    const bool is_intra = vop.type == VopType::intra;
    const bool is_b = vop.type == VopType::bidirectional;
    if (vop.type == VopType::predicted) {
        vop.rounding = bits.read_flag();
    }
    bits.skip(vol.complexity_bits_i + (is_intra ? 0 : vol.complexity_bits_p) + (is_b ? vol.complexity_bits_b : 0));
    vop.intra_dc_vlc_thr = static_cast<int>(bits.read(3));
    vop.quantiser = static_cast<int>(bits.read(5));
    if (!is_intra) {
        vop.fcode = bits.read(3);
    }
    if (is_b) {
        bits.skip(3);
    }
    vop.macroblocks_at = bits.position();
    if (!bits.overrun() && vop.quantiser != 0 && vop.fcode != 0) {
        vop.status = Status::ok;
    }
    return vop;
}

int parse_gov_seconds(BitReader bits) {
    const int hours = static_cast<int>(bits.read(5));
    const int minutes = static_cast<int>(bits.read(6));
    bits.skip(1);
    const int seconds = static_cast<int>(bits.read(6));
    return (hours * 60 + minutes) * 60 + seconds;
}

}  // namespace salientclips::mpeg4
