// Tables of clause 8.5.9, turned into weights; see the header.
#include "scaling.hpp"

#include "tables_generated.hpp"

namespace salientclips::h264 {
namespace {

// normAdjust of (8-315) and (8-318).
constexpr int kNorm4x4[6][3] = {{10, 16, 13}, {11, 18, 14}, {13, 20, 16}, {14, 23, 18}, {16, 25, 20}, {18, 29, 23}};
constexpr int kNorm8x8[6][6] = {{20, 18, 32, 19, 25, 24}, {22, 19, 35, 21, 28, 26}, {26, 23, 42, 24, 33, 31},
                                {28, 25, 45, 26, 35, 33}, {32, 28, 51, 30, 40, 38}, {36, 32, 58, 34, 46, 43}};

int norm4x4(int m, int row, int column) {
    if (row % 2 == 0 && column % 2 == 0) return kNorm4x4[m][0];
    return kNorm4x4[m][row % 2 == 1 && column % 2 == 1 ? 1 : 2];
}

int norm8x8(int m, int row, int column) {
    if (row % 4 == 0 && column % 4 == 0) return kNorm8x8[m][0];
    if (row % 2 == 1 && column % 2 == 1) return kNorm8x8[m][1];
    if (row % 4 == 2 && column % 4 == 2) return kNorm8x8[m][2];
    if ((row % 4 == 0 && column % 2 == 1) || (row % 2 == 1 && column % 4 == 0)) return kNorm8x8[m][3];
    if ((row % 4 == 0 && column % 4 == 2) || (row % 4 == 2 && column % 4 == 0)) return kNorm8x8[m][4];
    return kNorm8x8[m][5];
}

// Squared norms of the rows of the inverse transforms, 8.5.12.2 and 8.5.13.
constexpr float kRow4[4] = {4.0F, 2.5F, 4.0F, 2.5F};
constexpr float kOdd8 = 289.0F / 32.0F;
constexpr float kRow8[8] = {8.0F, kOdd8, 5.0F, kOdd8, 8.0F, kOdd8, 5.0F, kOdd8};

constexpr float kPixels = 256.0F;

void fill4x4(const ScalingLists& lists, Weights& w) {
    for (int inter = 0; inter < 2; ++inter) {
        const auto& list = lists.four[inter ? 3 : 0];
        for (int m = 0; m < 6; ++m) {
            for (int k = 0; k < 16; ++k) {
                const int row = tables::kZigzag4x4[k] / 4;
                const int column = tables::kZigzag4x4[k] % 4;
                const float scale =
                    static_cast<float>(list[static_cast<std::size_t>(k)] * norm4x4(m, row, column)) / (16.0F * 64.0F);
                w.energy4x4[inter][m][k] = scale * scale * kRow4[row] * kRow4[column] / kPixels;
            }
            const auto first = static_cast<float>(list[0] * norm4x4(m, 0, 0));
            w.mean4x4[inter][m] = first / (16.0F * 64.0F * 16.0F);
            for (int c = 0; c < 2; ++c) {
                const int chroma = lists.four[static_cast<std::size_t>(1 + c + 3 * inter)][0] * norm4x4(m, 0, 0);
                // 8.5.11.2: dcC = f * LevelScale * 2^(qp / 6) / 32; the four f add up to four times the first level.
                w.mean_chroma[c][inter][m] = static_cast<float>(chroma) / (32.0F * 64.0F);
            }
        }
    }
    for (int m = 0; m < 6; ++m) {
        // 8.5.10: dcY = f * LevelScale * 2^(qp / 6) / 64; the 4x4 Hadamard transform has squared norm 16, and each dcY
        // fills 16 samples with dcY / 64.
        const float scale = static_cast<float>(lists.four[0][0] * norm4x4(m, 0, 0)) / (64.0F * 64.0F);
        w.energy_dc16x16[m] = scale * scale * 16.0F * 16.0F / kPixels;
        w.mean16x16[m] = scale;
    }
}

void fill8x8(const ScalingLists& lists, Weights& w) {
    for (int inter = 0; inter < 2; ++inter) {
        const auto& list = lists.eight[static_cast<std::size_t>(inter)];
        for (int m = 0; m < 6; ++m) {
            for (int k = 0; k < 64; ++k) {
                const int row = tables::kZigzag8x8[k] / 8;
                const int column = tables::kZigzag8x8[k] % 8;
                const float scale =
                    static_cast<float>(list[static_cast<std::size_t>(k)] * norm8x8(m, row, column)) / (64.0F * 64.0F);
                const float energy = scale * scale * kRow8[row] * kRow8[column] / kPixels;
                w.energy8x8[inter][m][k] = energy;
                w.energy8x8_cut[inter][m][k % 4][k / 4] = energy;
            }
            w.mean8x8[inter][m] = static_cast<float>(list[0] * norm8x8(m, 0, 0)) / (64.0F * 64.0F * 4.0F);
        }
    }
}

}  // namespace

Weights make_weights(const ScalingLists& lists) {
    Weights w;
    fill4x4(lists, w);
    fill8x8(lists, w);
    return w;
}

}  // namespace salientclips::h264
