// Reading bits from a NAL unit without ever leaving its memory.
//
// ITU-T H.264 clauses 7.2 (read_bits, next_bits), 7.4.1 (emulation prevention) and 9.1 (Exp-Golomb codes).
// A read past the end gives zeros and sets a flag that stays; callers look at the flag once per macroblock.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace salientclips {

// Bytes of zeros that must follow every buffer given to BitReader or to the CABAC engine.
inline constexpr std::size_t kPaddingBytes = 16;

inline std::uint64_t load_be64(const std::uint8_t* p) {
    std::uint64_t v;
    std::memcpy(&v, p, sizeof v);
    if constexpr (std::endian::native == std::endian::little) {
        v = ((v & 0x00000000FFFFFFFFull) << 32) | (v >> 32);
        v = ((v & 0x0000FFFF0000FFFFull) << 16) | ((v >> 16) & 0x0000FFFF0000FFFFull);
        v = ((v & 0x00FF00FF00FF00FFull) << 8) | ((v >> 8) & 0x00FF00FF00FF00FFull);
    }
    return v;
}

// Copies a NAL unit's payload without its emulation prevention bytes (00 00 03 becomes 00 00).
// At most max_bytes of input are read. The result is followed by kPaddingBytes zeros; returns its size without them.
inline std::size_t unescape(const std::uint8_t* data, std::size_t size, std::size_t max_bytes,
                            std::vector<std::uint8_t>& out) {
    if (size > max_bytes) size = max_bytes;
    if (out.size() < size + kPaddingBytes) out.resize(size + kPaddingBytes);
    std::uint8_t* to = out.data();
    std::size_t from = 0;
    while (from < size) {
        const auto* zero = static_cast<const std::uint8_t*>(std::memchr(data + from, 0, size - from));
        std::size_t stop = zero ? static_cast<std::size_t>(zero - data) : size;
        const bool escape = stop + 2 < size && data[stop + 1] == 0 && data[stop + 2] == 3;
        stop = escape ? stop + 2 : (stop < size ? stop + 1 : size);
        std::memcpy(to, data + from, stop - from);
        to += stop - from;
        from = escape ? stop + 1 : stop;
    }
    std::memset(to, 0, kPaddingBytes);
    return static_cast<std::size_t>(to - out.data());
}

class BitReader {
public:
    // data must be followed by kPaddingBytes readable bytes.
    BitReader(const std::uint8_t* data, std::size_t size_bits) : data_(data), size_(size_bits) {}

    std::size_t position() const { return position_; }
    std::size_t size() const { return size_; }
    bool failed() const { return failed_; }
    const std::uint8_t* data() const { return data_; }

    void skip(std::size_t bits) {
        position_ += bits;
        if (position_ > size_) {
            position_ = size_;
            failed_ = true;
        }
    }

    // The next n bits, 1 <= n <= 32, without moving.
    std::uint32_t peek(unsigned n) const {
        const std::uint64_t window = load_be64(data_ + (position_ >> 3)) << (position_ & 7);
        return static_cast<std::uint32_t>(window >> (64 - n));
    }

    std::uint32_t bits(unsigned n) {
        const std::uint32_t v = peek(n);
        skip(n);
        return v;
    }

    bool flag() { return bits(1) != 0; }

    // ue(v), clause 9.1.
    std::uint32_t ue() {
        const std::uint32_t next = peek(32);
        const unsigned zeros = static_cast<unsigned>(std::countl_zero(next));
        if (zeros < 16) {
            skip(2 * zeros + 1);
            return (next >> (31 - 2 * zeros)) - 1;
        }
        if (zeros == 32) {
            skip(size_ + 1);
            return 0;
        }
        skip(zeros);
        return bits(zeros + 1) - 1;
    }

    // se(v), clause 9.1.1.
    std::int32_t se() {
        const std::uint32_t k = ue();
        const auto half = static_cast<std::int32_t>(k >> 1);
        return (k & 1) ? half + 1 : -half;
    }

    // se(v) held to [-limit, limit], where sums must not overflow on a damaged stream.
    std::int32_t se_saturated(std::int32_t limit) {
        const std::int32_t v = se();
        return v > limit ? limit : (v < -limit ? -limit : v);
    }

    // te(v) with the largest value max, clause 9.1.
    std::uint32_t te(std::uint32_t max) { return max > 1 ? ue() : (flag() ? 0u : 1u); }

private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t position_ = 0;
    bool failed_ = false;
};

// Bits of an RBSP before rbsp_trailing_bits (clause 7.3.2.11), or 0 where there is no stop bit.
inline std::size_t payload_bits(const std::uint8_t* data, std::size_t size) {
    while (size > 0 && data[size - 1] == 0) --size;
    if (size == 0) return 0;
    return size * 8 - static_cast<std::size_t>(std::countr_zero(data[size - 1])) - 1;
}

}  // namespace salientclips
