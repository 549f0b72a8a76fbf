// Layer headers of MPEG-4 part 2 for the fuzz targets: made from bytes, and written, ISO/IEC 14496-2, 6.2.3.
#pragma once

#include "../src/salientclips/compressed/_native/mpeg4/headers.hpp"
#include "support.hpp"

namespace salientclips::fuzz {

using mpeg4::Vol;

// The forms that are read: rectangular, progressive, in one layer. width, height: largest, in samples.
inline Vol make_vol(Input& in, int width, int height) {
    Vol vol;
    vol.status = mpeg4::Status::ok;
    vol.width_px = 17 + static_cast<int>(in.byte() << 8 | in.byte()) % (width - 16);
    vol.height_px = 1 + static_cast<int>(in.byte() << 8 | in.byte()) % height;
    vol.time_resolution = 1 + static_cast<int>(in.byte() << 8 | in.byte()) % 65535;
    vol.time_bits = 1;
    while (vol.time_bits < 16 && (vol.time_resolution - 1) >> vol.time_bits != 0) ++vol.time_bits;
    const unsigned flags = in.byte();
    vol.low_delay = (flags & 1) != 0;
    vol.mpeg_quant = (flags & 2) != 0;
    vol.quarter_sample = (flags & 4) != 0;
    vol.resync_markers = (flags & 8) != 0;
    if ((flags & 16) != 0) vol.fixed_increment = static_cast<int>(in.byte() % (1U << std::min(8U, vol.time_bits)));
    if ((flags & 34) == 34) {
        const int first = 1 + in.below(255);
        const int step = in.below(8);
        int value = first;
        for (const std::uint8_t place : mpeg4::kZigzag) {
            vol.inter_matrix[place] = static_cast<std::uint8_t>(value);
            value = 1 + (value + step) % 255;
        }
    }
    return vol;
}

// What follows the start code of a layer of version 2, as the encoders write it.
inline void write_vol(BitWriter& out, const Vol& vol) {
    out.bit(false);
    out.put(17, 8);
    out.bit(true);
    out.put(2, 4);
    out.put(1, 3);
    out.put(1, 4);
    out.bit(true);  // vol_control_parameters
    out.put(1, 2);
    out.bit(vol.low_delay);
    out.bit(false);
    out.put(0, 2);
    out.bit(true);
    out.put(static_cast<unsigned>(vol.time_resolution), 16);
    out.bit(true);
    out.bit(vol.fixed_increment != 0);
    if (vol.fixed_increment != 0) out.put(static_cast<unsigned>(vol.fixed_increment), vol.time_bits);
    out.bit(true);
    out.put(static_cast<unsigned>(vol.width_px), 13);
    out.bit(true);
    out.put(static_cast<unsigned>(vol.height_px), 13);
    out.bit(true);
    out.bit(false);    // interlaced
    out.bit(true);     // obmc_disable
    out.put(0, 2);     // sprite_enable
    out.bit(false);    // not_8_bit
    out.bit(vol.mpeg_quant);
    if (vol.mpeg_quant) {
        out.bit(false);
        out.bit(true);
        for (const std::uint8_t place : mpeg4::kZigzag) out.put(vol.inter_matrix[place], 8);
    }
    out.bit(vol.quarter_sample);
    out.bit(true);  // complexity_estimation_disable
    out.bit(!vol.resync_markers);
    out.bit(false);  // data_partitioned
    out.bit(false);  // newpred
    out.bit(false);  // reduced_resolution
    out.bit(false);  // scalability
}

}  // namespace salientclips::fuzz
