// Turns the code words of codes.hpp into tables that are indexed by the next bits, when this is compiled.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "bit_reader.hpp"
#include "codes.hpp"

namespace salientclips::mpeg4 {

// What the next bits stand for; length 0 where no word begins so.
struct Symbol {
    std::uint8_t value = 0;
    std::uint8_t length = 0;
};

template <unsigned Bits>
using SymbolTable = std::array<Symbol, std::size_t{1} << Bits>;

template <unsigned Bits, std::size_t N>
constexpr SymbolTable<Bits> make_symbols(const std::array<Code, N>& codes) {
    SymbolTable<Bits> table{};
    for (const Code& code : codes) {
        const std::size_t step = std::size_t{1} << (Bits - code.length);
        for (std::size_t i = 0; i < step; ++i) {
            table[code.bits * step + i] = {code.value, code.length};
        }
    }
    return table;
}

inline constexpr SymbolTable<9> kMcbpcTable = make_symbols<9>(kMcbpcInter);
inline constexpr SymbolTable<6> kCbpyTable = make_symbols<6>(kCbpy);
inline constexpr SymbolTable<12> kMotionTable = make_symbols<12>(kMotion);
inline constexpr SymbolTable<12> kDcLumaTable = make_symbols<12>(kDcSizeLuma);
inline constexpr SymbolTable<12> kDcChromaTable = make_symbols<12>(kDcSizeChroma);

// Reads one word; -1 where the bits are none.
template <unsigned Bits>
inline int read_symbol(BitReader& bits, const std::array<Symbol, std::size_t{1} << Bits>& table) {
    const Symbol symbol = table[bits.peek(Bits)];
    bits.skip(symbol.length);
    return symbol.length == 0 ? -1 : symbol.value;
}

// A coefficient word without its sign; length 0 where no word begins so, level 0 for the escape.
struct Coefficient {
    std::uint8_t level = 0;
    std::uint8_t run = 0;
    std::uint8_t last = 0;
    std::uint8_t length = 0;
};

// One of the tables B.16 and B.17 with its largest levels and runs (tables B.19 to B.22), for the escapes.
struct CoefficientTable {
    static constexpr unsigned kBits = 12;
    std::array<Coefficient, 1 << kBits> words{};
    std::array<std::array<std::uint8_t, 64>, 2> max_level{};  // [last][run]
    std::array<std::array<std::uint8_t, 28>, 2> max_run{};    // [last][level]
};

constexpr CoefficientTable make_coefficients(const std::array<CoefficientCode, 102>& codes) {
    CoefficientTable table{};
    const auto fill = [&table](unsigned bits, unsigned length, Coefficient word) {
        const std::size_t step = std::size_t{1} << (CoefficientTable::kBits - length);
        for (std::size_t i = 0; i < step; ++i) {
            table.words[bits * step + i] = word;
        }
    };
    for (const CoefficientCode& code : codes) {
        fill(code.bits, code.length, {code.level, code.run, code.last, code.length});
        std::uint8_t& level = table.max_level[code.last][code.run];
        std::uint8_t& run = table.max_run[code.last][code.level];
        level = std::max(level, code.level);
        run = std::max(run, code.run);
    }
    fill(kEscape.bits, kEscape.length, {0, 0, 0, kEscape.length});
    return table;
}

inline constexpr CoefficientTable kIntraTable = make_coefficients(kIntraCoefficients);
inline constexpr CoefficientTable kInterTable = make_coefficients(kInterCoefficients);

}  // namespace salientclips::mpeg4
