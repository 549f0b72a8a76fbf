// Fuzz target for the macroblocks of P-VOPs.
//
// Input: the fields of a layer of at most 20 by 20 macroblocks, four bytes for the header, and the VOP's bits, of which
// the first up to 7 belong to the header: byte alignment matters where video packets begin.
#include <cmath>

#include "../src/salientclips/compressed/_native/mpeg4/export.hpp"
#include "mpeg4_fields.hpp"

using namespace salientclips;
using namespace salientclips::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    const Vol vol = make_vol(input, 320, 320);
    mpeg4::VopHeader header;
    header.status = mpeg4::Status::ok;
    header.type = mpeg4::VopType::predicted;
    header.quantiser = 1 + input.below(31);
    header.fcode = static_cast<unsigned>(1 + input.below(7));
    header.intra_dc_vlc_thr = input.below(8);
    header.macroblocks_at = static_cast<std::size_t>(input.below(8));
    const auto rest = input.rest();
    const Bytes memory(rest.begin(), rest.end());
    if (memory.empty()) return 0;
    const mpeg4::VopContent vop = mpeg4::parse_predicted_vop(memory, vol, header);
    require(!mpeg4::name_of(vop.status).empty(), "a status without a name");
    if (vop.status != mpeg4::Status::ok) {
        require(vop.kinds.empty() && vop.vectors.empty() && vop.energies.empty(), "arrays of a broken VOP");
        return 0;
    }
    const auto count = static_cast<std::size_t>(vol.mb_width()) * static_cast<std::size_t>(vol.mb_height());
    require(vop.kinds.size() == count && vop.vectors.size() == 4 * count && vop.means.size() == 3 * count &&
                vop.energies.size() == count,
            "sizes");
    const int limit = 32 << (header.fcode - 1);
    for (const auto& v : vop.vectors) {
        require(v.x >= -limit && v.x < limit && v.y >= -limit && v.y < limit, "a vector beyond the range of fcode");
    }
    for (const float v : vop.energies) require(std::isfinite(v) && v >= 0, "an energy");
    for (const float v : vop.means) require(std::isfinite(v), "a mean");
    std::size_t blocks = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto kind = vop.kinds[i];
        blocks += kind == mpeg4::MacroblockKind::four_vectors ? 4 : kind == mpeg4::MacroblockKind::intra ? 0 : 1;
        // By Parseval the mean square of a macroblock is no smaller than the square of its mean.
        require(vop.energies[i] >= vop.means[i] * vop.means[i] * 0.9999F, "an energy below its mean's");
    }
    require(mpeg4::motion_records(vop, vol).size() == blocks, "records");
    require(mpeg4::displacements(vop, vol).size() == 2 * count, "displacements");
    return 0;
}
