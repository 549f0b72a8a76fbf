// The macroblock layer, written once for both entropy codings; see the header.
#include "slice_parser.hpp"

#include <algorithm>
#include <cstring>

#include "mv_prediction.hpp"
#include "syntax_cabac.hpp"
#include "syntax_cavlc.hpp"
#include "tables_generated.hpp"

namespace salientclips::h264 {
namespace {

template <class Syntax>
class SliceParser {
public:
    SliceParser(const Slice& slice, const Weights& weights, std::int64_t number, Canvas& canvas, Syntax& syntax)
        : header_(slice.header), sps_(*slice.header.sps), pps_(*slice.header.pps), weights_(weights), number_(number),
          canvas_(canvas), syntax_(syntax), qp_(slice.header.qp), chroma_rows_(2 * sps_.chroma_format_idc) {}

    bool run() {
        const auto total = static_cast<std::uint32_t>(canvas_.width * canvas_.height);
        for (std::uint32_t address = header_.first_mb; address < total; ++address) {
            locate(static_cast<int>(address));
            if (header_.type == kP && syntax_.skipped(near_)) {
                skip();
            } else if (!macroblock()) {
                return false;
            }
            if (syntax_.failed()) return false;
            if (syntax_.finished()) return syntax_.ended_cleanly();
        }
        return false;  // the slice goes on past the picture
    }

private:
    // The record of a macroblock, and its neighbours in the same slice (6.4.9).
    void locate(int address) {
        const int width = canvas_.width;
        const int column = address % width;
        mb_ = &canvas_.macroblocks[static_cast<std::size_t>(address)];
        residual_ = &canvas_.residuals[static_cast<std::size_t>(address)];
        const auto same_slice = [&](bool inside, int distance) -> const Macroblock* {
            return inside && (mb_ - distance)->slice == number_ ? mb_ - distance : nullptr;
        };
        const bool below_first_row = address >= width;
        near_.a = same_slice(column > 0, 1);
        near_.b = same_slice(below_first_row, width);
        near_.c = same_slice(below_first_row && column + 1 < width, width - 1);
        near_.d = same_slice(below_first_row && column > 0, width + 1);
        mb_->slice = number_;
        mb_->cbp = 0;
        mb_->transform_8x8 = false;
        mb_->chroma_mode = false;
        mb_->dc_coded = 0;
        std::memset(mb_->coded, 0, sizeof mb_->coded);
        if (Syntax::kCabac && header_.type == kP) std::memset(mb_->mvd, 0, sizeof mb_->mvd);
        *residual_ = Residual{};
    }

    void skip() {
        mb_->kind = Kind::kSkip;
        mb_->shape = Shape::k16x16;
        std::fill_n(mb_->ref, 4, std::int8_t{0});
        std::fill_n(mb_->mv, 16, predict_skip(*mb_, near_));
        qp_changed_ = false;
    }

    bool macroblock() {
        int type;
        if (header_.type == kP) {
            type = syntax_.mb_type_p();
            if (type < 5) return inter(type);
            type -= 5;
        } else {
            type = syntax_.mb_type_i(near_);
        }
        if (type > 25) return false;
        std::fill_n(mb_->ref, 4, std::int8_t{-1});
        if (header_.type == kP) std::fill_n(mb_->mv, 16, Mv{});
        return type == 25 ? pcm() : intra(type);
    }

    bool pcm() {
        mb_->kind = Kind::kPcm;
        mb_->cbp = 0x2F;
        mb_->dc_coded = 7;
        std::memset(mb_->coded, 16, sizeof mb_->coded);
        if (Syntax::kCabac) std::memset(mb_->coded, 1, sizeof mb_->coded);
        qp_changed_ = false;
        const int chroma = 2 * 4 * 16 * chroma_rows_ / 2;
        return syntax_.pcm(static_cast<std::size_t>(256 * sps_.bit_depth_luma + chroma * sps_.bit_depth_chroma));
    }

    bool intra(int type) {
        mb_->kind = type == 0 ? Kind::kIntraNxN : Kind::kIntra16x16;
        if (type == 0) {
            mb_->transform_8x8 = pps_.transform_8x8_mode && syntax_.transform_8x8(near_);
            for (int i = 0; i < (mb_->transform_8x8 ? 4 : 16); ++i) syntax_.intra_mode();
        }
        if (chroma_rows_ > 0) {
            const int mode = syntax_.chroma_mode(near_);
            if (mode > 3) return false;
            mb_->chroma_mode = mode != 0;
        }
        int cbp;
        if (type == 0) {
            cbp = syntax_.cbp(*mb_, near_, true);
            if (cbp < 0) return false;
        } else {  // Table 7-11
            cbp = (type >= 13 ? 15 : 0) | ((type - 1) / 4 % 3) << 4;
        }
        mb_->cbp = static_cast<std::uint8_t>(cbp);
        return coefficients();
    }

