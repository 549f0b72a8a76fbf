// The syntax elements of a macroblock as CAVLC slices write them: Exp-Golomb codes and coefficient tables.
//
// ITU-T H.264 clauses 7.3.4, 7.3.5 and 9.1, 9.2.
#pragma once

#include <algorithm>

#include "cavlc.hpp"
#include "picture.hpp"

namespace salientclips::h264 {

class CavlcSyntax {
public:
    static constexpr bool kCabac = false;

    CavlcSyntax(const SliceHeader& header, const std::uint8_t* rbsp, std::size_t size, int chroma_rows)
        : in_(rbsp, payload_bits(rbsp, size)), chroma_rows_(chroma_rows), has_chroma_(chroma_rows > 0) {
        in_.skip(header.data_bit);
    }

    bool failed() const { return in_.failed(); }

    // mb_skip_run, one macroblock at a time.
    bool skipped(const Neighbours&) {
        if (run_ < 0) run_ = in_.ue();
        if (run_ > 0) {
            --run_;
            return true;
        }
        run_ = -1;
        return false;
    }

    // more_rbsp_data()
    bool finished() { return run_ <= 0 && in_.position() >= in_.size(); }
    bool ended_cleanly() const { return !in_.failed() && in_.position() == in_.size(); }

    int mb_type_p() { return static_cast<int>(in_.ue() & 0xFF); }
    int mb_type_i(const Neighbours&) { return static_cast<int>(in_.ue() & 0xFF); }
    int sub_mb_type() { return static_cast<int>(in_.ue() & 0xFF); }
    int ref_idx(const Macroblock&, const Neighbours&, int, int count) {
        return static_cast<int>(in_.te(static_cast<std::uint32_t>(count - 1)) & 0xFF);
    }
    int mvd(const Macroblock&, const Neighbours&, int, int, int) { return in_.se(); }
    bool transform_8x8(const Neighbours&) { return in_.flag(); }
    void intra_mode() {
        if (!in_.flag()) in_.skip(3);
    }
    int chroma_mode(const Neighbours&) { return static_cast<int>(in_.ue() & 0xFF); }
    int qp_delta(bool) { return in_.se(); }

    // me(v), Table 9-4; -1 where out of range.
    int cbp(const Macroblock&, const Neighbours&, bool intra);

    bool pcm(std::size_t bits) {
        in_.skip((8 - in_.position() % 8) % 8);
        in_.skip(bits);
        return !in_.failed();
    }

    bool block(Macroblock& mb, const Neighbours& near, BlockKind kind, int index, const float* weights, Levels& out) {
        if (kind == kChromaDc) return read_cavlc_block(in_, -chroma_rows_ / 2, 2 * chroma_rows_, weights, out);
        const int left = coded_left(mb, near, index);
        const int above = coded_above(mb, near, index, chroma_rows_);
        const bool both = left >= 0 && above >= 0;
        const int nc = both ? (left + above + 1) >> 1 : std::max({left, above, 0});
        const int levels = kind == kLumaAc16x16 || kind == kChromaAc ? 15 : 16;
        if (!read_cavlc_block(in_, nc, levels, weights, out)) return false;
        if (kind != kLumaDc16x16) mb.coded[index] = static_cast<std::uint8_t>(out.total);
        return true;
    }

private:
    BitReader in_;
    int chroma_rows_;
    bool has_chroma_;
    std::int64_t run_ = -1;
};

}  // namespace salientclips::h264
