// Slice headers, ITU-T H.264 clause 7.3.3: enough of every picture to keep the list of references, and the place where
// the macroblocks begin.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "../bits.hpp"
#include "nal.hpp"
#include "parameter_sets.hpp"

namespace salientclips::h264 {

// Why a picture's macroblocks are not read. Everything but kOk is decided from headers, kBroken and kIncomplete
// while parsing.
enum class Status : std::uint8_t {
    kOk,
    kNoSlice,
    kMissingParameters,
    kBadHeader,
    kInterlaced,
    kMbaff,
    kSliceGroups,
    kDataPartitioning,
    kSwitching,
    kBSlices,
    kLossless,
    kChromaFormat,
    kSeveralPictures,
    kBroken,
    kIncomplete,
};
const char* name_of(Status status);

enum SliceType : int { kP = 0, kB = 1, kI = 2, kSP = 3, kSI = 4 };

inline constexpr int kMaxRefs = 32;

struct RefModification {
    int idc;              // modification_of_pic_nums_idc: 0 subtract, 1 add, 2 long-term
    std::uint32_t value;  // abs_diff_pic_num_minus1 or long_term_pic_num
};

struct MarkingOperation {
    int op;             // memory_management_control_operation, 1..6
    std::uint32_t a;    // difference_of_pic_nums_minus1, long_term_pic_num, long_term_frame_idx or max index plus 1
    std::uint32_t b;    // long_term_frame_idx of operation 3
};

struct SliceHeader {
    std::shared_ptr<const Sps> sps;
    std::shared_ptr<const Pps> pps;
    int nal_ref_idc = 0;
    bool idr = false;
    std::uint32_t first_mb = 0;
    int type = kI;
    int frame_num = 0;
    bool field = false;
    bool bottom_field = false;
    int idr_pic_id = 0;
    int poc_lsb = 0;
    int delta_poc_bottom = 0;
    int delta_poc[2] = {0, 0};
    int redundant_pic_cnt = 0;
    int num_ref_idx = 0;  // list 0; 0 in an I slice
    std::vector<RefModification> modifications;  // of list 0
    bool long_term_reference = false;
    bool adaptive_marking = false;
    std::vector<MarkingOperation> marking;
    int cabac_init_idc = 0;
    int qp = 26;
    std::size_t data_bit = 0;  // where slice_data() begins in the RBSP, bits
};

struct ParameterSets {
    SpsTable sps;
    std::array<std::shared_ptr<const Pps>, 256> pps;
};

// Bytes of RBSP that hold any slice header: the longest prediction weight tables, modifications and markings.
inline constexpr std::size_t kMaxHeaderBytes = 3072;

// Fills header; in is the payload behind the NAL header byte, unescaped.
Status parse_slice_header(const Nal& nal, BitReader& in, const ParameterSets& sets, SliceHeader& header);

// Whether b begins another primary picture than a (clause 7.4.1.2.4).
bool starts_new_picture(const SliceHeader& a, const SliceHeader& b);

}  // namespace salientclips::h264