    bool inter(int type) {
        mb_->kind = Kind::kInter;
        mb_->shape = type >= 3 ? Shape::k8x8 : static_cast<Shape>(type);
        bool whole_quarters = true;
        if (type < 3 ? !partitions() : !sub_partitions(type == 4, whole_quarters)) return false;
        const int cbp = syntax_.cbp(*mb_, near_, false);
        if (cbp < 0) return false;
        mb_->cbp = static_cast<std::uint8_t>(cbp);
        if ((cbp & 15) != 0 && pps_.transform_8x8_mode && whole_quarters) {
            mb_->transform_8x8 = syntax_.transform_8x8(near_);
        }
        return coefficients();
    }

    bool read_ref(int part, int& ref) {
        ref = header_.num_ref_idx > 1 ? syntax_.ref_idx(*mb_, near_, part, header_.num_ref_idx) : 0;
        return ref < header_.num_ref_idx;
    }

    // Vector of the partition at block (x, y), width by height blocks.
    void vector(int x, int y, int width, int height) {
        const Mv predicted = predict(*mb_, near_, x, y, width);
        const int dx = syntax_.mvd(*mb_, near_, x, y, 0);
        const int dy = syntax_.mvd(*mb_, near_, x, y, 1);
        const Mv mv{add(predicted.x, dx), add(predicted.y, dy)};
        const auto magnitude_x = static_cast<std::uint8_t>(std::min(std::abs(dx), 64));
        const auto magnitude_y = static_cast<std::uint8_t>(std::min(std::abs(dy), 64));
        for (int row = y; row < y + height; ++row) {
            for (int column = x; column < x + width; ++column) {
                const int at = row * 4 + column;
                mb_->mv[at] = mv;
                if constexpr (Syntax::kCabac) {
                    mb_->mvd[at][0] = magnitude_x;
                    mb_->mvd[at][1] = magnitude_y;
                }
            }
        }
    }

    static std::int16_t add(std::int16_t a, int b) {  // modulo 2^16: a damaged stream must not overflow
        return static_cast<std::int16_t>(static_cast<std::uint16_t>(a) + static_cast<std::uint32_t>(b));
    }

    bool partitions() {  // mb_pred(), 16x16, 16x8 and 8x16
        const int width = mb_->shape == Shape::k8x16 ? 2 : 4;
        const int height = mb_->shape == Shape::k16x8 ? 2 : 4;
        // 8x8 quarters of each partition: first, and step to its second one.
        const int second = mb_->shape == Shape::k16x8 ? 2 : 1;
        const int count = mb_->shape == Shape::k16x16 ? 1 : 2;
        for (int i = 0; i < count; ++i) {
            int ref;
            if (!read_ref(i * second, ref)) return false;
            for (int quarter = 0; quarter < 4; ++quarter) {
                const int owner = count == 1 ? 0 : (second == 2 ? quarter >> 1 : quarter & 1);
                if (owner == i) mb_->ref[quarter] = static_cast<std::int8_t>(ref);
            }
        }
        for (int i = 0; i < count; ++i) vector(i * (4 - width), i * (4 - height), width, height);
        return true;
    }

    bool sub_partitions(bool ref0, bool& whole_quarters) {  // sub_mb_pred()
        for (auto& shape : mb_->sub_shape) {
            const int type = syntax_.sub_mb_type();
            if (type > 3) return false;
            shape = static_cast<std::uint8_t>(type);
            whole_quarters = whole_quarters && type == 0;
        }
        for (int i = 0; i < 4; ++i) {
            int ref = 0;
            if (!ref0 && !read_ref(i, ref)) return false;
            mb_->ref[i] = static_cast<std::int8_t>(ref);
        }
        for (int i = 0; i < 4; ++i) {
            const int x = (i & 1) * 2;
            const int y = (i >> 1) * 2;
            const int width = mb_->sub_shape[i] < 2 ? 2 : 1;
            const int height = mb_->sub_shape[i] % 2 == 0 ? 2 : 1;
            for (int dy = 0; dy < 2; dy += height) {
                for (int dx = 0; dx < 2; dx += width) vector(x + dx, y + dy, width, height);
            }
        }
        return true;
    }

    bool coefficients() {
        if (mb_->cbp == 0 && mb_->kind != Kind::kIntra16x16) {
            qp_changed_ = false;
            return true;
        }
        const int delta = syntax_.qp_delta(qp_changed_);
        const int offset = 6 * (sps_.bit_depth_luma - 8);
        if (delta < -(26 + offset / 2) || delta > 25 + offset / 2) return false;  // 7.4.5
        qp_changed_ = delta != 0;
        qp_ = (qp_ + delta + 52 + 2 * offset) % (52 + offset) - offset;  // (7-37)
        return luma(qp_ + offset) && chroma();
    }

