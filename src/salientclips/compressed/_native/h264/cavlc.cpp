// CAVLC residual blocks; see the header. Codes are looked up by their leading zeros and the few bits after them.
#include "cavlc.hpp"

#include <array>

#include "tables_422.hpp"
#include "tables_generated.hpp"

namespace salientclips::h264 {
namespace {

struct Entry {
    std::uint8_t length = 0;  // 0: no such code
    std::uint8_t value = 0;
};

template <std::size_t Bits>
using Direct = std::array<Entry, std::size_t{1} << Bits>;

template <std::size_t Bits, std::size_t N>
constexpr Direct<Bits> direct(const tables::Code (&codes)[N]) {
    Direct<Bits> table{};
    for (const auto& code : codes) {
        const std::size_t from = static_cast<std::size_t>(code.bits) << (Bits - code.length);
        for (std::size_t i = 0; i < (std::size_t{1} << (Bits - code.length)); ++i) {
            table[from + i] = {code.length, code.value};
        }
    }
    return table;
}

// Indexed by leading zeros * 8 + the three bits after the first one-bit.
using ByZeros = std::array<Entry, 16 * 8>;

template <std::size_t N>
constexpr ByZeros by_zeros(const tables::Code (&codes)[N]) {
    ByZeros table{};
    for (const auto& code : codes) {
        int used = 0;
        while ((code.bits >> used) > 1) ++used;  // bits after the first one-bit
        const int zeros = code.length - used - 1;
        const int rest = (code.bits & ((1 << used) - 1)) << (3 - used);
        for (int i = 0; i < (1 << (3 - used)); ++i) {
            table[static_cast<std::size_t>(zeros * 8 + rest + i)] = {code.length, code.value};
        }
    }
    return table;
}

constexpr ByZeros kToken0 = by_zeros(tables::kCoeffToken0);
constexpr ByZeros kToken2 = by_zeros(tables::kCoeffToken2);
constexpr ByZeros kToken4 = by_zeros(tables::kCoeffToken4);
constexpr Direct<6> kToken8 = direct<6>(tables::kCoeffToken8);
constexpr Direct<8> kTokenChromaDc = direct<8>(tables::kCoeffTokenChromaDc);
constexpr const ByZeros* kTokenByNc[8] = {&kToken0, &kToken0, &kToken2, &kToken2,
                                          &kToken4, &kToken4, &kToken4, &kToken4};

constexpr std::array<Direct<9>, 15> kZeros = {
    direct<9>(tables::kTotalZeros1),  direct<9>(tables::kTotalZeros2),  direct<9>(tables::kTotalZeros3),
    direct<9>(tables::kTotalZeros4),  direct<9>(tables::kTotalZeros5),  direct<9>(tables::kTotalZeros6),
    direct<9>(tables::kTotalZeros7),  direct<9>(tables::kTotalZeros8),  direct<9>(tables::kTotalZeros9),
    direct<9>(tables::kTotalZeros10), direct<9>(tables::kTotalZeros11), direct<9>(tables::kTotalZeros12),
    direct<9>(tables::kTotalZeros13), direct<9>(tables::kTotalZeros14), direct<9>(tables::kTotalZeros15)};
constexpr std::array<Direct<3>, 3> kZerosChromaDc = {direct<3>(tables::kTotalZerosChromaDc1),
                                                     direct<3>(tables::kTotalZerosChromaDc2),
                                                     direct<3>(tables::kTotalZerosChromaDc3)};
constexpr Direct<13> kTokenChromaDc422 = direct<13>(tables::kCoeffTokenChromaDc422);
constexpr std::array<Direct<5>, 7> kZerosChromaDc422 = {
    direct<5>(tables::kTotalZerosChromaDc422_1), direct<5>(tables::kTotalZerosChromaDc422_2),
    direct<5>(tables::kTotalZerosChromaDc422_3), direct<5>(tables::kTotalZerosChromaDc422_4),
    direct<5>(tables::kTotalZerosChromaDc422_5), direct<5>(tables::kTotalZerosChromaDc422_6),
    direct<5>(tables::kTotalZerosChromaDc422_7)};
constexpr std::array<Direct<3>, 7> kRun = {direct<3>(tables::kRunBefore1), direct<3>(tables::kRunBefore2),
                                           direct<3>(tables::kRunBefore3), direct<3>(tables::kRunBefore4),
                                           direct<3>(tables::kRunBefore5), direct<3>(tables::kRunBefore6),
                                           direct<3>(tables::kRunBefore7)};

Entry read_token(BitReader& in, int nc) {
    if (nc == -1) return kTokenChromaDc[in.peek(8)];
    if (nc == -2) return kTokenChromaDc422[in.peek(13)];
    if (nc >= 8) return kToken8[in.peek(6)];
    const std::uint32_t next = in.peek(32);
    const int zeros = std::countl_zero(next);
    if (zeros > 15) return {};
    return (*kTokenByNc[nc])[static_cast<std::size_t>(zeros * 8) + ((next << zeros << 1) >> 29)];
}

// Whether a set of codes is prefix-free: no word of the table is claimed twice.
template <std::size_t N>
constexpr bool prefix_free(const tables::Code (&codes)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
        for (std::size_t k = 0; k < N; ++k) {
            const int longer = codes[k].length - codes[i].length;
            if (i != k && longer >= 0 && (codes[k].bits >> longer) == codes[i].bits) return false;
        }
    }
    return true;
}
static_assert(prefix_free(tables::kCoeffTokenChromaDc422));
static_assert(prefix_free(tables::kTotalZerosChromaDc422_1) && prefix_free(tables::kTotalZerosChromaDc422_2) &&
              prefix_free(tables::kTotalZerosChromaDc422_3) && prefix_free(tables::kTotalZerosChromaDc422_4) &&
              prefix_free(tables::kTotalZerosChromaDc422_5) && prefix_free(tables::kTotalZerosChromaDc422_6));

// 9.2.2.1. Returns false on a prefix that no conforming stream has.
bool read_levels(BitReader& in, int total, int ones, int* level) {
    unsigned suffix_length = total > 10 && ones < 3 ? 1 : 0;
    for (int i = 0; i < ones; ++i) level[i] = 1 - 2 * static_cast<int>(in.bits(1));
    for (int i = ones; i < total; ++i) {
        const std::uint32_t next = in.peek(32);
        const auto prefix = static_cast<unsigned>(std::countl_zero(next));
        if (prefix > 25) return false;
        in.skip(prefix + 1);
        int code = static_cast<int>((prefix < 15 ? prefix : 15U) << suffix_length);
        const unsigned size = prefix >= 15 ? prefix - 3 : (prefix == 14 && suffix_length == 0 ? 4 : suffix_length);
        if (size > 0) code += static_cast<int>(in.bits(size));
        if (prefix >= 15 && suffix_length == 0) code += 15;
        if (prefix >= 16) code += (1 << (prefix - 3)) - 4096;
        if (i == ones && ones < 3) code += 2;
        const int magnitude = (code + 2) >> 1;
        level[i] = (code & 1) ? -magnitude : magnitude;
        if (suffix_length == 0) suffix_length = 1;
        if (magnitude > (3 << (suffix_length - 1)) && suffix_length < 6) ++suffix_length;
    }
    return true;
}

int read_total_zeros(BitReader& in, int total, int max_levels) {
    const auto row = static_cast<std::size_t>(total - 1);
    const Entry e = max_levels == 4   ? kZerosChromaDc[row][in.peek(3)]
                    : max_levels == 8 ? kZerosChromaDc422[row][in.peek(5)]
                                      : kZeros[row][in.peek(9)];
    in.skip(e.length);
    return e.length == 0 ? -1 : e.value;
}

int read_run(BitReader& in, int zeros_left) {
    const std::uint32_t next = in.peek(32);
    const Entry e = kRun[static_cast<std::size_t>(zeros_left > 6 ? 6 : zeros_left - 1)][next >> 29];
    if (e.length != 0) {
        in.skip(e.length);
        return e.value;
    }
    const int zeros = std::countl_zero(next);  // Table 9-10, zerosLeft > 6: run 7 and more
    in.skip(static_cast<std::size_t>(zeros) + 1);
    return zeros + 4;
}

}  // namespace

bool read_cavlc_block(BitReader& in, int nc, int max_levels, const float* weights, Levels& out) {
    const Entry token = read_token(in, nc);
    if (token.length == 0) return false;
    in.skip(token.length);
    const int total = token.value >> 2;
    out = Levels{};
    if (total == 0) return true;
    if (total > max_levels) return false;
    int level[16];
    if (!read_levels(in, total, token.value & 3, level)) return false;
    int zeros = total < max_levels ? read_total_zeros(in, total, max_levels) : 0;
    int position = total + zeros - 1;
    if (zeros < 0 || position >= max_levels) return false;
    out.total = total;
    for (int i = 0; i < total; ++i) {
        if (weights != nullptr) {
            const auto value = static_cast<float>(level[i]);
            out.energy += value * value * weights[position];
        }
        if (position == 0) out.first = level[i];
        const int run = zeros > 0 && i + 1 < total ? read_run(in, zeros) : 0;
        zeros -= run;
        position -= run + 1;
        if (zeros < 0) return false;
    }
    return true;
}

}  // namespace salientclips::h264
