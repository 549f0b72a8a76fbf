// One picture's macroblocks parsed, and turned into the arrays that Python sees.
#include <algorithm>

#include "reader.hpp"
#include "slice_parser.hpp"

namespace salientclips::h264 {
namespace {

void prepare(Canvas& canvas, int width, int height) {
    const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    if (canvas.macroblocks.size() < count) canvas.macroblocks.resize(count);
    if (canvas.residuals.size() < count) canvas.residuals.resize(count);
    canvas.width = width;
    canvas.height = height;
}

// Collects vectors in FFmpeg's order and form: macroblocks in raster order, partitions within.
class VectorWriter {
public:
    VectorWriter(Frame& frame, bool sub_8x8) : frame_(frame), sub_8x8_(sub_8x8) {}

    void macroblock(const Macroblock& mb, int column, int row, const std::vector<Reference>& refs) {
        const int x = column * 16;
        const int y = row * 16;
        switch (mb.shape) {
            case Shape::k16x16:
                add(mb, refs, 0, x, y, 16, 16);
                break;
            case Shape::k16x8:
                for (int i = 0; i < 2; ++i) add(mb, refs, i * 8, x, y + 8 * i, 16, 8);
                break;
            case Shape::k8x16:
                for (int i = 0; i < 2; ++i) add(mb, refs, i * 2, x + 8 * i, y, 8, 16);
                break;
            case Shape::k8x8:
                for (int i = 0; i < 4; ++i) quarter(mb, refs, i, x, y);
        }
    }

private:
    void quarter(const Macroblock& mb, const std::vector<Reference>& refs, int i, int x, int y) {
        const int column = (i & 1) * 2;
        const int row = (i >> 1) * 2;
        // FFmpeg reports a quarter by the vector of its first 4x4 block, whatever its parts.
        const int width = sub_8x8_ && mb.sub_shape[i] >= 2 ? 1 : 2;
        const int height = sub_8x8_ && mb.sub_shape[i] % 2 == 1 ? 1 : 2;
        for (int dy = 0; dy < 2; dy += height) {
            for (int dx = 0; dx < 2; dx += width) {
                const int block = (row + dy) * 4 + column + dx;
                add(mb, refs, block, x + (column + dx) * 4, y + (row + dy) * 4, width * 4, height * 4);
            }
        }
    }

    void add(const Macroblock& mb, const std::vector<Reference>& refs, int block, int x, int y, int w, int h) {
        const Mv mv = mb.mv[block];
        const int centre_x = x + w / 2;
        const int centre_y = y + h / 2;
        MotionVector v{};
        v.source = -1;
        v.w = static_cast<std::uint8_t>(w);
        v.h = static_cast<std::uint8_t>(h);
        v.dst_x = static_cast<std::int16_t>(centre_x);
        v.dst_y = static_cast<std::int16_t>(centre_y);
        v.src_x = static_cast<std::int16_t>(centre_x + mv.x / 4);
        v.src_y = static_cast<std::int16_t>(centre_y + mv.y / 4);
        v.motion_x = mv.x;
        v.motion_y = mv.y;
        v.motion_scale = 4;
        frame_.vectors.push_back(v);
        const int index = mb.ref[(block >> 3) * 2 + ((block >> 1) & 1)];
        VectorReference r{-1, 0, index};
        if (static_cast<std::size_t>(index) < refs.size() && refs[static_cast<std::size_t>(index)].packet >= 0) {
            const Reference& picture = refs[static_cast<std::size_t>(index)];
            r.packet = picture.packet;
            r.poc_delta = static_cast<std::int32_t>(static_cast<std::uint32_t>(frame_.poc) -
                                                    static_cast<std::uint32_t>(picture.poc));
        }
        frame_.references.push_back(r);
    }

    Frame& frame_;
    bool sub_8x8_;
};

void write_frame(Job& job, const Canvas& canvas, std::int64_t first_slice, bool sub_8x8) {
    Frame& frame = job.frame;
    const auto count = static_cast<std::size_t>(canvas.width * canvas.height);
    frame.means.resize(3 * count);
    frame.energy.resize(count);
    frame.intra.resize(count);
    frame.vectors.reserve(count + count / 2);
    frame.references.reserve(count + count / 2);
    VectorWriter writer(frame, sub_8x8);
    for (std::size_t i = 0; i < count; ++i) {
        const Macroblock& mb = canvas.macroblocks[i];
        const Residual& residual = canvas.residuals[i];
        for (std::size_t plane = 0; plane < 3; ++plane) frame.means[plane * count + i] = residual.mean[plane];
        frame.energy[i] = residual.energy;
        frame.intra[i] = mb.intra() ? 1 : 0;
        if (mb.intra()) continue;
        const auto& slice = job.slices[static_cast<std::size_t>(mb.slice - first_slice)];
        const int at = static_cast<int>(i);
        writer.macroblock(mb, at % canvas.width, at / canvas.width, slice.refs);
    }
}

}  // namespace

bool parse_macroblocks(Job& job, Scratch& scratch) {
    Frame& frame = job.frame;
    if (frame.head.status != Status::kOk || job.slices.empty()) return false;
    const Sps& sps = *job.slices.front().header.sps;
    Canvas& canvas = scratch.canvas;
    prepare(canvas, sps.width_mbs, sps.height_mbs());
    frame.width_mbs = canvas.width;
    frame.height_mbs = canvas.height;
    const std::int64_t first_slice = canvas.next_slice;
    canvas.next_slice += static_cast<std::int64_t>(job.slices.size());
    for (std::size_t i = 0; i < job.slices.size(); ++i) {
        const Slice& slice = job.slices[i];
        if (slice.header.sps.get() != &sps) {
            frame.head.status = Status::kBroken;
            return false;
        }
        if (scratch.weights_of != slice.header.pps) {
            scratch.weights = make_weights(slice.header.pps->scaling);
            scratch.weights_of = slice.header.pps;
        }
        const std::size_t size = unescape(slice.payload, slice.size, slice.size, scratch.rbsp);
        const auto number = first_slice + static_cast<std::int64_t>(i);
        if (!parse_slice(slice, scratch.rbsp.data(), size, scratch.weights, number, canvas)) {
            frame.head.status = Status::kBroken;
            return false;
        }
    }
    const auto begin = canvas.macroblocks.begin();
    const bool complete = std::all_of(begin, begin + canvas.width * canvas.height,
                                      [&](const Macroblock& mb) { return mb.slice >= first_slice; });
    if (!complete) {
        frame.head.status = Status::kIncomplete;
        return false;
    }
    frame.parsed = true;
    return true;
}

void parse_job(Job& job, Scratch& scratch, bool sub_8x8) {
    if (!parse_macroblocks(job, scratch)) return;
    const auto slices = static_cast<std::int64_t>(job.slices.size());
    write_frame(job, scratch.canvas, scratch.canvas.next_slice - slices, sub_8x8);
}

}  // namespace salientclips::h264
