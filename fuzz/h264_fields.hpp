// Parameter sets made from bytes of a fuzz input: any that the standard allows, within small numbers.
#pragma once

#include "h264_writer.hpp"

namespace salientclips::fuzz {

template <class List>
void fill_list(Input& in, List& list) {
    // The first byte may repeat for the whole list: few bytes of input then make a whole matrix.
    const int value = 1 + in.below(255);
    const int step = in.below(4);
    int next = value;
    for (auto& entry : list) {
        entry = static_cast<std::uint8_t>(next);
        next = (next + step) % 256;
        if (next == 0) next = 1;
    }
}

inline void fill_lists(Input& in, h264::ScalingLists& lists) {
    for (auto& list : lists.four) fill_list(in, list);
    for (auto& list : lists.eight) fill_list(in, list);
}

inline Sps make_sps(Input& in) {
    static constexpr int kProfiles[] = {66, 77, 88, 100, 110, 122, 244};
    Sps sps;
    sps.profile_idc = kProfiles[in.below(7)];
    sps.id = in.below(32);
    for (auto& list : sps.scaling.four) list.fill(16);
    for (auto& list : sps.scaling.eight) list.fill(16);
    if (is_high(sps.profile_idc)) {
        sps.chroma_format_idc = in.below(4);
        if (sps.chroma_format_idc == 3) sps.separate_colour_planes = in.flag();
        sps.bit_depth_luma = 8 + in.below(7);
        sps.bit_depth_chroma = 8 + in.below(7);
        sps.transform_bypass = in.flag();
        sps.has_scaling_matrix = in.flag();
        if (sps.has_scaling_matrix) fill_lists(in, sps.scaling);
    }
    sps.log2_max_frame_num = 4 + in.below(13);
    sps.poc_type = in.below(3);
    if (sps.poc_type == 0) sps.log2_max_poc_lsb = 4 + in.below(13);
    if (sps.poc_type == 1) {
        sps.delta_pic_order_always_zero = in.flag();
        sps.offset_for_non_ref_pic = in.number();
        sps.offset_for_top_to_bottom_field = in.number();
        sps.offset_for_ref_frame.resize(static_cast<std::size_t>(in.below(6)));
        for (auto& offset : sps.offset_for_ref_frame) offset = in.number();
    }
    sps.num_ref_frames = in.below(17);
    sps.gaps_in_frame_num_allowed = in.flag();
    sps.width_mbs = 1 + in.below(120);
    sps.height_map_units = 1 + in.below(68);
    sps.frame_mbs_only = in.flag();
    if (!sps.frame_mbs_only) sps.mbaff = in.flag();
    return sps;
}

struct MadePps {
    Pps pps;
    bool with_tail = false;
    bool with_lists = false;
};

inline MadePps make_pps(Input& in, const Sps& sps) {
    MadePps made;
    Pps& pps = made.pps;
    pps.id = in.below(256);
    pps.sps_id = sps.id;
    pps.cabac = in.flag();
    pps.pic_order_present = in.flag();
    for (int& count : pps.num_ref_idx_default) count = 1 + in.below(32);
    pps.weighted_pred = in.flag();
    pps.weighted_bipred_idc = in.below(3);
    const int lowest = -6 * (sps.bit_depth_luma - 8);
    pps.pic_init_qp = lowest + in.below(52 - lowest);
    pps.chroma_qp_offset[0] = in.below(25) - 12;
    pps.chroma_qp_offset[1] = pps.chroma_qp_offset[0];
    pps.deblocking_control_present = in.flag();
    pps.redundant_pic_cnt_present = in.flag();
    pps.scaling = sps.scaling;
    made.with_tail = in.flag();
    if (made.with_tail) {
        pps.transform_8x8_mode = in.flag();
        pps.chroma_qp_offset[1] = in.below(25) - 12;
        made.with_lists = in.flag();
        if (made.with_lists) {
            const auto eight = pps.scaling.eight;
            fill_lists(in, pps.scaling);
            // Without 8x8 transforms a PPS has no 8x8 lists, and none is ever used.
            if (!pps.transform_8x8_mode) pps.scaling.eight = eight;
        }
    }
    return made;
}

inline bool same_lists(const h264::ScalingLists& a, const h264::ScalingLists& b) {
    return a.four == b.four && a.eight == b.eight;
}

}  // namespace salientclips::fuzz
