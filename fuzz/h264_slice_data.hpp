// What the two slice targets share: macroblocks of fuzzed bits in an otherwise valid stream, read by the whole reader.
//
// Input: the bytes of h264_slice_shape.hpp, then slice_data() of one slice or of two. The stream has its parameter
// sets, up to five reference pictures, and the picture. A picture that is read is read once more with fresh memory:
// nothing of what was parsed before may show.
#pragma once

#include <cmath>
#include <cstring>

#include "../src/salientclips/compressed/_native/h264/reader.hpp"
#include "h264_slice_shape.hpp"

namespace salientclips::fuzz {

class ShapedStream {
public:
    ShapedStream(const SliceShape& shape, bool cabac) : shape_(shape) {
        auto sps = std::make_shared<Sps>();
        sps->profile_idc = 244;
        sps->chroma_format_idc = shape.chroma_format_idc;
        sps->bit_depth_luma = sps->bit_depth_chroma = shape.bit_depth;
        sps->has_scaling_matrix = shape.scaling_matrix;
        for (auto& list : sps->scaling.four) fill(list);
        for (auto& list : sps->scaling.eight) fill(list);
        sps->poc_type = 2;
        sps->num_ref_frames = 4;
        sps->width_mbs = shape.width_mbs;
        sps->height_map_units = shape.height_mbs;
        auto pps = std::make_shared<Pps>();
        pps->cabac = cabac;
        pps->weighted_pred = shape.weighted;
        pps->transform_8x8_mode = shape.transform_8x8;
        pps->chroma_qp_offset[0] = pps->chroma_qp_offset[1] = shape.chroma_qp_offset;
        sps_ = sps;
        pps_ = pps;
    }

    Bytes parameter_sets() const {
        BitWriter sps;
        write_sps(sps, *sps_);
        BitWriter pps;
        write_pps(pps, *pps_, *sps_, true, false);
        Bytes out;
        add_unit(out, 0x67, sps.bytes());
        add_unit(out, 0x68, pps.bytes());
        return out;
    }

    // The headers of a picture of which no macroblock is wanted; the first one is IDR.
    Bytes reference(int number) const {
        Bytes out;
        add_unit(out, number == 0 ? 0x65 : 0x61, slice(number, number == 0 || !shape_.p, 0, {}));
        return out;
    }

    Bytes picture(int number, std::span<const std::uint8_t> payload) const {
        const bool intra = number == 0 || !shape_.p;
        const std::size_t first = shape_.second_slice ? payload.size() * shape_.split / 256 : payload.size();
        Bytes out;
        add_unit(out, number == 0 ? 0x65 : 0x61, slice(number, intra, 0, payload.first(first)));
        if (shape_.second_slice) {
            const int begin = shape_.first_mb % (shape_.width_mbs * shape_.height_mbs);
            add_unit(out, number == 0 ? 0x65 : 0x61, slice(number, intra, begin, payload.subspan(first)));
        }
        return out;
    }

private:
    template <class List>
    static void fill(List& list) {
        for (std::size_t i = 0; i < list.size(); ++i) list[i] = static_cast<std::uint8_t>(9 + 2 * i);
    }

    static void add_unit(Bytes& out, unsigned header, const Bytes& rbsp) {
        const Bytes escaped = escape(rbsp);
        for (const unsigned b : {0U, 0U, 1U, header}) out.push_back(static_cast<std::uint8_t>(b));
        out.insert(out.end(), escaped.begin(), escaped.end());
    }

    Bytes slice(int number, bool intra, int first_mb, std::span<const std::uint8_t> payload) const {
        SliceHeader header;
        header.sps = sps_;
        header.pps = pps_;
        header.nal_ref_idc = 3;
        header.idr = number == 0;
        header.first_mb = static_cast<std::uint32_t>(first_mb);
        header.type = intra ? h264::kI : h264::kP;
        header.frame_num = number;
        header.num_ref_idx = intra ? 0 : shape_.num_ref_idx;
        header.cabac_init_idc = shape_.cabac_init_idc;
        header.qp = shape_.qp;
        BitWriter bits;
        write_slice_header(bits, header);
        if (pps_->cabac) bits.fill_byte(true);
        bits.append(payload);
        // A unit never ends in a zero: those would be taken for the zeros between units (clause 7.4.1).
        if (payload.empty() || bits.bytes().back() == 0) trail(bits);
        return bits.bytes();
    }

    SliceShape shape_;
    std::shared_ptr<const Sps> sps_;
    std::shared_ptr<const Pps> pps_;
};

inline void check_frame(const h264::Frame& frame, const SliceShape& shape) {
    const auto count = static_cast<std::size_t>(shape.width_mbs) * static_cast<std::size_t>(shape.height_mbs);
    require(frame.parsed == (frame.head.status == h264::Status::kOk), "parsed");
    if (!frame.parsed) {
        require(frame.vectors.empty() && frame.means.empty() && frame.energy.empty(), "arrays of a broken frame");
        return;
    }
    require(frame.intra.size() == count && frame.energy.size() == count && frame.means.size() == 3 * count, "sizes");
    std::size_t covered = 0;
    for (const auto& v : frame.vectors) {
        covered += std::size_t{v.w} * v.h;
        require(v.dst_x >= v.w / 2 && v.dst_x <= 16 * shape.width_mbs - v.w / 2, "a block beside the picture");
        require(v.dst_y >= v.h / 2 && v.dst_y <= 16 * shape.height_mbs - v.h / 2, "a block below the picture");
    }
    const auto inter = static_cast<std::size_t>(std::ranges::count(frame.intra, 0));
    require(covered == 256 * inter, "blocks that do not fill the inter macroblocks");
    require(frame.references.size() == frame.vectors.size(), "references");
    for (const auto& r : frame.references) {
        require(r.index >= 0 && r.index < shape.num_ref_idx && r.packet < shape.pictures_before, "a reference");
    }
    for (const float v : frame.energy) require(std::isfinite(v) && v >= 0, "an energy");
    for (const float v : frame.means) require(std::isfinite(v), "a mean");
    require(std::ranges::all_of(frame.intra, [](std::uint8_t v) { return v <= 1; }), "the intra mask");
}

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

inline int run_slice_data(const std::uint8_t* data, std::size_t size, bool cabac) {
    static h264::Scratch used;
    Input input(data, size);
    const SliceShape shape = make_shape(input);
    const ShapedStream stream(shape, cabac);
    const Bytes sets = stream.parameter_sets();
    const Bytes packet = stream.picture(shape.pictures_before, input.rest());
    h264::Reader reader(sets.data(), sets.size());
    for (int i = 0; i < shape.pictures_before; ++i) {
        const Bytes reference = stream.reference(i);
        reader.accept(reference.data(), reference.size(), false);
    }
    h264::Job job = reader.accept(packet.data(), packet.size(), true);
    require(job.frame.head.status == h264::Status::kOk, "a header that was written to be read");
    h264::Job again = job;
    h264::parse_job(job, used, shape.sub_8x8);
    check_frame(job.frame, shape);
    if (!job.frame.parsed) return 0;
    h264::Scratch fresh;
    h264::parse_job(again, fresh, shape.sub_8x8);
    require(again.frame.parsed && same_bytes(job.frame.means, again.frame.means) &&
                same_bytes(job.frame.energy, again.frame.energy) && same_bytes(job.frame.intra, again.frame.intra) &&
                same_bytes(job.frame.vectors, again.frame.vectors) &&
                same_bytes(job.frame.references, again.frame.references),
            "what was parsed before shows");
    return 0;
}

}  // namespace salientclips::fuzz
