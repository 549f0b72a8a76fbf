// The decoded picture buffer without its pixels; see the header.
#include "reference_pictures.hpp"

#include <algorithm>

namespace salientclips::h264 {
namespace {

int capacity_of(const Sps& sps) { return std::max(sps.num_ref_frames, 1); }

}  // namespace

void ReferencePictures::begin(const SliceHeader& header) {
    if (header.idr) {
        refs_.clear();
        prev_poc_msb_ = prev_poc_lsb_ = 0;
        prev_frame_num_offset_ = 0;
        prev_frame_num_ = prev_ref_frame_num_ = 0;
    } else if (!started_) {
        prev_frame_num_ = prev_ref_frame_num_ = header.frame_num;  // joined in the middle: nothing is known
    } else {
        fill_gap(header);
    }
    started_ = true;
    count_order(header);
    wrap_frame_nums(header.frame_num, header.sps->max_frame_num());
}

// Clause 8.2.5.2. Lost pictures are treated as gaps that the stream allows: the window slides over them.
void ReferencePictures::fill_gap(const SliceHeader& header) {
    const int max = header.sps->max_frame_num();
    const int capacity = capacity_of(*header.sps);
    const int missing = ((header.frame_num - prev_ref_frame_num_ - 1) % max + max) % max;
    if (header.frame_num == prev_ref_frame_num_ || missing == 0) return;
    // Only the last ones stay; older ones would slide out again.
    for (int i = std::min(missing, capacity); i > 0; --i) {
        Reference lost;
        lost.frame_num = ((header.frame_num - i) % max + max) % max;
        wrap_frame_nums(lost.frame_num, max);
        slide_window(capacity);
        lost.frame_num_wrap = lost.frame_num;
        refs_.push_back(lost);
    }
    prev_ref_frame_num_ = ((header.frame_num - 1) % max + max) % max;
}

void ReferencePictures::count_order(const SliceHeader& header) {
    const Sps& sps = *header.sps;
    if (header.idr) {
        frame_num_offset_ = 0;
    } else {
        frame_num_offset_ =
            prev_frame_num_offset_ + (prev_frame_num_ > header.frame_num ? sps.max_frame_num() : 0);
    }
    if (sps.poc_type == 0) {
        top_ = order_type0(header);
        bottom_ = top_ + header.delta_poc_bottom;
    } else if (sps.poc_type == 1) {
        top_ = order_type1(header) + header.delta_poc[0];
        bottom_ = top_ + sps.offset_for_top_to_bottom_field + header.delta_poc[1];
    } else {
        const std::int64_t count = header.idr ? 0 : 2 * (frame_num_offset_ + header.frame_num);
        top_ = bottom_ = (header.nal_ref_idc == 0 && !header.idr) ? count - 1 : count;
    }
    poc_ = static_cast<std::int32_t>(std::min(top_, bottom_));
}

std::int64_t ReferencePictures::order_type0(const SliceHeader& header) {  // 8.2.1.1
    const std::int64_t max = std::int64_t{1} << header.sps->log2_max_poc_lsb;
    const std::int64_t lsb = header.poc_lsb;
    poc_msb_ = prev_poc_msb_;
    if (lsb < prev_poc_lsb_ && prev_poc_lsb_ - lsb >= max / 2) poc_msb_ += max;
    if (lsb > prev_poc_lsb_ && lsb - prev_poc_lsb_ > max / 2) poc_msb_ -= max;
    return poc_msb_ + lsb;
}

std::int64_t ReferencePictures::order_type1(const SliceHeader& header) const {  // 8.2.1.2
    const Sps& sps = *header.sps;
    const auto cycle_length = static_cast<std::int64_t>(sps.offset_for_ref_frame.size());
    std::int64_t number = cycle_length != 0 ? frame_num_offset_ + header.frame_num : 0;
    if (header.nal_ref_idc == 0 && number > 0) --number;
    std::int64_t expected = 0;
    if (number > 0) {
        std::int64_t per_cycle = 0;
        for (const auto offset : sps.offset_for_ref_frame) per_cycle += offset;
        expected = ((number - 1) / cycle_length) * per_cycle;
        const std::int64_t last = (number - 1) % cycle_length;
        for (std::int64_t i = 0; i <= last; ++i) expected += sps.offset_for_ref_frame[static_cast<std::size_t>(i)];
    }
    return expected + (header.nal_ref_idc == 0 ? sps.offset_for_non_ref_pic : 0);
}

void ReferencePictures::wrap_frame_nums(int frame_num, int max_frame_num) {  // (8-27)
    for (auto& r : refs_) r.frame_num_wrap = r.frame_num > frame_num ? r.frame_num - max_frame_num : r.frame_num;
}

std::vector<Reference> ReferencePictures::list0(const SliceHeader& header) const {
    std::vector<Reference> list(refs_);
    std::sort(list.begin(), list.end(), [](const Reference& a, const Reference& b) {
        if (a.long_term != b.long_term) return b.long_term;
        return a.long_term ? a.long_term_idx < b.long_term_idx : a.frame_num_wrap > b.frame_num_wrap;
    });
    const auto count = static_cast<std::size_t>(header.num_ref_idx);
    list.resize(count);  // absent entries are default ones: packet -1
    const std::int64_t max = header.sps->max_frame_num();
    std::int64_t predicted = header.frame_num;
    for (std::size_t i = 0; i < header.modifications.size() && i < count; ++i) {
        const RefModification& m = header.modifications[i];
        const bool is_long = m.idc == 2;
        if (!is_long) {  // (8-34), (8-35)
            const std::int64_t difference = (static_cast<std::int64_t>(m.value) + 1) % max;
            predicted = (predicted + (m.idc == 0 ? max - difference : difference)) % max;
        }
        const std::int64_t number =
            is_long ? static_cast<std::int64_t>(m.value) : (predicted > header.frame_num ? predicted - max : predicted);
        const auto matches = [&](const Reference& r) {
            const std::int64_t its = is_long ? std::int64_t{r.long_term_idx} : std::int64_t{r.frame_num_wrap};
            return r.long_term == is_long && its == number;
        };
        const auto found = std::find_if(refs_.begin(), refs_.end(), matches);
        const Reference chosen = found == refs_.end() ? Reference{} : *found;
        list.insert(list.begin() + static_cast<std::ptrdiff_t>(i), chosen);
        // (8-37), (8-38): the later occurrence of the same picture goes, or the entry past the end.
        auto later = found == refs_.end() ? list.end()
                                          : std::find_if(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(),
                                                         matches);
        list.erase(later == list.end() ? list.end() - 1 : later);
    }
    return list;
}

void ReferencePictures::slide_window(int capacity) {  // 8.2.5.3
    while (static_cast<int>(refs_.size()) >= capacity) {
        auto oldest = refs_.end();
        for (auto it = refs_.begin(); it != refs_.end(); ++it) {
            if (!it->long_term && (oldest == refs_.end() || it->frame_num_wrap < oldest->frame_num_wrap)) oldest = it;
        }
        // A damaged stream can fill the buffer with long-term pictures; the first of them goes.
        refs_.erase(oldest == refs_.end() ? refs_.begin() : oldest);
    }
}

void ReferencePictures::drop_long_term(std::uint32_t idx) {
    std::erase_if(refs_, [&](const Reference& r) { return r.long_term && r.long_term_idx == idx; });
}

void ReferencePictures::apply(const MarkingOperation& m, const SliceHeader& header, Reference& current) {  // 8.2.5.4
    const std::int64_t pic_num = static_cast<std::int64_t>(header.frame_num) - (static_cast<std::int64_t>(m.a) + 1);
    const auto is_short = [&](const Reference& r) { return !r.long_term && r.frame_num_wrap == pic_num; };
    switch (m.op) {
        case 1:
            std::erase_if(refs_, is_short);
            break;
        case 2:
            drop_long_term(m.a);
            break;
        case 3: {
            drop_long_term(m.b);
            const auto found = std::find_if(refs_.begin(), refs_.end(), is_short);
            if (found != refs_.end()) {
                found->long_term = true;
                found->long_term_idx = m.b;
            }
            break;
        }
        case 4:
            std::erase_if(refs_, [&](const Reference& r) { return r.long_term && r.long_term_idx >= m.a; });
            break;
        case 5:
            refs_.clear();
            break;
        default:
            drop_long_term(m.a);
            current.long_term = true;
            current.long_term_idx = m.a;
    }
}

void ReferencePictures::end(const SliceHeader& header, std::int64_t packet) {
    bool reset = false;
    if (header.nal_ref_idc != 0) {
        Reference current;
        if (header.idr) {
            current.long_term = header.long_term_reference;
        } else if (header.adaptive_marking) {
            for (const MarkingOperation& m : header.marking) {
                reset = reset || m.op == 5;
                apply(m, header, current);
            }
        }
        slide_window(capacity_of(*header.sps));
        if (reset) {  // 8.2.1: the picture counts as one with frame_num 0 from here on
            const std::int64_t base = std::min(top_, bottom_);
            top_ -= base;
            bottom_ -= base;
        }
        current.frame_num = reset ? 0 : header.frame_num;
        current.frame_num_wrap = current.frame_num;
        current.poc = static_cast<std::int32_t>(std::min(top_, bottom_));
        current.packet = packet;
        refs_.push_back(current);
        prev_ref_frame_num_ = current.frame_num;
        prev_poc_msb_ = reset ? 0 : poc_msb_;
        prev_poc_lsb_ = reset ? top_ : header.poc_lsb;
    }
    prev_frame_num_ = reset ? 0 : header.frame_num;
    prev_frame_num_offset_ = reset ? 0 : frame_num_offset_;
}

}  // namespace salientclips::h264
