// Fuzz target for picture parameter sets.
//
// Input: a byte, the fields of the SPS they refer to, and either an RBSP that is parsed (even) or fields that are
// written and must be read again (odd).
#include "h264_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

void check_limits(const Pps& pps, const Sps& sps) {
    require(pps.id >= 0 && pps.id < 256 && pps.sps_id == sps.id, "ids");
    if (pps.num_slice_groups > 1) return;  // nothing more is read of such a one, and no picture parsed by it
    for (const int count : pps.num_ref_idx_default) require(count >= 1 && count <= 32, "num_ref_idx_default");
    require(pps.weighted_bipred_idc >= 0 && pps.weighted_bipred_idc <= 3, "weighted_bipred_idc");
    require(pps.pic_init_qp >= -6 * (sps.bit_depth_luma - 8) && pps.pic_init_qp <= 51, "pic_init_qp");
    for (const int offset : pps.chroma_qp_offset) require(offset >= -12 && offset <= 12, "chroma_qp_offset");
    for (const auto& list : pps.scaling.four) require(std::ranges::count(list, 0) == 0, "a weight of 0");
    for (const auto& list : pps.scaling.eight) require(std::ranges::count(list, 0) == 0, "a weight of 0");
}

void check_equal(const Pps& a, const Pps& b) {
    require(a.id == b.id && a.sps_id == b.sps_id && a.cabac == b.cabac && a.num_slice_groups == b.num_slice_groups &&
                a.pic_order_present == b.pic_order_present,
            "ids, entropy coding");
    require(a.num_ref_idx_default[0] == b.num_ref_idx_default[0] &&
                a.num_ref_idx_default[1] == b.num_ref_idx_default[1] && a.weighted_pred == b.weighted_pred &&
                a.weighted_bipred_idc == b.weighted_bipred_idc,
            "references");
    require(a.pic_init_qp == b.pic_init_qp && a.chroma_qp_offset[0] == b.chroma_qp_offset[0] &&
                a.chroma_qp_offset[1] == b.chroma_qp_offset[1],
            "quantisers");
    require(a.deblocking_control_present == b.deblocking_control_present &&
                a.redundant_pic_cnt_present == b.redundant_pic_cnt_present &&
                a.transform_8x8_mode == b.transform_8x8_mode,
            "flags");
    require(a.scaling.four == b.scaling.four, "4x4 scaling lists");
    require(!a.transform_8x8_mode || a.scaling.eight == b.scaling.eight, "8x8 scaling lists");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const bool raw = (input.byte() & 1) == 0;
    const auto sps = std::make_shared<const Sps>(make_sps(input));
    h264::SpsTable sets;
    sets.at[static_cast<std::size_t>(sps->id)] = sps;
    if (raw) {
        const auto rbsp = input.rest();
        const Bytes memory = padded(rbsp);
        if (const auto pps = h264::parse_pps(memory.data(), rbsp.size(), sets)) check_limits(*pps, *sps);
        return 0;
    }
    const MadePps written = make_pps(input, *sps);
    BitWriter bits;
    write_pps(bits, written.pps, *sps, written.with_tail, written.with_lists);
    const Bytes memory = padded(bits.bytes());
    const auto read = h264::parse_pps(memory.data(), bits.bytes().size(), sets);
    require(read != nullptr, "a valid PPS is refused");
    check_limits(*read, *sps);
    check_equal(*read, written.pps);
    return 0;
}
