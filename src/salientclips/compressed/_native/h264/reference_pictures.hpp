// Which picture a reference index means: picture order counts, the list of reference pictures and its upkeep.
//
// ITU-T H.264 clauses 8.2.1 (picture order count), 8.2.4 (reference picture lists), 8.2.5 (marking). Frames only: a
// reader that meets fields refuses them. It works from slice headers alone, so that pictures nobody wants cost a few
// dozen bytes. A damaged stream can leave an entry that is missing; it is named as such, never guessed.
#pragma once

#include <cstdint>
#include <vector>

#include "slice_header.hpp"

namespace salientclips::h264 {

struct Reference {
    int frame_num = 0;
    int frame_num_wrap = 0;
    bool long_term = false;
    std::uint32_t long_term_idx = 0;
    std::int32_t poc = 0;
    std::int64_t packet = -1;  // decoding-order number of the packet it came in; -1: never seen
};

class ReferencePictures {
public:
    // Clauses 8.2.1 and 8.2.5.2: picture order count of the picture, references lost or dropped before it.
    void begin(const SliceHeader& header);

    std::int32_t poc() const { return poc_; }

    // List 0 of a P slice after initialisation and modification (8.2.4.2.1, 8.2.4.3), header.num_ref_idx entries.
    std::vector<Reference> list0(const SliceHeader& header) const;

    // Clause 8.2.5: marking, and the picture itself where it is a reference.
    void end(const SliceHeader& header, std::int64_t packet);

private:
    void fill_gap(const SliceHeader& header);
    void count_order(const SliceHeader& header);
    std::int64_t order_type0(const SliceHeader& header);
    std::int64_t order_type1(const SliceHeader& header) const;
    void wrap_frame_nums(int frame_num, int max_frame_num);
    void slide_window(int capacity);
    void apply(const MarkingOperation& m, const SliceHeader& header, Reference& current);
    void drop_long_term(std::uint32_t idx);

    std::vector<Reference> refs_;
    std::int32_t poc_ = 0;
    std::int64_t poc_msb_ = 0;
    std::int64_t frame_num_offset_ = 0;
    std::int64_t prev_poc_msb_ = 0;
    std::int64_t prev_poc_lsb_ = 0;
    std::int64_t prev_frame_num_offset_ = 0;
    int prev_frame_num_ = 0;
    int prev_ref_frame_num_ = 0;
    std::int64_t top_ = 0;
    std::int64_t bottom_ = 0;
    bool started_ = false;
};

}  // namespace salientclips::h264
