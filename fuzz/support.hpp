// What the fuzz targets share: taking an input apart, memory of exact size, writing bits, and saying that an answer is
// wrong.
//
// The writer and the checks are independent of the readers that they test, and plain rather than fast.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "../src/salientclips/compressed/_native/bits.hpp"

namespace salientclips::fuzz {

using Bytes = std::vector<std::uint8_t>;

// Ends the program where the reader gave an answer that cannot be right; the fuzzer reports it as a crash.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "wrong answer: %s\n", what);
    std::abort();
}

// The input as a row of small choices and a rest. Past its end every byte is 0.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    unsigned byte() {
        if (left_.empty()) return 0;
        const unsigned value = left_.front();
        left_ = left_.subspan(1);
        return value;
    }
    // 0 to n - 1, n at most 256.
    int below(int n) { return static_cast<int>(byte()) % n; }
    bool flag() { return (byte() & 1) != 0; }
    // A signed number of up to 16 bits, mostly small.
    int number() {
        const unsigned first = byte();
        if (first < 250) return static_cast<int>(first) - 125;
        return static_cast<std::int16_t>(first << 8 | byte()) * (first & 1 ? 1 : -1);
    }
    std::span<const std::uint8_t> take(std::size_t size) {
        const auto part = left_.first(std::min(size, left_.size()));
        left_ = left_.subspan(part.size());
        return part;
    }
    std::span<const std::uint8_t> rest() { return take(left_.size()); }
    bool empty() const { return left_.empty(); }

private:
    std::span<const std::uint8_t> left_;
};

// A copy followed by as many zeros as BitReader asks for and not one byte more.
inline Bytes padded(std::span<const std::uint8_t> bytes) {
    Bytes copy(bytes.size() + kPaddingBytes);
    std::copy(bytes.begin(), bytes.end(), copy.begin());
    return copy;
}

// Writes bits, most significant first.
class BitWriter {
public:
    void put(std::uint64_t value, unsigned count) {
        while (count-- > 0) bit((value >> count & 1) != 0);
    }
    void bit(bool one) {
        if (used_ % 8 == 0) bytes_.push_back(0);
        if (one) bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | 128U >> used_ % 8);
        ++used_;
    }
    // ue(v), H.264 clause 9.1.
    void ue(std::uint64_t value) {
        unsigned length = 0;
        while ((value + 1) >> (length + 1) != 0) ++length;
        put(0, length);
        put(value + 1, length + 1);
    }
    // se(v), H.264 clause 9.1.1.
    void se(std::int64_t value) { ue(static_cast<std::uint64_t>(value > 0 ? 2 * value - 1 : -2 * value)); }
    void fill_byte(bool with) {
        while (used_ % 8 != 0) bit(with);
    }
    void append(std::span<const std::uint8_t> bytes) {
        for (const std::uint8_t b : bytes) put(b, 8);
    }
    std::size_t position() const { return used_; }
    const Bytes& bytes() const { return bytes_; }

private:
    Bytes bytes_;
    std::size_t used_ = 0;
};

// Puts emulation prevention bytes in, H.264 clause 7.4.1.
inline Bytes escape(std::span<const std::uint8_t> rbsp) {
    Bytes out;
    int zeros = 0;
    for (const std::uint8_t b : rbsp) {
        if (zeros >= 2 && b <= 3) {
            out.push_back(3);
            zeros = 0;
        }
        out.push_back(b);
        zeros = b == 0 ? zeros + 1 : 0;
    }
    return out;
}

}  // namespace salientclips::fuzz