    bool luma(int qp) {
        const int m = qp % 6;
        const auto step = static_cast<float>(1 << (qp / 6));
        const int inter = mb_->intra() ? 0 : 1;
        float mean = 0;
        float energy = 0;
        Levels levels;
        const bool whole = mb_->kind == Kind::kIntra16x16;
        if (whole) {
            static constexpr float kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
            if (!syntax_.block(*mb_, near_, kLumaDc16x16, 0, kOnes, levels)) return false;
            mean = static_cast<float>(levels.first) * weights_.mean16x16[m];
            energy = levels.energy * weights_.energy_dc16x16[m];
        }
        const float* weights4x4 = weights_.energy4x4[inter][m] + (whole ? 1 : 0);
        const BlockKind kind = whole ? kLumaAc16x16 : kLuma4x4;
        for (int quarter = 0; quarter < 4; ++quarter) {
            if ((mb_->cbp >> quarter & 1) == 0) continue;
            const int corner = (quarter >> 1) * 8 + (quarter & 1) * 2;
            if (Syntax::kCabac && mb_->transform_8x8) {
                if (!syntax_.block(*mb_, near_, kLuma8x8, corner, weights_.energy8x8[inter][m], levels)) return false;
                mean += static_cast<float>(levels.first) * weights_.mean8x8[inter][m];
                energy += levels.energy;
                continue;
            }
            for (int i = 0; i < 4; ++i) {
                const int index = corner + (i >> 1) * 4 + (i & 1);
                const float* weights = mb_->transform_8x8 ? weights_.energy8x8_cut[inter][m][i] : weights4x4;
                if (!syntax_.block(*mb_, near_, kind, index, weights, levels)) return false;
                energy += levels.energy;
                if (whole || (mb_->transform_8x8 && i != 0)) continue;
                const float* factor = mb_->transform_8x8 ? weights_.mean8x8[inter] : weights_.mean4x4[inter];
                mean += static_cast<float>(levels.first) * factor[m];
            }
        }
        const float depth = 1.0F / static_cast<float>(1 << (sps_.bit_depth_luma - 8));
        residual_->mean[0] = mean * step * depth;
        residual_->energy = energy * step * step * depth * depth;
        return true;
    }

    bool chroma() {
        Levels levels;
        if (mb_->cbp < 0x10 || chroma_rows_ == 0) return true;
        for (int plane = 0; plane < 2; ++plane) {
            if (!syntax_.block(*mb_, near_, kChromaDc, plane, nullptr, levels)) return false;
            if (levels.first != 0) residual_->mean[1 + plane] = static_cast<float>(levels.first) * chroma_factor(plane);
        }
        if (mb_->cbp < 0x20) return true;
        for (int plane = 0; plane < 2; ++plane) {
            for (int i = 0; i < 2 * chroma_rows_; ++i) {
                if (!syntax_.block(*mb_, near_, kChromaAc, 16 + 8 * plane + i, nullptr, levels)) return false;
            }
        }
        return true;
    }

    // From the first chroma DC level to the mean of the plane: 8.5.8 (QPc), 8.5.11.
    float chroma_factor(int plane) const {
        const int offset = 6 * (sps_.bit_depth_chroma - 8);
        const int index = std::clamp(qp_ + pps_.chroma_qp_offset[plane], -offset, 51);
        int qp = (index < 0 ? index : tables::kChromaQp[index]) + offset;
        float factor = 1.0F / static_cast<float>(1 << (sps_.bit_depth_chroma - 8));
        if (chroma_rows_ == 4) {  // 4:2:2 has its own DC quantiser and one more halving
            qp += 3;
            factor /= 2;
        }
        return factor * weights_.mean_chroma[plane][mb_->intra() ? 0 : 1][qp % 6] * static_cast<float>(1 << (qp / 6));
    }

    const SliceHeader& header_;
    const Sps& sps_;
    const Pps& pps_;
    const Weights& weights_;
    const std::int64_t number_;
    Canvas& canvas_;
    Syntax& syntax_;
    int qp_;
    const int chroma_rows_;
    bool qp_changed_ = false;
    Macroblock* mb_ = nullptr;
    Residual* residual_ = nullptr;
    Neighbours near_{};
};

template <class Syntax>
bool parse_with(const Slice& slice, const std::uint8_t* rbsp, std::size_t size, const Weights& weights,
                std::int64_t number, Canvas& canvas) {
    Syntax syntax(slice.header, rbsp, size, 2 * slice.header.sps->chroma_format_idc);
    return SliceParser<Syntax>(slice, weights, number, canvas, syntax).run();
}

}  // namespace

bool parse_slice(const Slice& slice, const std::uint8_t* rbsp, std::size_t size, const Weights& weights,
                 std::int64_t number, Canvas& canvas) {
    const auto parse = slice.header.pps->cabac ? parse_with<CabacSyntax> : parse_with<CavlcSyntax>;
    return parse(slice, rbsp, size, weights, number, canvas);
}

}  // namespace salientclips::h264
