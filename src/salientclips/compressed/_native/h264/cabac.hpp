// CABAC: the arithmetic decoding engine and its contexts, ITU-T H.264 clauses 9.3.1 and 9.3.3.2.
//
// The offset of the standard stands below the sign of a word, with the bits that follow it in the stream read
// ahead below, so that renormalising is a shift. Which of its two values a decision has is as good as random to a
// processor, so that decisions compute both ways and choose by a mask: nothing is there to be predicted wrongly.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "../bits.hpp"
#include "levels.hpp"

// A decision is some twenty instructions and half of the time: a call to it would cost as much again.
#if defined(_MSC_VER)
#define SALIENTCLIPS_INLINE __forceinline
#else
#define SALIENTCLIPS_INLINE inline __attribute__((always_inline))
#endif

namespace salientclips::h264 {

inline constexpr int kNumContexts = 460;

// State of a context: pStateIdx * 2 + valMPS.
using Contexts = std::array<std::uint8_t, kNumContexts>;

// 9.3.1.1. column: 0 for I slices, else cabac_init_idc + 1.
void init_contexts(Contexts& contexts, int column, int qp);

struct StateTables {
    std::uint8_t range_lps[4 * 128];  // [qCodIRangeIdx * 128 + state]
    std::uint8_t next[2 * 128];       // [state] after the less probable value, [128 + state] after the other
    std::uint8_t shift_lps[4 * 128];  // [qCodIRangeIdx * 128 + state]: how far to shift range_lps up to 256 or more
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
        ahead_ = -9;
        refill();
    }

    SALIENTCLIPS_INLINE int decision(std::uint8_t& state) {
        const std::uint32_t s = state;
        const std::uint32_t at = ((range_ & 0xC0) << 1) + s;
        const std::uint32_t lps = kStates.range_lps[at];
        const std::uint32_t lps_shift = kStates.shift_lps[at];
        const std::uint32_t mps = range_ - lps;
        const std::uint32_t mps_shift = mps >> 8 ^ 1;
        const std::uint64_t bound = static_cast<std::uint64_t>(mps) << kShift;
        const std::uint64_t rest = value_ - bound;
        const std::uint64_t is_mps = below_zero(rest);  // all ones where the more probable value was sent
        const auto mask = static_cast<std::uint32_t>(is_mps);
        state = kStates.next[s + (mask & 128)];
        const std::uint32_t shift = lps_shift ^ ((lps_shift ^ mps_shift) & mask);
        range_ = (lps ^ ((lps ^ mps) & mask)) << shift;
        value_ = (rest + (bound & is_mps)) << shift;
        ahead_ -= static_cast<int>(shift);
        if (ahead_ < kFewBits) refill();
        return static_cast<int>(~(s ^ mask) & 1);
    }

    SALIENTCLIPS_INLINE int bypass() {
        const std::uint64_t bound = static_cast<std::uint64_t>(range_) << (kShift - 1);
        const std::uint64_t rest = value_ - bound;
        const std::uint64_t is_zero = below_zero(rest);
        value_ = (rest + (bound & is_zero)) << 1;
        if (--ahead_ < kFewBits) refill();
        return static_cast<int>(~is_zero & 1);
    }

    int terminate() {
        range_ -= 2;
        if (value_ >= static_cast<std::uint64_t>(range_) << kShift) return 1;
        const int shift = range_ < 256 ? 1 : 0;
        range_ <<= shift;
        value_ <<= shift;
        ahead_ -= shift;
        if (ahead_ < kFewBits) refill();
        return 0;
    }

    // Bits taken by the standard's decoder so far, from the start of data.
    std::int64_t position() const { return static_cast<std::int64_t>(next_) * 8 - ahead_; }

private:
    // All ones where a difference is below zero, else 0. A damaged stream can begin with an offset that no range holds;
    // its values wrap and mean nothing, while the range, by which tables are indexed, stays what it can be.
    static std::uint64_t below_zero(std::uint64_t rest) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(rest) >> 63);
    }

    static constexpr int kShift = 54;   // below the sign and the nine bits of the offset
    static constexpr int kFewBits = 8;  // no symbol takes more

    // Takes in whole bytes; the bits of the next one that come along are the same when they come again.
    void refill() {
        // Past the end the padding's zeros are read again and again; position() tells the caller.
        const std::size_t at = next_ < size_ ? next_ : size_;
        value_ |= load_be64(data_ + at) >> (64 - kShift + ahead_);
        const int bytes = (kShift - ahead_) >> 3;
        next_ += static_cast<std::size_t>(bytes);
        ahead_ += 8 * bytes;
    }

    std::uint64_t value_ = 0;  // codIOffset, then the bits that follow it
    std::uint32_t range_ = 510;
    int ahead_ = 0;  // bits of value_ that the standard's decoder has not read yet
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t next_ = 0;
};

// residual_block_cabac() after coded_block_flag, clause 7.3.5.3.3. chroma_8x8: NumC8x8, for chroma DC.
Levels read_cabac_block(CabacEngine& engine, Contexts& contexts, BlockKind kind, int max_levels, const float* weights,
                        int chroma_8x8);

}  // namespace salientclips::h264
