// Reads bits, most significant first, from a range of bytes that it never leaves.
//
// Past the end of the range every bit reads as 0 and overrun() turns true; callers ask once a macroblock,
// not once a bit. No allocation, no exceptions, no undefined behaviour for any content of the range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace salientclips::mpeg4 {

class BitReader {
public:
    explicit BitReader(std::span<const std::uint8_t> bytes) : data_(bytes.data()), size_(bytes.size()) {}

    // The next `count` bits, 0 to 32, without consuming them.
    std::uint32_t peek(unsigned count) const {
        if (count == 0) {
            return 0;
        }
        return static_cast<std::uint32_t>((window() << (position_ & 7)) >> (64 - count));
    }

    std::uint32_t read(unsigned count) {
        const std::uint32_t value = peek(count);
        position_ += count;
        return value;
    }

    bool read_flag() { return read(1) != 0; }

    void skip(std::size_t count) { position_ += count; }

    // Bits consumed so far.
    std::size_t position() const { return position_; }

    // Bits left; 0 at and past the end.
    std::size_t left() const { return overrun() ? 0 : size_ * 8 - position_; }

    // Whether more bits were consumed than there are.
    bool overrun() const { return position_ > size_ * 8; }

private:
    // Eight bytes from the current one, big end first; bytes past the end are 0.
    std::uint64_t window() const {
        const std::size_t byte = position_ >> 3;
        std::uint8_t bytes[8] = {};
        if (byte + 8 <= size_) {
            std::memcpy(bytes, data_ + byte, 8);
        } else if (byte < size_) {
            std::memcpy(bytes, data_ + byte, size_ - byte);
        }
        std::uint64_t value = 0;
        for (const std::uint8_t b : bytes) {  // compilers turn this into one load and one byte swap
            value = value << 8 | b;
        }
        return value;
    }

    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t position_ = 0;
};

}  // namespace salientclips::mpeg4
