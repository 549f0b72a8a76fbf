// Fuzz target for slice headers.
//
// Input: a byte, the NAL unit's type and importance, the fields of an SPS and a PPS, and either an RBSP that is parsed
// (even) or fields that are written and must be read again (odd).
#include "h264_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;
using salientclips::h264::Status;

namespace {

SliceHeader make_header(Input& in, const std::shared_ptr<const Sps>& sps, const std::shared_ptr<const Pps>& pps) {
    SliceHeader header;
    header.sps = sps;
    header.pps = pps;
    header.nal_ref_idc = in.below(4);
    header.idr = in.flag();
    header.first_mb = static_cast<std::uint32_t>(in.byte() * in.byte());
    header.type = in.below(3);
    header.frame_num = in.byte() % sps->max_frame_num();
    if (!sps->frame_mbs_only) header.field = in.flag();
    if (header.field) header.bottom_field = in.flag();
    if (header.idr) header.idr_pic_id = static_cast<int>(in.byte() * in.byte());
    const bool both = pps->pic_order_present && !header.field;
    if (sps->poc_type == 0) header.poc_lsb = static_cast<int>(in.byte() % (1U << sps->log2_max_poc_lsb));
    if (sps->poc_type == 0 && both) header.delta_poc_bottom = in.number();
    if (sps->poc_type == 1 && !sps->delta_pic_order_always_zero) {
        header.delta_poc[0] = in.number();
        if (both) header.delta_poc[1] = in.number();
    }
    if (pps->redundant_pic_cnt_present) header.redundant_pic_cnt = in.below(128);
    if (header.type != h264::kI) {
        header.num_ref_idx = 1 + in.below(32);
        for (int i = in.below(34); i > 0; --i) header.modifications.push_back({in.below(3), in.byte()});
    }
    if (header.nal_ref_idc != 0 && header.idr) header.long_term_reference = in.flag();
    if (header.nal_ref_idc != 0 && !header.idr) {
        header.adaptive_marking = in.flag();
        for (int i = header.adaptive_marking ? in.below(60) : 0; i > 0; --i) {
            const int op = 1 + in.below(6);
            header.marking.push_back({op, op == 5 ? 0 : in.byte(), op == 3 ? in.byte() : 0});
        }
    }
    if (pps->cabac && header.type != h264::kI) header.cabac_init_idc = in.below(3);
    const int lowest = -6 * (sps->bit_depth_luma - 8);
    header.qp = lowest + in.below(52 - lowest);
    return header;
}

void check_equal(const SliceHeader& a, const SliceHeader& b) {
    require(a.sps == b.sps && a.pps == b.pps, "parameter sets");
    require(a.nal_ref_idc == b.nal_ref_idc && a.idr == b.idr && a.first_mb == b.first_mb && a.type == b.type, "type");
    require(a.frame_num == b.frame_num && a.field == b.field && a.bottom_field == b.bottom_field &&
                a.idr_pic_id == b.idr_pic_id && a.poc_lsb == b.poc_lsb && a.delta_poc_bottom == b.delta_poc_bottom &&
                a.delta_poc[0] == b.delta_poc[0] && a.delta_poc[1] == b.delta_poc[1],
            "order");
    require(a.redundant_pic_cnt == b.redundant_pic_cnt && a.num_ref_idx == b.num_ref_idx, "counts");
    const auto same_modification = [](const auto& x, const auto& y) { return x.idc == y.idc && x.value == y.value; };
    const auto same_marking = [](const auto& x, const auto& y) { return x.op == y.op && x.a == y.a && x.b == y.b; };
    require(std::ranges::equal(a.modifications, b.modifications, same_modification), "modifications");
    require(a.long_term_reference == b.long_term_reference && a.adaptive_marking == b.adaptive_marking &&
                std::ranges::equal(a.marking, b.marking, same_marking),
            "marking");
    require(a.cabac_init_idc == b.cabac_init_idc && a.qp == b.qp, "entropy coding and quantiser");
}

void check_limits(Status status, const SliceHeader& header) {
    require(header.modifications.size() <= 34 && header.marking.size() <= 66, "lists without a bound");
    if (status != Status::kOk) return;
    const Sps& sps = *header.sps;
    require(header.type == h264::kP || header.type == h264::kI, "a type that is not read");
    require(!header.field && !sps.mbaff && header.pps->num_slice_groups == 1, "a form that is not read");
    require(header.num_ref_idx >= 0 && header.num_ref_idx <= 32, "num_ref_idx");
    require((header.type == h264::kI) == (header.num_ref_idx == 0), "references of the type");
    require(header.frame_num < sps.max_frame_num(), "frame_num");
    require(header.qp >= -6 * (sps.bit_depth_luma - 8) && header.qp <= 51, "qp");
    require(header.cabac_init_idc >= 0 && header.cabac_init_idc <= 2, "cabac_init_idc");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const bool raw = (input.byte() & 1) == 0;
    static constexpr int kTypes[] = {h264::kNalSlice, h264::kNalIdr, h264::kNalPartitionA};
    h264::Nal nal{kTypes[input.below(3)], input.below(4), nullptr, 0};
    h264::ParameterSets sets;
    const auto sps = std::make_shared<const Sps>(make_sps(input));
    const auto pps = std::make_shared<const Pps>(make_pps(input, *sps).pps);
    sets.sps.at[static_cast<std::size_t>(sps->id)] = sps;
    sets.pps[static_cast<std::size_t>(pps->id)] = pps;
    SliceHeader read;
    if (raw) {
        const auto rbsp = input.rest();
        const Bytes memory = padded(rbsp);
        BitReader in(memory.data(), rbsp.size() * 8);
        const Status status = h264::parse_slice_header(nal, in, sets, read);
        require(h264::name_of(status) != nullptr, "a status without a name");
        check_limits(status, read);
        if (status == Status::kOk) require(read.data_bit <= rbsp.size() * 8, "slice data beyond the end");
        return 0;
    }
    if (sps->separate_colour_planes) return 0;  // refused after the parameter sets
    const SliceHeader written = make_header(input, sps, pps);
    nal.type = written.idr ? h264::kNalIdr : h264::kNalSlice;
    nal.ref_idc = written.nal_ref_idc;
    BitWriter bits;
    write_slice_header(bits, written);
    const std::size_t length = bits.position();
    const Bytes memory = padded(bits.bytes());
    BitReader in(memory.data(), length);
    const Status status = h264::parse_slice_header(nal, in, sets, read);
    check_equal(read, written);
    require(read.data_bit == length, "where slice data begins");
    check_limits(status, read);
    const bool refused = read.field || sps->mbaff || sps->chroma_format_idc == 3 || sps->transform_bypass ||
                         read.type == h264::kB;
    require((status == Status::kOk) == !refused && status != Status::kBadHeader, "the status");
    return 0;
}
