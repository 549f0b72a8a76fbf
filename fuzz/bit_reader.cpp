// Fuzz target for the two bit readers against one that reads a bit at a time.
//
// Input: a byte that chooses the reader, a byte that counts operations, two bytes for each, and the data they read.
// Every value, position and failure is compared, as long as the standard defines it.
#include "../src/salientclips/compressed/_native/mpeg4/bit_reader.hpp"
#include "support.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

namespace {

// A bit at a time; past the end of the bytes there are zeros.
class SlowBits {
public:
    explicit SlowBits(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    std::uint32_t at(std::size_t position) const {
        return position / 8 < bytes_.size() ? bytes_[position / 8] >> (7 - position % 8) & 1U : 0U;
    }
    std::uint32_t value(std::size_t position, unsigned count) const {
        std::uint32_t v = 0;
        for (unsigned i = 0; i < count; ++i) v = v << 1 | at(position + i);
        return v;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

struct Golomb {
    bool valid;
    std::uint64_t code;
    std::size_t length;
};

Golomb slow_ue(const SlowBits& bits, std::size_t position) {
    unsigned zeros = 0;
    while (zeros < 32 && bits.at(position + zeros) == 0) ++zeros;
    if (zeros == 32) return {false, 0, 0};
    const std::uint64_t suffix = zeros == 0 ? 0 : bits.value(position + zeros + 1, zeros);
    return {true, (std::uint64_t{1} << zeros) - 1 + suffix, 2 * std::size_t{zeros} + 1};
}

std::int64_t slow_se(std::uint64_t code) {
    const auto magnitude = static_cast<std::int64_t>((code + 1) / 2);
    return code % 2 == 1 ? magnitude : -magnitude;
}

void h264_operations(Input& operations, std::span<const std::uint8_t> data, std::size_t size_bits) {
    const Bytes memory = padded(data);
    const SlowBits slow(data);
    BitReader fast(memory.data(), size_bits);
    std::size_t position = 0;
    bool failed = false;
    const auto advance = [&](std::size_t bits) {
        failed = failed || bits > size_bits - position;
        position = std::min(size_bits, position + bits);
    };
    while (!operations.empty()) {
        const unsigned operation = operations.byte() % 7;
        const unsigned argument = operations.byte();
        const unsigned count = 1 + argument % 32;
        const Golomb golomb = slow_ue(slow, position);
        const bool was_failed = failed;
        const std::size_t before = position;
        std::int64_t ours = 0;
        std::int64_t theirs = 0;
        switch (operation) {
            case 0:
                ours = fast.peek(count);
                theirs = slow.value(before, count);
                break;
            case 1:
                ours = fast.bits(count);
                theirs = slow.value(before, count);
                advance(count);
                break;
            case 2:
                ours = fast.flag();
                theirs = slow.at(before);
                advance(1);
                break;
            case 3:
                fast.skip(argument * argument);
                advance(argument * argument);
                break;
            case 4:
                ours = fast.ue();
                theirs = static_cast<std::int64_t>(golomb.code);
                advance(golomb.valid ? golomb.length : size_bits + 1);
                break;
            case 5: {
                const int limit = argument < 128 ? 1 << (argument % 28) : 0;
                ours = limit != 0 ? fast.se_saturated(limit) : fast.se();
                theirs = slow_se(golomb.code);
                if (limit != 0) theirs = std::clamp<std::int64_t>(theirs, -limit, limit);
                advance(golomb.valid ? golomb.length : size_bits + 1);
                break;
            }
            default:
                ours = fast.te(argument % 4 + 1);
                theirs = argument % 4 == 0 ? 1 - static_cast<std::int64_t>(slow.at(before))
                                           : static_cast<std::int64_t>(golomb.code);
                advance(argument % 4 == 0 ? 1 : golomb.valid ? golomb.length : size_bits + 1);
        }
        require(fast.failed() == failed, "failed()");
        require(fast.position() == position, "position()");
        if (!failed || (operation <= 2 && !was_failed)) require(ours == theirs, "a value");
    }
}

void mpeg4_operations(Input& operations, std::span<const std::uint8_t> data) {
    const Bytes memory(data.begin(), data.end());
    const SlowBits slow(data);
    mpeg4::BitReader fast(memory);
    std::size_t position = 0;
    while (!operations.empty()) {
        const unsigned operation = operations.byte() % 4;
        const unsigned argument = operations.byte();
        const unsigned count = argument % 33;
        if (operation == 0) require(fast.peek(count) == slow.value(position, count), "peek");
        if (operation == 1) {
            require(fast.read(count) == slow.value(position, count), "read");
            position += count;
        }
        if (operation == 2) {
            require(fast.read_flag() == (slow.at(position) != 0), "read_flag");
            position += 1;
        }
        if (operation == 3) {
            fast.skip(argument * argument);
            position += argument * argument;
        }
        const std::size_t all = data.size() * 8;
        require(fast.position() == position, "position()");
        require(fast.overrun() == (position > all), "overrun()");
        require(fast.left() == (position > all ? 0 : all - position), "left()");
    }
}

// rbsp_trailing_bits: the last 1 is the stop bit.
std::size_t slow_payload_bits(const SlowBits& slow, std::size_t bits) {
    while (bits > 0 && slow.at(bits - 1) == 0) --bits;
    return bits == 0 ? 0 : bits - 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const unsigned kind = input.byte();
    const auto program = input.take(2 * std::size_t{input.byte()});
    const auto rest = input.rest();
    Input operations(program.data(), program.size());
    const Bytes memory = padded(rest);
    const std::size_t payload = payload_bits(memory.data(), rest.size());
    require(payload == slow_payload_bits(SlowBits(rest), rest.size() * 8), "payload_bits()");
    if (kind % 3 == 0) {
        mpeg4_operations(operations, rest);
    } else {
        h264_operations(operations, rest, kind % 3 == 1 ? rest.size() * 8 : payload);
    }
    return 0;
}
