// The syntax elements of a macroblock as CABAC slices write them: binarisations and the choice of contexts.
//
// ITU-T H.264 clauses 9.3.2 (binarisation) and 9.3.3.1 (ctxIdx), for I and P slices of frames.
#pragma once

#include "cabac.hpp"
#include "picture.hpp"

namespace salientclips::h264 {

class CabacSyntax {
public:
    static constexpr bool kCabac = true;

    CabacSyntax(const SliceHeader& header, const std::uint8_t* rbsp, std::size_t size, int chroma_rows)
        : rbsp_(rbsp), size_(size), end_bit_(payload_bits(rbsp, size)), chroma_rows_(chroma_rows) {
        init_contexts(contexts_, header.type == kI ? 0 : header.cabac_init_idc + 1, header.qp);
        engine_.start(rbsp, size, (header.data_bit + 7) / 8);  // cabac_alignment_one_bit
    }

    // A decoder has read at most up to the stop bit when it decodes the last symbol.
    bool failed() const { return engine_.position() > static_cast<std::int64_t>(end_bit_) + 1; }
    bool finished() { return engine_.terminate() != 0; }
    // The last symbol's final bit should be the stop bit, but x264 puts bits of its own between the two, within a byte.
    bool ended_cleanly() const {
        const std::int64_t after = static_cast<std::int64_t>(end_bit_) + 1 - engine_.position();
        return after >= 0 && after < 8;
    }

    bool skipped(const Neighbours& near) {
        const int inc = (near.a && near.a->kind != Kind::kSkip) + (near.b && near.b->kind != Kind::kSkip);
        return bin(11 + inc) != 0;
    }

    int mb_type_p() {
        if (bin(14) != 0) return 5 + intra_type(17, 0, 1, 2, 2, 3);
        if (bin(15) == 0) return bin(16) != 0 ? 3 : 0;
        return bin(17) != 0 ? 1 : 2;
    }

    int mb_type_i(const Neighbours& near) {
        const int inc = (near.a && near.a->kind != Kind::kIntraNxN) + (near.b && near.b->kind != Kind::kIntraNxN);
        return intra_type(3, inc, 3, 4, 5, 6);
    }

    int sub_mb_type() {
        if (bin(21) != 0) return 0;
        if (bin(22) == 0) return 1;
        return bin(23) != 0 ? 2 : 3;
    }

    // part: 8x8 quarter whose reference it is.
    int ref_idx(const Macroblock& mb, const Neighbours& near, int part, int) {
        const bool a = part & 1 ? mb.ref[part - 1] > 0 : near.a && near.a->ref[part + 1] > 0;
        const bool b = part & 2 ? mb.ref[part - 2] > 0 : near.b && near.b->ref[part + 2] > 0;
        int value = 0;
        int context = 54 + (a ? 1 : 0) + (b ? 2 : 0);
        while (value < kMaxRefs && bin(context) != 0) {
            context = value == 0 ? 58 : 59;
            ++value;
        }
        return value;
    }

    // Block (x, y) of the 4x4 grid; axis 0 horizontal, 1 vertical.
    int mvd(const Macroblock& mb, const Neighbours& near, int x, int y, int axis);

    bool transform_8x8(const Neighbours& near) {
        return bin(399 + (near.a && near.a->transform_8x8) + (near.b && near.b->transform_8x8)) != 0;
    }

    void intra_mode() {
        if (bin(68) != 0) return;
        for (int i = 0; i < 3; ++i) bin(69);
    }

    int chroma_mode(const Neighbours& near) {
        if (bin(64 + (near.a && near.a->chroma_mode) + (near.b && near.b->chroma_mode)) == 0) return 0;
        if (bin(67) == 0) return 1;
        return bin(67) == 0 ? 2 : 3;
    }

    int qp_delta(bool previous_not_zero) {
        if (bin(60 + (previous_not_zero ? 1 : 0)) == 0) return 0;
        int value = 1;
        int context = 62;
        while (value < 256 && bin(context) != 0) {
            context = 63;
            ++value;
        }
        return value & 1 ? (value + 1) / 2 : -(value / 2);  // Table 9-3
    }

    int cbp(const Macroblock& mb, const Neighbours& near, bool intra);

    bool pcm(std::size_t bits) {
        const auto from = static_cast<std::size_t>((engine_.position() + 7) / 8);
        const std::size_t to = from + bits / 8;
        if (to > size_) return false;
        engine_.start(rbsp_, size_, to);
        return true;
    }

    bool block(Macroblock& mb, const Neighbours& near, BlockKind kind, int index, const float* weights, Levels& out);

private:
    int bin(int context) { return engine_.decision(contexts_[static_cast<std::size_t>(context)]); }

    // mb_type of an I macroblock, Table 9-36; the arguments are the contexts of its bins relative to offset.
    int intra_type(int offset, int first, int luma, int chroma, int more_chroma, int mode);
    bool coded(const Macroblock& mb, const Neighbours& near, BlockKind kind, int index);

    CabacEngine engine_;
    Contexts contexts_;
    const std::uint8_t* rbsp_;
    std::size_t size_;
    std::size_t end_bit_;
    int chroma_rows_;
};

}  // namespace salientclips::h264
