// Cutting a packet into NAL units: Annex B start codes, or the length prefixes of ISO/IEC 14496-15 (AVCC).
//
// Nothing is copied here; emulation prevention bytes are still inside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace salientclips::h264 {

// nal_unit_type, Table 7-1. Types that are not named here carry nothing that this reader needs.
enum NalType : int {
    kNalSlice = 1,
    kNalPartitionA = 2,
    kNalPartitionC = 4,
    kNalIdr = 5,
    kNalSps = 7,
    kNalPps = 8,
};

struct Nal {
    int type;
    int ref_idc;
    const std::uint8_t* payload;  // after the one-byte header
    std::size_t size;             // bytes, with emulation prevention
};

class NalWalker {
public:
    // length_size: bytes of each length prefix, or 0 for Annex B.
    NalWalker(const std::uint8_t* data, std::size_t size, int length_size)
        : at_(data), end_(data + size), length_size_(length_size) {
        // Some containers declare AVCC and store Annex B all the same.
        if (length_size_ != 0 && !lengths_fit() && has_start_code()) length_size_ = 0;
        if (length_size_ != 0) return;
        const std::uint8_t* first = after_start_code(at_);
        at_ = first == nullptr ? end_ : first;
    }

    bool next(Nal& nal) {
        const std::uint8_t* begin;
        std::size_t size;
        do {
            if (at_ >= end_) return false;
            begin = at_;
            size = length_size_ ? take_prefixed(begin) : take_annex_b();
        } while (size == 0);
        nal.ref_idc = (begin[0] >> 5) & 3;
        nal.type = begin[0] & 31;
        nal.payload = begin + 1;
        nal.size = size - 1;
        return true;
    }

private:
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    std::size_t read_length(const std::uint8_t* p) const {
        std::size_t n = 0;
        for (int i = 0; i < length_size_; ++i) n = (n << 8) | p[i];
        return n;
    }

    bool lengths_fit() const {
        const std::uint8_t* p = at_;
        const auto prefix = static_cast<std::size_t>(length_size_);
        while (p < end_) {
            const auto rest = static_cast<std::size_t>(end_ - p);
            if (rest < prefix) return false;
            const std::size_t n = read_length(p);
            if (n > rest - prefix) return false;
            p += prefix + n;
        }
        return true;
    }

    bool has_start_code() const {
        return left() >= 4 && at_[0] == 0 && at_[1] == 0 && (at_[2] == 1 || (at_[2] == 0 && at_[3] == 1));
    }

    std::size_t take_prefixed(const std::uint8_t*& begin) {
        const auto prefix = static_cast<std::size_t>(length_size_);
        if (left() < prefix) {
            at_ = end_;
            return 0;
        }
        std::size_t n = read_length(at_);
        at_ += prefix;
        begin = at_;
        if (n > left()) n = left();  // a truncated packet: what is there may still hold a header
        at_ += n;
        return n;
    }

    std::size_t take_annex_b() {
        const std::uint8_t* begin = at_;
        const std::uint8_t* next = after_start_code(at_);
        const std::uint8_t* stop = next == nullptr ? end_ : next - 3;
        at_ = next == nullptr ? end_ : next;
        while (stop > begin && stop[-1] == 0) --stop;  // trailing_zero_8bits
        return stop > begin ? static_cast<std::size_t>(stop - begin) : 0;
    }

    // The byte after the next 00 00 01, or null.
    const std::uint8_t* after_start_code(const std::uint8_t* p) const {
        while (end_ - p >= 3) {
            const auto* one = static_cast<const std::uint8_t*>(
                std::memchr(p + 2, 1, static_cast<std::size_t>(end_ - p - 2)));
            if (one == nullptr) return nullptr;
            if (one[-1] == 0 && one[-2] == 0) return one + 1;
            p = one - 1;
        }
        return nullptr;
    }

    const std::uint8_t* at_;
    const std::uint8_t* end_;
    int length_size_;
};

}  // namespace salientclips::h264
