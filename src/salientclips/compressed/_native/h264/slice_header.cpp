// Parsing of slice headers, ITU-T H.264 clauses 7.3.3 to 7.3.3.3. B slices are read as far as P slices are: they may
// be references, and what they say about marking counts.
#include "slice_header.hpp"

#include <algorithm>

namespace salientclips::h264 {
namespace {

// More operations than there are references to mark make no sense (7.4.3.3).
constexpr int kMaxMarking = 66;

// ref_pic_list_modification(), clause 7.3.3.1, of one list.
bool read_modifications(BitReader& in, SliceHeader& header, bool keep) {
    if (!in.flag()) return true;
    for (int i = 0; i < kMaxRefs + 2; ++i) {
        const auto idc = in.ue();
        if (idc == 3) return true;
        if (idc > 2 || in.failed()) return false;
        const auto value = in.ue();
        if (keep) {
            header.modifications.push_back({static_cast<int>(idc), value});
        }
    }
    return false;
}

// pred_weight_table(), clause 7.3.3.2: passed over, weights move no vector.
void skip_weights(BitReader& in, const SliceHeader& header, const int counts[2]) {
    const bool chroma = header.sps->chroma_format_idc != 0 && !header.sps->separate_colour_planes;
    in.ue();
    if (chroma) in.ue();
    for (int list = 0; list < (header.type == kB ? 2 : 1); ++list) {
        for (int i = 0; i < counts[list]; ++i) {
            if (in.flag()) {
                in.se();
                in.se();
            }
            if (chroma && in.flag()) {
                for (int k = 0; k < 4; ++k) in.se();
            }
        }
    }
}

// dec_ref_pic_marking(), clause 7.3.3.3.
bool read_marking(BitReader& in, SliceHeader& header) {
    if (header.idr) {
        in.flag();  // no_output_of_prior_pics
        header.long_term_reference = in.flag();
        return true;
    }
    header.adaptive_marking = in.flag();
    if (!header.adaptive_marking) return true;
    for (int i = 0; i <= kMaxMarking; ++i) {
        const auto op = in.ue();
        if (op == 0) return true;
        if (op > 6 || i == kMaxMarking || in.failed()) return false;
        MarkingOperation m{static_cast<int>(op), 0, 0};
        if (op != 5) m.a = in.ue();
        if (op == 3) m.b = in.ue();
        header.marking.push_back(m);
    }
    return false;
}

void read_picture_order(BitReader& in, SliceHeader& header) {
    const Sps& sps = *header.sps;
    const bool both = header.pps->pic_order_present && !header.field;
    if (sps.poc_type == 0) {
        header.poc_lsb = static_cast<int>(in.bits(static_cast<unsigned>(sps.log2_max_poc_lsb)));
        if (both) header.delta_poc_bottom = in.se();
    } else if (sps.poc_type == 1 && !sps.delta_pic_order_always_zero) {
        header.delta_poc[0] = in.se();
        if (both) header.delta_poc[1] = in.se();
    }
}

bool read_reference_part(BitReader& in, SliceHeader& header) {
    const Pps& pps = *header.pps;
    int counts[2] = {pps.num_ref_idx_default[0], pps.num_ref_idx_default[1]};
    if (header.type != kI && header.type != kSI) {
        if (header.type == kB) in.flag();  // direct_spatial_mv_pred
        if (in.flag()) {
            for (int list = 0; list < (header.type == kB ? 2 : 1); ++list) {
                const auto n = in.ue();
                if (n >= kMaxRefs) return false;
                counts[list] = static_cast<int>(n) + 1;
            }
        }
        header.num_ref_idx = counts[0];
        if (!read_modifications(in, header, true)) return false;
        if (header.type == kB && !read_modifications(in, header, false)) return false;
    }
    const bool weighted = header.type == kB ? pps.weighted_bipred_idc == 1
                                            : pps.weighted_pred && (header.type == kP || header.type == kSP);
    if (weighted) skip_weights(in, header, counts);
    return header.nal_ref_idc == 0 || read_marking(in, header);
}

// What headers alone say about a picture that this reader does not parse.
Status refusal(const Nal& nal, const SliceHeader& header) {
    const Sps& sps = *header.sps;
    if (nal.type == kNalPartitionA) return Status::kDataPartitioning;
    if (header.field) return Status::kInterlaced;
    if (sps.mbaff) return Status::kMbaff;
    if (header.type == kSP || header.type == kSI) return Status::kSwitching;
    if (sps.chroma_format_idc == 3) return Status::kChromaFormat;
    if (sps.transform_bypass) return Status::kLossless;
    if (header.type == kB) return Status::kBSlices;
    return Status::kOk;
}

}  // namespace

const char* name_of(Status status) {
    static constexpr const char* kNames[] = {
        "ok",         "no_slice",  "missing_parameters", "bad_header",       "interlaced",
        "mbaff",      "slice_groups", "data_partitioning", "switching",     "b_slices",
        "lossless",   "chroma_format", "several_pictures", "broken",        "incomplete"};
    return kNames[static_cast<int>(status)];
}

Status parse_slice_header(const Nal& nal, BitReader& in, const ParameterSets& sets, SliceHeader& header) {
    header.nal_ref_idc = nal.ref_idc;
    header.idr = nal.type == kNalIdr;
    header.first_mb = in.ue();
    const auto type = in.ue();
    const auto pps_id = in.ue();
    if (in.failed() || type > 9 || pps_id > 255) return Status::kBadHeader;
    header.type = static_cast<int>(type % 5);
    header.pps = sets.pps[pps_id];
    if (!header.pps) return Status::kMissingParameters;
    header.sps = sets.sps.at[static_cast<std::size_t>(header.pps->sps_id)];
    if (!header.sps) return Status::kMissingParameters;
    if (header.pps->num_slice_groups > 1) return Status::kSliceGroups;
    const Sps& sps = *header.sps;
    if (sps.separate_colour_planes) return Status::kChromaFormat;
    header.frame_num = static_cast<int>(in.bits(static_cast<unsigned>(sps.log2_max_frame_num)));
    if (!sps.frame_mbs_only) {
        header.field = in.flag();
        if (header.field) header.bottom_field = in.flag();
    }
    if (header.idr) header.idr_pic_id = static_cast<int>(in.ue() & 0xFFFF);
    read_picture_order(in, header);
    if (header.pps->redundant_pic_cnt_present) header.redundant_pic_cnt = static_cast<int>(in.ue() & 127);
    if (!read_reference_part(in, header)) return Status::kBadHeader;
    if (header.pps->cabac && header.type != kI && header.type != kSI) {
        const auto idc = in.ue();
        if (idc > 2) return Status::kBadHeader;
        header.cabac_init_idc = static_cast<int>(idc);
    }
    header.qp = header.pps->pic_init_qp + in.se_saturated(1 << 16);
    if (header.qp < -6 * (sps.bit_depth_luma - 8) || header.qp > 51) return Status::kBadHeader;
    if (header.type == kSP || header.type == kSI) return in.failed() ? Status::kBadHeader : Status::kSwitching;
    if (header.pps->deblocking_control_present && in.ue() != 1) {
        in.se();
        in.se();
    }
    if (in.failed()) return Status::kBadHeader;
    header.data_bit = in.position();
    return refusal(nal, header);
}

bool starts_new_picture(const SliceHeader& a, const SliceHeader& b) {
    return a.sps != b.sps || a.frame_num != b.frame_num || a.field != b.field ||
           a.bottom_field != b.bottom_field || (a.nal_ref_idc == 0) != (b.nal_ref_idc == 0) || a.idr != b.idr ||
           (a.idr && a.idr_pic_id != b.idr_pic_id) || a.poc_lsb != b.poc_lsb ||
           a.delta_poc_bottom != b.delta_poc_bottom || a.delta_poc[0] != b.delta_poc[0] ||
           a.delta_poc[1] != b.delta_poc[1];
}

}  // namespace salientclips::h264
