// Table 9-4: coded_block_pattern from its Exp-Golomb code number.
#include "syntax_cavlc.hpp"

namespace salientclips::h264 {
namespace {

constexpr std::uint8_t kIntra[48] = {47, 31, 15, 0,  23, 27, 29, 30, 7,  11, 13, 14, 39, 43, 45, 46,
                                     16, 3,  5,  10, 12, 19, 21, 26, 28, 35, 37, 42, 44, 1,  2,  4,
                                     8,  17, 18, 20, 24, 6,  9,  22, 25, 32, 33, 34, 36, 40, 38, 41};
constexpr std::uint8_t kInter[48] = {0,  16, 1,  2,  4,  8,  32, 3,  5,  10, 12, 15, 47, 7,  11, 13,
                                     14, 6,  9,  31, 35, 37, 42, 44, 33, 34, 36, 40, 39, 43, 45, 46,
                                     17, 18, 20, 24, 19, 21, 26, 28, 23, 27, 29, 30, 22, 25, 38, 41};
constexpr std::uint8_t kIntraGrey[16] = {15, 0, 7, 11, 13, 14, 3, 5, 10, 12, 1, 2, 4, 8, 6, 9};
constexpr std::uint8_t kInterGrey[16] = {0, 1, 2, 4, 8, 3, 5, 10, 12, 15, 7, 11, 13, 14, 6, 9};

}  // namespace

int CavlcSyntax::cbp(const Macroblock&, const Neighbours&, bool intra) {
    const auto code = in_.ue();
    if (code >= (has_chroma_ ? 48U : 16U)) return -1;
    if (has_chroma_) return intra ? kIntra[code] : kInter[code];
    return intra ? kIntraGrey[code] : kInterGrey[code];
}

}  // namespace salientclips::h264
