// See vop.hpp. Work and memory are bounded by the picture: each turn of each loop consumes at least one bit
// of the packet or one macroblock, and arrays are allocated once the packet is long enough for the picture.
#include "vop.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

#include "texture.hpp"

namespace salientclips::mpeg4 {

namespace {

// 6.3.5, intra_dc_vlc_thr: from this quantiser on, intra DC is coded like the other coefficients.
constexpr std::array<int, 8> kIntraDcThreshold{32, 13, 15, 17, 19, 21, 23, 0};
constexpr std::array<int, 4> kQuantiserChange{-1, -2, 1, 2};

// No code word with its sign is longer, in bits.
constexpr std::size_t kLongestWord = 30;

int median(int a, int b, int c) { return std::max(std::min(a, b), std::min(std::max(a, b), c)); }

Vector median(Vector a, Vector b, Vector c) {
    return {static_cast<std::int16_t>(median(a.x, b.x, c.x)), static_cast<std::int16_t>(median(a.y, b.y, c.y))};
}

class PredictedVopParser {
public:
    PredictedVopParser(std::span<const std::uint8_t> bytes, const Vol& vol, const VopHeader& header)
        : bits_(bytes), vol_(vol), header_(header), width_(vol.mb_width()), count_(width_ * vol.mb_height()) {
        bits_.skip(header.macroblocks_at);
    }

    VopContent run();

private:
    Status parse_all();
    Status parse_macroblock(int index);
    bool read_intra(int mcbpc);
    bool read_inter(int index, int mcbpc);
    bool read_vectors(int index, bool four);
    bool read_residual(int index, unsigned pattern);
    bool read_difference(int predicted, std::int16_t& out);
    Vector predict(int index, int block) const;
    bool at_stuffing() const { return bits_.peek(10) == 1; }
    bool at_resync() const;
    Status read_packet_header(int next);
    void change_quantiser() {
        quantiser_ = std::clamp(quantiser_ + kQuantiserChange[bits_.read(2)], 1, 31);
    }

