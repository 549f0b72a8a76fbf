// Writes H.264 parameter sets and slice headers, clauses 7.3.2.1, 7.3.2.2 and 7.3.3, for the fuzz targets: valid ones
// around a damaged payload, and ones whose every field is known, to be compared with what the parsers make of them.
#pragma once

#include "../src/salientclips/compressed/_native/h264/slice_header.hpp"
#include "support.hpp"

namespace salientclips::fuzz {

using h264::Pps;
using h264::SliceHeader;
using h264::Sps;

inline void trail(BitWriter& out) {
    out.bit(true);
    out.fill_byte(false);
}

inline bool is_high(int profile) { return profile == 100 || profile == 110 || profile == 122 || profile == 244; }

// scaling_list(), clause 7.3.2.1.1.1, of values that are all present.
template <class List>
void write_list(BitWriter& out, const List& list) {
    int last = 8;
    for (const std::uint8_t value : list) {
        out.se(static_cast<std::int8_t>(static_cast<std::uint8_t>(value - last)));
        last = value;
    }
}

// All lists of a matrix. eight: how many 8x8 lists there are; those beyond the two of luma are flat.
inline void write_lists(BitWriter& out, const h264::ScalingLists& lists, int eight) {
    for (const auto& list : lists.four) {
        out.bit(true);
        write_list(out, list);
    }
    for (int i = 0; i < eight; ++i) {
        out.bit(i < 2);
        if (i < 2) write_list(out, lists.eight[static_cast<std::size_t>(i)]);
    }
}

inline void write_sps(BitWriter& out, const Sps& sps) {
    out.put(static_cast<unsigned>(sps.profile_idc), 8);
    out.put(0, 8);
    out.put(40, 8);
    out.ue(static_cast<unsigned>(sps.id));
    if (is_high(sps.profile_idc)) {
        out.ue(static_cast<unsigned>(sps.chroma_format_idc));
        if (sps.chroma_format_idc == 3) out.bit(sps.separate_colour_planes);
        out.ue(static_cast<unsigned>(sps.bit_depth_luma - 8));
        out.ue(static_cast<unsigned>(sps.bit_depth_chroma - 8));
        out.bit(sps.transform_bypass);
        out.bit(sps.has_scaling_matrix);
        if (sps.has_scaling_matrix) write_lists(out, sps.scaling, sps.chroma_format_idc == 3 ? 6 : 2);
    }
    out.ue(static_cast<unsigned>(sps.log2_max_frame_num - 4));
    out.ue(static_cast<unsigned>(sps.poc_type));
    if (sps.poc_type == 0) out.ue(static_cast<unsigned>(sps.log2_max_poc_lsb - 4));
    if (sps.poc_type == 1) {
        out.bit(sps.delta_pic_order_always_zero);
        out.se(sps.offset_for_non_ref_pic);
        out.se(sps.offset_for_top_to_bottom_field);
        out.ue(sps.offset_for_ref_frame.size());
        for (const std::int32_t offset : sps.offset_for_ref_frame) out.se(offset);
    }
    out.ue(static_cast<unsigned>(sps.num_ref_frames));
    out.bit(sps.gaps_in_frame_num_allowed);
    out.ue(static_cast<unsigned>(sps.width_mbs - 1));
    out.ue(static_cast<unsigned>(sps.height_map_units - 1));
    out.bit(sps.frame_mbs_only);
    if (!sps.frame_mbs_only) out.bit(sps.mbaff);
    out.put(0b100, 3);  // direct_8x8_inference, no cropping, no VUI
    trail(out);
}

// with_tail: whether transform_8x8_mode and what follows it is written.
inline void write_pps(BitWriter& out, const Pps& pps, const Sps& sps, bool with_tail, bool with_lists) {
    out.ue(static_cast<unsigned>(pps.id));
    out.ue(static_cast<unsigned>(pps.sps_id));
    out.bit(pps.cabac);
    out.bit(pps.pic_order_present);
    out.ue(static_cast<unsigned>(pps.num_slice_groups - 1));
    for (const int count : pps.num_ref_idx_default) out.ue(static_cast<unsigned>(count - 1));
    out.bit(pps.weighted_pred);
    out.put(static_cast<unsigned>(pps.weighted_bipred_idc), 2);
    out.se(pps.pic_init_qp - 26);
    out.se(0);
    out.se(pps.chroma_qp_offset[0]);
    out.bit(pps.deblocking_control_present);
    out.bit(false);
    out.bit(pps.redundant_pic_cnt_present);
    if (with_tail) {
        out.bit(pps.transform_8x8_mode);
        out.bit(with_lists);
        const int eight = pps.transform_8x8_mode ? (sps.chroma_format_idc == 3 ? 6 : 2) : 0;
        if (with_lists) write_lists(out, pps.scaling, eight);
        out.se(pps.chroma_qp_offset[1]);
    }
    trail(out);
}

inline void write_modifications(BitWriter& out, const SliceHeader& header) {
    out.bit(!header.modifications.empty());
    if (header.modifications.empty()) return;
    for (const auto& m : header.modifications) {
        out.ue(static_cast<unsigned>(m.idc));
        out.ue(m.value);
    }
    out.ue(3);
}

// pred_weight_table(), clause 7.3.3.2; its numbers are thrown away by the parser, so any will do.
inline void write_weights(BitWriter& out, const SliceHeader& header, const int counts[2]) {
    const bool chroma = header.sps->chroma_format_idc != 0;
    out.ue(5);
    if (chroma) out.ue(7);
    for (int list = 0; list < (header.type == h264::kB ? 2 : 1); ++list) {
        for (int i = 0; i < counts[list]; ++i) {
            out.bit(i % 2 == 0);
            for (int k = 0; i % 2 == 0 && k < 2; ++k) out.se(i - 7);
            if (chroma) out.bit(i % 3 == 0);
            for (int k = 0; chroma && i % 3 == 0 && k < 4; ++k) out.se(7 - k - i);
        }
    }
}

inline void write_marking(BitWriter& out, const SliceHeader& header) {
    if (header.idr) {
        out.bit(false);
        out.bit(header.long_term_reference);
        return;
    }
    out.bit(header.adaptive_marking);
    if (!header.adaptive_marking) return;
    for (const auto& m : header.marking) {
        out.ue(static_cast<unsigned>(m.op));
        if (m.op != 5) out.ue(m.a);
        if (m.op == 3) out.ue(m.b);
    }
    out.ue(0);
}

// Up to slice_data(); header.data_bit is not used. Of a B slice both lists have header.num_ref_idx entries.
inline void write_slice_header(BitWriter& out, const SliceHeader& header) {
    const Sps& sps = *header.sps;
    const Pps& pps = *header.pps;
    const bool both = pps.pic_order_present && !header.field;
    out.ue(header.first_mb);
    out.ue(static_cast<unsigned>(header.type));
    out.ue(static_cast<unsigned>(pps.id));
    out.put(static_cast<unsigned>(header.frame_num), static_cast<unsigned>(sps.log2_max_frame_num));
    if (!sps.frame_mbs_only) {
        out.bit(header.field);
        if (header.field) out.bit(header.bottom_field);
    }
    if (header.idr) out.ue(static_cast<unsigned>(header.idr_pic_id));
    if (sps.poc_type == 0) {
        out.put(static_cast<unsigned>(header.poc_lsb), static_cast<unsigned>(sps.log2_max_poc_lsb));
        if (both) out.se(header.delta_poc_bottom);
    } else if (sps.poc_type == 1 && !sps.delta_pic_order_always_zero) {
        out.se(header.delta_poc[0]);
        if (both) out.se(header.delta_poc[1]);
    }
    if (pps.redundant_pic_cnt_present) out.ue(static_cast<unsigned>(header.redundant_pic_cnt));
    const bool b = header.type == h264::kB;
    if (header.type == h264::kP || b) {
        if (b) out.bit(true);
        out.bit(true);
        for (int list = 0; list < (b ? 2 : 1); ++list) out.ue(static_cast<unsigned>(header.num_ref_idx - 1));
        write_modifications(out, header);
        if (b) out.bit(false);
    }
    const int counts[2] = {header.num_ref_idx, header.num_ref_idx};
    if (b ? pps.weighted_bipred_idc == 1 : pps.weighted_pred && header.type == h264::kP) {
        write_weights(out, header, counts);
    }
    if (header.nal_ref_idc != 0) write_marking(out, header);
    if (pps.cabac && header.type != h264::kI) out.ue(static_cast<unsigned>(header.cabac_init_idc));
    out.se(header.qp - pps.pic_init_qp);
    if (pps.deblocking_control_present) out.ue(1);
}

}  // namespace salientclips::fuzz
