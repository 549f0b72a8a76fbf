// The headers of ISO/IEC 14496-2 that stand before macroblocks: video object layer, group of VOPs, VOP.
//
// What the reader cannot parse further is recognised here and named by a Status. Nothing here looks at
// macroblocks. Subclauses are those of the 2004 edition: 6.2.3 (VOL), 6.2.4 (GOV), 6.2.5 (VOP).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bit_reader.hpp"
#include "codes.hpp"

namespace salientclips::mpeg4 {

// What became of a stream or of a VOP. The names are what Python sees.
enum class Status : std::uint8_t {
    ok,
    not_parsed,          // its macroblocks were not asked for, or it is of a type that is never parsed
    not_coded,           // vop_coded is 0: the frame before is shown again
    no_header,           // no VOL header came before it
    broken_header,       // a VOL or VOP header has a forbidden value or ends too early
    broken_macroblock,   // no code word, a coefficient beyond the 64th, a lost marker
    truncated,           // the VOP ends before its last macroblock
    lost_packet,         // a resync marker names another macroblock than the next one
    // Recognised, and not read:
    interlaced,
    sprite,              // static sprites
    gmc,                 // global motion compensation
    data_partitioned,
    short_header,        // H.263 in MPEG-4's clothes
    shape,               // not rectangular
    not_8_bit,
    scalability,
    newpred,
    reduced_resolution,
    complexity_estimation,  // an estimation method that the standard reserves
    studio,
    narrow,              // one macroblock wide: libavcodec predicts vectors there otherwise than the standard
};

std::string_view name_of(Status status);

// Whether a status names a form that is recognised and not read.
inline bool is_form(Status status) { return status >= Status::interlaced; }

enum class VopType : std::uint8_t { intra = 0, predicted = 1, bidirectional = 2, sprite = 3 };

// What a video object layer header says, as far as VOPs are parsed by it.
struct Vol {
    Status status = Status::no_header;  // ok, or why its VOPs are not read
    int width_px = 0;
    int height_px = 0;
    int time_resolution = 0;            // ticks a second
    int fixed_increment = 0;            // ticks a frame; 0 where the rate is not fixed
    unsigned time_bits = 1;             // length of vop_time_increment
    bool low_delay = false;             // says that no B-VOPs come; false where it does not say
    bool mpeg_quant = false;            // second inverse quantisation method
    bool quarter_sample = false;
    bool resync_markers = false;
    unsigned complexity_bits_i = 0;     // bits of vop_complexity_estimation_header in I-VOPs
    unsigned complexity_bits_p = 0;     // bits that P-VOPs have besides
    unsigned complexity_bits_b = 0;     // bits that B-VOPs have besides both
    std::array<std::uint8_t, 64> inter_matrix = kDefaultInterMatrix;  // raster order

    int mb_width() const { return (width_px + 15) / 16; }
    int mb_height() const { return (height_px + 15) / 16; }
};

// What a VOP header says.
struct VopHeader {
    Status status = Status::broken_header;  // ok, not_coded, broken_header, or why it is not read
    VopType type = VopType::intra;
    unsigned modulo_seconds = 0;
    int time_increment = 0;   // ticks
    int intra_dc_vlc_thr = 0;
    int quantiser = 0;        // 1 to 31
    unsigned fcode = 1;       // 1 to 7; of P-VOPs
    bool rounding = false;
    std::size_t macroblocks_at = 0;  // bits between the start code and the first macroblock
};

// Parses what follows the start code of a video object layer.
Vol parse_vol(BitReader bits, int object_version);

// Parses what follows the start code of a VOP, as far as its first macroblock.
VopHeader parse_vop_header(BitReader bits, const Vol& vol);

// Seconds of the time code of a group of VOPs, from what follows its start code.
int parse_gov_seconds(BitReader bits);

}  // namespace salientclips::mpeg4
