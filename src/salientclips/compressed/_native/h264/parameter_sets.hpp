// Sequence and picture parameter sets: what a slice needs to know before it can be parsed.
//
// ITU-T H.264 clauses 7.3.2.1 and 7.3.2.2. The VUI is not read: it changes nothing in a slice.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "../bits.hpp"

namespace salientclips::h264 {

// Scaling lists in zigzag order: 4x4 Intra Y, Cb, Cr, Inter Y, Cb, Cr; 8x8 Intra Y, Inter Y (clause 7.4.2.1.1.1).
struct ScalingLists {
    std::array<std::array<std::uint8_t, 16>, 6> four;
    std::array<std::array<std::uint8_t, 64>, 2> eight;
};

struct Sps {
    std::vector<std::uint8_t> raw;  // the RBSP, to recognise a repetition
    int profile_idc = 0;
    int id = 0;
    int chroma_format_idc = 1;
    bool separate_colour_planes = false;
    int bit_depth_luma = 8;
    int bit_depth_chroma = 8;
    bool transform_bypass = false;
    bool has_scaling_matrix = false;
    ScalingLists scaling{};
    int log2_max_frame_num = 4;
    int poc_type = 0;
    int log2_max_poc_lsb = 4;
    bool delta_pic_order_always_zero = false;
    int offset_for_non_ref_pic = 0;
    int offset_for_top_to_bottom_field = 0;
    std::vector<std::int32_t> offset_for_ref_frame;
    int num_ref_frames = 0;
    bool gaps_in_frame_num_allowed = false;
    int width_mbs = 0;
    int height_map_units = 0;
    bool frame_mbs_only = true;
    bool mbaff = false;

    int height_mbs() const { return (frame_mbs_only ? 1 : 2) * height_map_units; }
    int max_frame_num() const { return 1 << log2_max_frame_num; }
};

struct Pps {
    std::vector<std::uint8_t> raw;
    int id = 0;
    int sps_id = 0;
    bool cabac = false;
    bool pic_order_present = false;
    int num_slice_groups = 1;
    int num_ref_idx_default[2] = {1, 1};
    bool weighted_pred = false;
    int weighted_bipred_idc = 0;
    int pic_init_qp = 26;
    int chroma_qp_offset[2] = {0, 0};
    bool deblocking_control_present = false;
    bool redundant_pic_cnt_present = false;
    bool transform_8x8_mode = false;
    ScalingLists scaling{};  // after all fall-back rules
};

// Both return null where the parameter set is damaged or breaks a limit of the standard.
std::shared_ptr<const Sps> parse_sps(const std::uint8_t* rbsp, std::size_t size);
// Those seen so far, by their id: a picture parameter set depends on one for bit depth, chroma format, scaling lists.
struct SpsTable {
    std::array<std::shared_ptr<const Sps>, 32> at;
};
std::shared_ptr<const Pps> parse_pps(const std::uint8_t* rbsp, std::size_t size, const SpsTable& sets);

}  // namespace salientclips::h264
