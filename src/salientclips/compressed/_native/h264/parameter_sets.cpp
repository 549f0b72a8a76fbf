// Parsing of parameter sets, ITU-T H.264 clause 7.3.2. Every value is held to the standard's limits, because
// slice parsing sizes its arrays by them.
#include "parameter_sets.hpp"

#include <algorithm>

#include "tables_generated.hpp"

namespace salientclips::h264 {
namespace {

// Table A-1, level 6.2: the largest frame, and with it the longest side (clause A.3.1 f, g).
constexpr int kMaxFrameMbs = 139264;
constexpr int kMaxSideMbs = 1055;

ScalingLists flat_lists() {
    ScalingLists lists;
    for (auto& list : lists.four) list.fill(16);
    for (auto& list : lists.eight) list.fill(16);
    return lists;
}

ScalingLists default_lists() {
    ScalingLists lists;
    for (int i = 0; i < 6; ++i) {
        const auto* from = i < 3 ? tables::kDefaultScaling4x4Intra : tables::kDefaultScaling4x4Inter;
        std::copy(from, from + 16, lists.four[static_cast<std::size_t>(i)].begin());
    }
    std::copy_n(tables::kDefaultScaling8x8Intra, 64, lists.eight[0].begin());
    std::copy_n(tables::kDefaultScaling8x8Inter, 64, lists.eight[1].begin());
    return lists;
}

// scaling_list(), clause 7.3.2.1.1.1. Returns false where the default list is to be used.
template <std::size_t N>
bool read_list(BitReader& in, std::array<std::uint8_t, N>& list) {
    int last = 8;
    int next = 8;
    for (std::size_t j = 0; j < N; ++j) {
        if (next != 0) {
            next = (last + in.se_saturated(1 << 16) + 256) & 255;
            if (j == 0 && next == 0) return false;
        }
        if (next != 0) last = next;
        list[j] = static_cast<std::uint8_t>(last);
    }
    return true;
}

// The list matrix of a parameter set. fallback: lists for Intra Y, Inter Y (4x4 and 8x8) that are not present:
// the default lists in an SPS (rule A), those of the SPS in a PPS (rule B); Table 7-2.
ScalingLists read_lists(BitReader& in, int num_eight, bool chroma_444, const ScalingLists& fallback) {
    const ScalingLists defaults = default_lists();
    ScalingLists lists = fallback;
    for (std::size_t i = 0; i < 6; ++i) {
        if (!in.flag()) {
            lists.four[i] = (i % 3 == 0) ? fallback.four[i] : lists.four[i - 1];
        } else if (!read_list(in, lists.four[i])) {
            lists.four[i] = defaults.four[i];
        }
    }
    for (int i = 0; i < num_eight; ++i) {
        std::array<std::uint8_t, 64> list{};
        const bool present = in.flag();
        const bool own = present && read_list(in, list);
        if (i >= 2 && chroma_444) continue;  // chroma lists of 4:4:4, which is not read further
        const auto k = static_cast<std::size_t>(i);
        lists.eight[k] = own ? list : (present ? defaults.eight[k] : fallback.eight[k]);
    }
    return lists;
}

bool has_chroma_fields(int profile) {
    static constexpr int kHigh[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    return std::find(std::begin(kHigh), std::end(kHigh), profile) != std::end(kHigh);
}

bool read_high_profile(BitReader& in, Sps& sps) {
    const auto chroma = in.ue();
    if (chroma > 3) return false;
    sps.chroma_format_idc = static_cast<int>(chroma);
    if (chroma == 3) sps.separate_colour_planes = in.flag();
    const auto luma = in.ue();
    const auto other = in.ue();
    if (luma > 6 || other > 6) return false;
    sps.bit_depth_luma = 8 + static_cast<int>(luma);
    sps.bit_depth_chroma = 8 + static_cast<int>(other);
    sps.transform_bypass = in.flag();
    sps.has_scaling_matrix = in.flag();
    if (sps.has_scaling_matrix) {
        sps.scaling = read_lists(in, chroma == 3 ? 6 : 2, chroma == 3, default_lists());
    }
    return !in.failed();
}

bool read_poc(BitReader& in, Sps& sps) {
    const auto type = in.ue();
    if (type > 2) return false;
    sps.poc_type = static_cast<int>(type);
    if (type == 0) {
        const auto log2 = in.ue();
        if (log2 > 12) return false;
        sps.log2_max_poc_lsb = static_cast<int>(log2) + 4;
    } else if (type == 1) {
        sps.delta_pic_order_always_zero = in.flag();
        // No real stream counts in steps of a million; the limit keeps sums of damaged ones from overflowing.
        constexpr int kLimit = 1 << 20;
        sps.offset_for_non_ref_pic = in.se_saturated(kLimit);
        sps.offset_for_top_to_bottom_field = in.se_saturated(kLimit);
        const auto cycle = in.ue();
        if (cycle > 255) return false;
        for (std::uint32_t i = 0; i < cycle; ++i) sps.offset_for_ref_frame.push_back(in.se_saturated(kLimit));
    }
    return !in.failed();
}

}  // namespace

std::shared_ptr<const Sps> parse_sps(const std::uint8_t* rbsp, std::size_t size) {
    auto sps = std::make_shared<Sps>();
    sps->raw.assign(rbsp, rbsp + size);
    BitReader in(rbsp, size * 8);
    sps->profile_idc = static_cast<int>(in.bits(8));
    in.skip(16);  // constraint flags, level_idc
    const auto id = in.ue();
    if (id > 31) return nullptr;
    sps->id = static_cast<int>(id);
    sps->scaling = flat_lists();
    if (has_chroma_fields(sps->profile_idc) && !read_high_profile(in, *sps)) return nullptr;
    const auto frame_num = in.ue();
    if (frame_num > 12) return nullptr;
    sps->log2_max_frame_num = static_cast<int>(frame_num) + 4;
    if (!read_poc(in, *sps)) return nullptr;
    const auto refs = in.ue();
    if (refs > 16) return nullptr;
    sps->num_ref_frames = static_cast<int>(refs);
    sps->gaps_in_frame_num_allowed = in.flag();
    const auto width = in.ue();
    const auto height = in.ue();
    sps->frame_mbs_only = in.flag();
    if (!sps->frame_mbs_only) sps->mbaff = in.flag();
    if (in.failed() || width >= kMaxSideMbs || height >= kMaxSideMbs) return nullptr;
    sps->width_mbs = static_cast<int>(width) + 1;
    sps->height_map_units = static_cast<int>(height) + 1;
    if (sps->height_mbs() > kMaxSideMbs || sps->width_mbs * sps->height_mbs() > kMaxFrameMbs) return nullptr;
    return sps;  // direct_8x8_inference, cropping and VUI follow; a slice of ours needs none of them
}

std::shared_ptr<const Pps> parse_pps(const std::uint8_t* rbsp, std::size_t size, const SpsTable& sets) {
    auto pps = std::make_shared<Pps>();
    pps->raw.assign(rbsp, rbsp + size);
    BitReader in(rbsp, payload_bits(rbsp, size));
    const auto id = in.ue();
    const auto sps_id = in.ue();
    if (id > 255 || sps_id > 31 || !sets.at[sps_id]) return nullptr;
    const Sps& sps = *sets.at[sps_id];
    pps->id = static_cast<int>(id);
    pps->sps_id = static_cast<int>(sps_id);
    pps->cabac = in.flag();
    pps->pic_order_present = in.flag();
    pps->num_slice_groups = static_cast<int>(in.ue() & 0xFFFF) + 1;
    // With slice groups the rest is of no use: such pictures are handed to the decoded back end.
    if (pps->num_slice_groups > 1) return in.failed() ? nullptr : pps;
    for (int& count : pps->num_ref_idx_default) {
        const auto n = in.ue();
        if (n > 31) return nullptr;
        count = static_cast<int>(n) + 1;
    }
    pps->weighted_pred = in.flag();
    pps->weighted_bipred_idc = static_cast<int>(in.bits(2));
    const int init_qp = in.se();
    in.se();  // pic_init_qs
    pps->chroma_qp_offset[0] = in.se();
    pps->deblocking_control_present = in.flag();
    in.flag();  // constrained_intra_pred
    pps->redundant_pic_cnt_present = in.flag();
    if (in.failed() || init_qp < -26 - 6 * (sps.bit_depth_luma - 8) || init_qp > 25) return nullptr;
    pps->pic_init_qp = 26 + init_qp;
    pps->chroma_qp_offset[1] = pps->chroma_qp_offset[0];
    pps->scaling = sps.scaling;
    if (in.position() < in.size()) {
        pps->transform_8x8_mode = in.flag();
        if (in.flag()) {
            const int eight = pps->transform_8x8_mode ? (sps.chroma_format_idc == 3 ? 6 : 2) : 0;
            const ScalingLists fallback = sps.has_scaling_matrix ? sps.scaling : default_lists();
            pps->scaling = read_lists(in, eight, sps.chroma_format_idc == 3, fallback);
        }
        pps->chroma_qp_offset[1] = in.se();
    }
    for (const int offset : pps->chroma_qp_offset) {
        if (offset < -12 || offset > 12) return nullptr;
    }
    return in.failed() ? nullptr : pps;
}

}  // namespace salientclips::h264