    BitReader bits_;
    const Vol& vol_;
    const VopHeader& header_;
    const int width_;   // macroblocks a row
    const int count_;   // macroblocks
    int quantiser_ = 0;
    int packet_start_ = 0;  // first macroblock of the video packet
    VopContent out_;
};

VopContent PredictedVopParser::run() {
    // A skipped macroblock takes one bit, so a VOP with fewer bits than macroblocks is not whole.
    if (bits_.left() < static_cast<std::size_t>(count_)) {
        out_.status = Status::truncated;
        return out_;
    }
    const auto count = static_cast<std::size_t>(count_);
    out_.mb_width = width_;
    out_.mb_height = vol_.mb_height();
    out_.kinds.resize(count, MacroblockKind::skipped);
    out_.vectors.resize(count * 4);
    out_.means.resize(count * 3);
    out_.energies.resize(count);
    quantiser_ = header_.quantiser;
    const Status status = parse_all();
    if (status != Status::ok) {
        out_ = {};
    }
    out_.status = status;
    return std::move(out_);
}

Status PredictedVopParser::parse_all() {
    for (int index = 0; index < count_;) {
        if (bits_.left() == 0) {
            return Status::truncated;
        }
        if (at_stuffing()) {  // consumes 10 bits a turn, so this ends with the packet
            bits_.skip(10);
            continue;
        }
        if (vol_.resync_markers && index > packet_start_ && at_resync()) {
            if (const Status status = read_packet_header(index); status != Status::ok) {
                return status;
            }
        }
        if (const Status status = parse_macroblock(index); status != Status::ok) {
            // Past the end all bits read as 0, which is no code word: a failure there is the end's.
            return bits_.left() < kLongestWord ? Status::truncated : status;
        }
        ++index;
    }
    return bits_.overrun() ? Status::truncated : Status::ok;
}

// next_resync_marker(): a 0 and then 1s up to the next byte; then fcode + 15 zeros and a 1.
bool PredictedVopParser::at_resync() const {
    const unsigned stuffing = 8 - (bits_.position() & 7);
    if (bits_.peek(stuffing) != (1U << (stuffing - 1)) - 1) {
        return false;
    }
    const unsigned marker = 16 + header_.fcode;  // with its 1
    const std::uint32_t both = bits_.peek(stuffing + marker);
    return (both & ((1U << marker) - 1)) == 1;
}

Status PredictedVopParser::read_packet_header(int next) {
    bits_.skip(8 - (bits_.position() & 7));
    bits_.skip(16 + header_.fcode);
    const int number = static_cast<int>(
        bits_.read(std::max(1U, static_cast<unsigned>(std::bit_width(static_cast<unsigned>(count_ - 1))))));
    const int quantiser = static_cast<int>(bits_.read(5));
    if (number != next) {
        return Status::lost_packet;
    }
    if (quantiser == 0) {
        return Status::broken_macroblock;
    }
    if (bits_.read_flag()) {  // header_extension_code: the VOP header once more
        while (bits_.left() > 0 && bits_.read_flag()) {
        }
        bits_.skip(1 + vol_.time_bits + 1);
        const auto type = static_cast<VopType>(bits_.read(2));
        bits_.skip(3);
        if (type != VopType::predicted || bits_.read(3) != header_.fcode) {
            return Status::broken_macroblock;
        }
    }
    quantiser_ = quantiser;
    packet_start_ = next;
    return bits_.overrun() ? Status::truncated : Status::ok;
}

Status PredictedVopParser::parse_macroblock(int index) {
    if (bits_.read_flag()) {  // not_coded: everything of it is 0
        return Status::ok;
    }
    const int mcbpc = read_symbol<9>(bits_, kMcbpcTable);
    if (mcbpc < 0 || mcbpc == kStuffing) {
        return Status::broken_macroblock;
    }
    if (mcbpc >= 12) {
        out_.kinds[static_cast<std::size_t>(index)] = MacroblockKind::intra;
        return read_intra(mcbpc) ? Status::ok : Status::broken_macroblock;
    }
    return read_inter(index, mcbpc) ? Status::ok : Status::broken_macroblock;
}

bool PredictedVopParser::read_intra(int mcbpc) {
    bits_.skip(1);  // ac_pred_flag
    const int cbpy = read_symbol<6>(bits_, kCbpyTable);
    if (cbpy < 0) {
        return false;
    }
    // The threshold is compared with the quantiser before this macroblock's own change.
    const bool separate_dc = quantiser_ < kIntraDcThreshold[static_cast<std::size_t>(header_.intra_dc_vlc_thr)];
    if (mcbpc >= 16) {
        change_quantiser();
    }
    const unsigned pattern = static_cast<unsigned>(cbpy) << 2 | (static_cast<unsigned>(mcbpc) & 3);
    for (unsigned block = 0; block < 6; ++block) {
        if (!skip_intra_block(bits_, block < 4, separate_dc, pattern >> (5 - block) & 1)) {
            return false;
        }
    }
    return true;
}

bool PredictedVopParser::read_inter(int index, int mcbpc) {
    const int cbpy = read_symbol<6>(bits_, kCbpyTable);
    if (cbpy < 0) {
        return false;
    }
    const int type = mcbpc >> 2;
    if (type == 1) {
        change_quantiser();
    }
    const unsigned pattern = static_cast<unsigned>(15 - cbpy) << 2 | (static_cast<unsigned>(mcbpc) & 3);
    return read_vectors(index, type == 2) && read_residual(index, pattern);
}

bool PredictedVopParser::read_vectors(int index, bool four) {
    const auto at = static_cast<std::size_t>(index);
    out_.kinds[at] = four ? MacroblockKind::four_vectors : MacroblockKind::one_vector;
    Vector* const blocks = &out_.vectors[at * 4];
    for (int block = 0; block < (four ? 4 : 1); ++block) {
        const Vector predicted = predict(index, block);
        if (!read_difference(predicted.x, blocks[block].x) || !read_difference(predicted.y, blocks[block].y)) {
            return false;
        }
    }
    if (!four) {
        std::fill(blocks + 1, blocks + 4, blocks[0]);
    }
    return true;
}

// 7.6.3: motion_code and motion_residual, added to the prediction and wrapped into the range of fcode.
bool PredictedVopParser::read_difference(int predicted, std::int16_t& out) {
    const int code = read_symbol<12>(bits_, kMotionTable);
    if (code < 0) {
        return false;
    }
    int difference = 0;
    if (code != 0) {
        const bool negative = bits_.read_flag();
        const unsigned shift = header_.fcode - 1;
        difference = ((code - 1) << shift) + static_cast<int>(bits_.read(shift)) + 1;
        difference = negative ? -difference : difference;
    }
    const int half_range = 32 << (header_.fcode - 1);
    int value = predicted + difference;
    if (value < -half_range) {
        value += 2 * half_range;
    } else if (value >= half_range) {
        value -= 2 * half_range;
    }
    out = static_cast<std::int16_t>(value);
    return true;
}

// 7.6.5: the median of the vectors to the left, above, and above right. A candidate outside the VOP or the
// video packet counts as 0; where only one of the three is inside, it is the prediction. Intra and skipped
// macroblocks have the vector 0.
Vector PredictedVopParser::predict(int index, int block) const {
    const auto vector = [this](int macroblock, int of_block) {
        return out_.vectors[static_cast<std::size_t>(macroblock) * 4 + static_cast<std::size_t>(of_block)];
    };
    if (block == 3) {
        return median(vector(index, 2), vector(index, 0), vector(index, 1));
    }
    const int column = index % width_;
    const bool has_left = column > 0 && index - 1 >= packet_start_;
    if (block == 2) {
        return median(has_left ? vector(index - 1, 3) : Vector{}, vector(index, 0), vector(index, 1));
    }
    const int above = index - width_;
    const bool has_first = block == 1 || has_left;
    const bool has_above = above >= packet_start_;
    const bool has_right = column + 1 < width_ && above + 1 >= packet_start_;
    const Vector first = block == 1 ? vector(index, 0) : has_left ? vector(index - 1, 1) : Vector{};
    const Vector second = has_above ? vector(above, block == 1 ? 3 : 2) : Vector{};
    const Vector third = has_right ? vector(above + 1, 2) : Vector{};
    if (int{has_first} + int{has_above} + int{has_right} == 1) {
        return has_first ? first : has_above ? second : third;
    }
    return median(first, second, third);
}

bool PredictedVopParser::read_residual(int index, unsigned pattern) {
    if (pattern == 0) {
        return true;
    }
    std::array<std::int32_t, 3> dc{};
    std::int64_t energy = 0;
    for (unsigned block = 0; block < 6; ++block) {
        if ((pattern >> (5 - block) & 1) == 0) {
            continue;
        }
        BlockSums sums;
        const bool whole = vol_.mpeg_quant ? read_inter_block_mpeg(bits_, quantiser_, vol_, sums)
                                           : read_inter_block_h263(bits_, quantiser_, sums);
        if (!whole) {
            return false;
        }
        dc[block < 4 ? 0 : block - 3] += sums.dc;
        energy += block < 4 ? sums.energy : 0;
    }
    const auto at = static_cast<std::size_t>(index);
    const auto plane = static_cast<std::size_t>(count_);
    out_.means[at] = static_cast<float>(dc[0]) / 32.0F;
    out_.means[at + plane] = static_cast<float>(dc[1]) / 8.0F;
    out_.means[at + 2 * plane] = static_cast<float>(dc[2]) / 8.0F;
    out_.energies[at] = static_cast<float>(energy) / 256.0F;
    return true;
}

}  // namespace

VopContent parse_predicted_vop(std::span<const std::uint8_t> bytes, const Vol& vol, const VopHeader& header) {
    return PredictedVopParser(bytes, vol, header).run();
}

}  // namespace salientclips::mpeg4
