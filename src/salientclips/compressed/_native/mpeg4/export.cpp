// See export.hpp.
#include "export.hpp"

namespace salientclips::mpeg4 {

namespace {

MotionVector record_of(Vector vector, int size, int centre_x, int centre_y, int scale) {
    MotionVector record{};
    record.source = -1;
    record.w = record.h = static_cast<std::uint8_t>(size);
    record.src_x = static_cast<std::int16_t>(centre_x + vector.x / scale);
    record.src_y = static_cast<std::int16_t>(centre_y + vector.y / scale);
    record.dst_x = static_cast<std::int16_t>(centre_x);
    record.dst_y = static_cast<std::int16_t>(centre_y);
    record.motion_x = vector.x;
    record.motion_y = vector.y;
    record.motion_scale = static_cast<std::uint16_t>(scale);
    return record;
}

}  // namespace

std::vector<MotionVector> motion_records(const VopContent& content, const Vol& vol) {
    const int scale = vol.quarter_sample ? 4 : 2;
    std::size_t count = 0;
    for (const MacroblockKind kind : content.kinds) {
        count += kind == MacroblockKind::intra ? 0 : kind == MacroblockKind::four_vectors ? 4 : 1;
    }
    std::vector<MotionVector> records;
    records.reserve(count);
    for (std::size_t at = 0; at < content.kinds.size(); ++at) {
        const int left = static_cast<int>(at) % content.mb_width * 16;
        const int top = static_cast<int>(at) / content.mb_width * 16;
        const Vector* const blocks = &content.vectors[at * 4];
        if (content.kinds[at] == MacroblockKind::four_vectors) {
            for (int block = 0; block < 4; ++block) {
                records.push_back(
                    record_of(blocks[block], 8, left + 4 + block % 2 * 8, top + 4 + block / 2 * 8, scale));
            }
        } else if (content.kinds[at] != MacroblockKind::intra) {
            records.push_back(record_of(blocks[0], 16, left + 8, top + 8, scale));
        }
    }
    return records;
}

std::vector<float> displacements(const VopContent& content, const Vol& vol) {
    const std::size_t plane = content.kinds.size();
    const float unit = vol.quarter_sample ? 1.0F / 16.0F : 1.0F / 8.0F;  // of the sum of four
    std::vector<float> planes(plane * 2);
    for (std::size_t at = 0; at < plane; ++at) {
        const Vector* const v = &content.vectors[at * 4];
        planes[at] = static_cast<float>(v[0].x + v[1].x + v[2].x + v[3].x) * unit;
        planes[at + plane] = static_cast<float>(v[0].y + v[1].y + v[2].y + v[3].y) * unit;
    }
    return planes;
}

}  // namespace salientclips::mpeg4
