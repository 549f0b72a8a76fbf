// The longer syntax elements of CABAC; see the header.
#include "syntax_cabac.hpp"

namespace salientclips::h264 {

int CabacSyntax::intra_type(int offset, int first, int luma, int chroma, int more_chroma, int mode) {
    if (bin(offset + first) == 0) return 0;
    if (engine_.terminate() != 0) return 25;
    int type = 1;
    if (bin(offset + luma) != 0) type += 12;
    if (bin(offset + chroma) != 0) type += bin(offset + more_chroma) != 0 ? 8 : 4;
    // In an I slice the two bits of the prediction mode have a context each, in a P slice they share one.
    type += 2 * bin(offset + mode);
    type += bin(offset + (offset == 3 ? mode + 1 : mode));
    return type;
}

int CabacSyntax::mvd(const Macroblock& mb, const Neighbours& near, int x, int y, int axis) {
    const int at = y * 4 + x;
    const int a = x > 0 ? mb.mvd[at - 1][axis] : (near.a ? near.a->mvd[at + 3][axis] : 0);
    const int b = y > 0 ? mb.mvd[at - 4][axis] : (near.b ? near.b->mvd[at + 12][axis] : 0);
    const int base = axis == 0 ? 40 : 47;
    const int sum = a + b;
    if (bin(base + (sum < 3 ? 0 : (sum > 32 ? 2 : 1))) == 0) return 0;
    int value = 1;
    int context = 3;
    while (value < 9 && bin(base + context) != 0) {
        ++value;
        if (context < 6) ++context;
    }
    if (value == 9) {  // UEG3, 9.3.2.3
        int k = 3;
        while (k < 20 && engine_.bypass() != 0) value += 1 << k++;
        while (k-- > 0) value += engine_.bypass() << k;
    }
    return engine_.bypass() != 0 ? -value : value;
}

int CabacSyntax::cbp(const Macroblock&, const Neighbours& near, bool) {
    const int left = near.a ? near.a->cbp : 0x0F;
    const int above = near.b ? near.b->cbp : 0x0F;
    const auto luma = [&](bool a_coded, bool b_coded) { return bin(73 + (a_coded ? 0 : 1) + (b_coded ? 0 : 2)); };
    int cbp = luma(left & 2, above & 4);
    cbp |= luma(cbp & 1, above & 8) << 1;
    cbp |= luma(left & 8, cbp & 1) << 2;
    cbp |= luma(cbp & 4, cbp & 2) << 3;
    if (chroma_rows_ == 0) return cbp;
    const int left_chroma = left >> 4;
    const int above_chroma = above >> 4;
    if (bin(77 + (left_chroma != 0 ? 1 : 0) + (above_chroma != 0 ? 2 : 0)) == 0) return cbp;
    const int both = bin(81 + (left_chroma == 2 ? 1 : 0) + (above_chroma == 2 ? 2 : 0));
    return cbp | (both != 0 ? 0x20 : 0x10);
}

// coded_block_flag, 9.3.3.1.1.9.
bool CabacSyntax::coded(const Macroblock& mb, const Neighbours& near, BlockKind kind, int index) {
    int a;
    int b;
    const int missing = mb.intra() ? 1 : 0;
    if (kind == kLumaDc16x16 || kind == kChromaDc) {
        const int bit = kind == kLumaDc16x16 ? 0 : 1 + index;
        a = near.a ? (near.a->dc_coded >> bit) & 1 : missing;
        b = near.b ? (near.b->dc_coded >> bit) & 1 : missing;
    } else {
        a = coded_left(mb, near, index);
        b = coded_above(mb, near, index, chroma_rows_);
        if (a < 0) a = missing;
        if (b < 0) b = missing;
    }
    return bin(85 + 4 * kind + a + 2 * b) != 0;
}

bool CabacSyntax::block(Macroblock& mb, const Neighbours& near, BlockKind kind, int index, const float* weights,
                        Levels& out) {
    out = Levels{};
    // For an 8x8 block the flag is not sent but inferred to be 1, 7.4.5.3.3.
    if (kind != kLuma8x8 && !coded(mb, near, kind, index)) return true;
    static constexpr int kMaxLevels[6] = {16, 15, 16, 0, 15, 64};
    const int max_levels = kind == kChromaDc ? 2 * chroma_rows_ : kMaxLevels[kind];
    out = read_cabac_block(engine_, contexts_, kind, max_levels, weights, chroma_rows_ / 2);
    if (kind == kLumaDc16x16) {
        mb.dc_coded |= 1;
    } else if (kind == kChromaDc) {
        mb.dc_coded = static_cast<std::uint8_t>(mb.dc_coded | (2 << index));
    } else if (kind == kLuma8x8) {
        for (const int i : {0, 1, 4, 5}) mb.coded[index + i] = 1;
    } else {
        mb.coded[index] = 1;
    }
    return true;
}

}  // namespace salientclips::h264
