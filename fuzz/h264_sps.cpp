// Fuzz target for sequence parameter sets.
//
// Input: a byte, and either an RBSP that is parsed (even) or fields that are written and must be read again (odd).
#include "h264_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

void check_limits(const Sps& sps) {
    require(sps.id >= 0 && sps.id < 32, "id");
    require(sps.chroma_format_idc >= 0 && sps.chroma_format_idc <= 3, "chroma_format_idc");
    require(sps.bit_depth_luma >= 8 && sps.bit_depth_luma <= 14, "bit_depth_luma");
    require(sps.bit_depth_chroma >= 8 && sps.bit_depth_chroma <= 14, "bit_depth_chroma");
    require(sps.log2_max_frame_num >= 4 && sps.log2_max_frame_num <= 16, "log2_max_frame_num");
    require(sps.log2_max_poc_lsb >= 4 && sps.log2_max_poc_lsb <= 16, "log2_max_poc_lsb");
    require(sps.offset_for_ref_frame.size() <= 255, "num_ref_frames_in_pic_order_cnt_cycle");
    require(sps.num_ref_frames >= 0 && sps.num_ref_frames <= 16, "num_ref_frames");
    require(sps.width_mbs > 0 && sps.height_map_units > 0, "an empty picture");
    // Table A-1: no level allows more macroblocks a frame than 139,264, so memory has this bound.
    require(sps.width_mbs <= 139264 / sps.height_mbs(), "a picture beyond every level");
    for (const auto& list : sps.scaling.four) require(std::ranges::count(list, 0) == 0, "a weight of 0");
    for (const auto& list : sps.scaling.eight) require(std::ranges::count(list, 0) == 0, "a weight of 0");
}

void check_equal(const Sps& a, const Sps& b) {
    require(a.profile_idc == b.profile_idc && a.id == b.id, "profile, id");
    require(a.chroma_format_idc == b.chroma_format_idc && a.separate_colour_planes == b.separate_colour_planes &&
                a.bit_depth_luma == b.bit_depth_luma && a.bit_depth_chroma == b.bit_depth_chroma &&
                a.transform_bypass == b.transform_bypass,
            "the form of samples");
    require(a.has_scaling_matrix == b.has_scaling_matrix && same_lists(a.scaling, b.scaling), "scaling lists");
    require(a.log2_max_frame_num == b.log2_max_frame_num && a.poc_type == b.poc_type &&
                a.log2_max_poc_lsb == b.log2_max_poc_lsb &&
                a.delta_pic_order_always_zero == b.delta_pic_order_always_zero &&
                a.offset_for_non_ref_pic == b.offset_for_non_ref_pic &&
                a.offset_for_top_to_bottom_field == b.offset_for_top_to_bottom_field &&
                a.offset_for_ref_frame == b.offset_for_ref_frame,
            "frame numbers and picture order");
    require(a.num_ref_frames == b.num_ref_frames && a.gaps_in_frame_num_allowed == b.gaps_in_frame_num_allowed,
            "references");
    require(a.width_mbs == b.width_mbs && a.height_map_units == b.height_map_units &&
                a.frame_mbs_only == b.frame_mbs_only && a.mbaff == b.mbaff,
            "the size");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    if ((input.byte() & 1) == 0) {
        const auto rbsp = input.rest();
        const Bytes memory = padded(rbsp);
        if (const auto sps = h264::parse_sps(memory.data(), rbsp.size())) check_limits(*sps);
        return 0;
    }
    const Sps written = make_sps(input);
    BitWriter bits;
    write_sps(bits, written);
    const Bytes memory = padded(bits.bytes());
    const auto read = h264::parse_sps(memory.data(), bits.bytes().size());
    require(read != nullptr, "a valid SPS is refused");
    check_limits(*read);
    check_equal(*read, written);
    return 0;
}
