// CABAC: the arithmetic decoding engine and its contexts, ITU-T H.264 clauses 9.3.1 and 9.3.3.2.
//
// The offset of the standard is kept with up to 40 bits read ahead of it, so that renormalising is a subtraction.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "../bits.hpp"
#include "levels.hpp"

namespace salientclips::h264 {

inline constexpr int kNumContexts = 460;

// State of a context: pStateIdx * 2 + valMPS.
using Contexts = std::array<std::uint8_t, kNumContexts>;

// 9.3.1.1. column: 0 for I slices, else cabac_init_idc + 1.
void init_contexts(Contexts& contexts, int column, int qp);

struct StateTables {
    std::uint8_t range_lps[4][128];  // [qCodIRangeIdx][state]
    std::uint8_t next_mps[128];
    std::uint8_t next_lps[128];
};
extern const StateTables kStates;

class CabacEngine {
public:
    // data must be followed by kPaddingBytes zeros.
    void start(const std::uint8_t* data, std::size_t size, std::size_t byte) {
        data_ = data;
        size_ = size;
        next_ = byte;
        range_ = 510;
        value_ = 0;
        spare_ = -9;
        refill();
    }

    int decision(std::uint8_t& state) {
        if (spare_ < 8) refill();
        const unsigned s = state;
        const std::uint32_t lps = kStates.range_lps[(range_ >> 6) & 3][s];
        const std::uint32_t mps = range_ - lps;
        const std::uint64_t bound = static_cast<std::uint64_t>(mps) << spare_;
        if (value_ < bound) {
            state = kStates.next_mps[s];
            const int shift = mps < 256 ? 1 : 0;
            range_ = mps << shift;
            spare_ -= shift;
            return static_cast<int>(s & 1);
        }
        value_ -= bound;
        state = kStates.next_lps[s];
        const int shift = std::countl_zero(lps) - 23;
        range_ = lps << shift;
        spare_ -= shift;
        return static_cast<int>(s & 1) ^ 1;
    }

    int bypass() {
        if (spare_ < 8) refill();
        --spare_;
        const std::uint64_t bound = static_cast<std::uint64_t>(range_) << spare_;
        if (value_ < bound) return 0;
        value_ -= bound;
        return 1;
    }

    int terminate() {
        if (spare_ < 8) refill();
        range_ -= 2;
        const std::uint64_t bound = static_cast<std::uint64_t>(range_) << spare_;
        if (value_ >= bound) return 1;
        const int shift = range_ < 256 ? 1 : 0;
        range_ <<= shift;
        spare_ -= shift;
        return 0;
    }

    // Bits taken by the standard's decoder so far, from the start of data.
    std::int64_t position() const { return static_cast<std::int64_t>(next_) * 8 - spare_; }

private:
    void refill() {
        // Past the end the padding's zeros are read again and again; position() tells the caller.
        const std::size_t at = next_ < size_ ? next_ : size_;
        value_ = (value_ << 32) | (load_be64(data_ + at) >> 32);
        next_ += 4;
        spare_ += 32;
    }

    std::uint64_t value_ = 0;
    std::uint32_t range_ = 510;
    int spare_ = 0;  // bits of value_ that the standard's decoder has not read yet
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

// residual_block_cabac() after coded_block_flag, clause 7.3.5.3.3. chroma_8x8: NumC8x8, for chroma DC.
Levels read_cabac_block(CabacEngine& engine, Contexts& contexts, BlockKind kind, int max_levels, const float* weights,
                        int chroma_8x8);

}  // namespace salientclips::h264
