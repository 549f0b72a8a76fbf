// Packets to pictures to frames; see the header.
#include "reader.hpp"

#include <algorithm>

#include "slice_parser.hpp"

namespace salientclips::h264 {
namespace {

// The longest PPS, with all scaling lists, has some 600 bytes; an SPS with a full VUI less.
constexpr std::size_t kMaxParameterSetBytes = 2048;
// A new SPS makes all PPS of it be read again: a packet of nothing else must not take for ever. There are 32 + 256 ids.
constexpr int kMaxParameterSetsPerPacket = 512;
constexpr std::size_t kUsualHeaderBytes = 64;

bool is_slice(int type) { return (type >= kNalSlice && type <= kNalPartitionA) || type == kNalIdr; }

// The type of a picture from the types of its slices: one B slice makes it B, one P slice P.
char merge_type(char so_far, int slice_type) {
    const bool p = slice_type == kP || slice_type == kSP;
    if (slice_type == kB || so_far == 'B') return 'B';
    return p || so_far == 'P' ? 'P' : 'I';
}

void merge(PictureHead& head, const SliceHeader& header, Status status) {
    const bool first = head.status == Status::kNoSlice;
    if (first || head.status == Status::kOk) head.status = status;
    if (status == Status::kBadHeader || status == Status::kMissingParameters) return;
    head.type = merge_type(head.type, header.type);
    head.is_reference = head.is_reference || header.nal_ref_idc != 0;
    head.is_idr = head.is_idr || header.idr;
    head.frame_num = header.frame_num;
    head.poc_lsb = header.poc_lsb;
}

}  // namespace

Reader::Reader(const std::uint8_t* extradata, std::size_t size) {
    if (size >= 7 && extradata[0] == 1) {
        read_configuration(extradata, size);
    } else {
        NalWalker walker(extradata, size, 0);
        for (Nal nal; walker.next(nal);) read_parameter_set(nal);
    }
}

// AVCDecoderConfigurationRecord, ISO/IEC 14496-15 clause 5.3.3.1.
void Reader::read_configuration(const std::uint8_t* data, std::size_t size) {
    length_size_ = (data[4] & 3) + 1;
    std::size_t at = 5;
    for (int kind = 0; kind < 2 && at < size; ++kind) {
        int count = data[at++] & (kind == 0 ? 31 : 255);
        while (count-- > 0 && at + 2 <= size) {
            const std::size_t n = static_cast<std::size_t>(data[at]) << 8 | data[at + 1];
            at += 2;
            if (n == 0 || n > size - at) return;
            read_parameter_set({data[at] & 31, data[at] >> 5 & 3, data + at + 1, n - 1});
            at += n;
        }
    }
}

void Reader::read_parameter_set(const Nal& nal) {
    if (nal.type != kNalSps && nal.type != kNalPps) return;
    if (++sets_in_packet_ > kMaxParameterSetsPerPacket) return;
    const std::size_t size = unescape(nal.payload, nal.size, kMaxParameterSetBytes, scratch_);
    const auto repeats = [&](const auto& known) {
        return known && known->raw.size() == size && std::equal(known->raw.begin(), known->raw.end(), scratch_.data());
    };
    if (nal.type == kNalSps) {
        const auto sps = parse_sps(scratch_.data(), size);
        if (!sps) return;
        auto& slot = sets_.sps.at[static_cast<std::size_t>(sps->id)];
        if (repeats(slot)) return;  // keeps the object: pictures of the same sequence compare by it
        slot = sps;
        // Bit depth and scaling lists of a PPS came from the old SPS: read them again.
        for (auto& pps : sets_.pps) {
            if (pps && pps->sps_id == sps->id) {
                std::vector<std::uint8_t> raw(pps->raw);
                const std::size_t raw_size = raw.size();
                raw.resize(raw_size + kPaddingBytes);
                pps = parse_pps(raw.data(), raw_size, sets_.sps);
            }
        }
    } else {
        const auto pps = parse_pps(scratch_.data(), size, sets_.sps);
        if (pps && !repeats(sets_.pps[static_cast<std::size_t>(pps->id)])) {
            sets_.pps[static_cast<std::size_t>(pps->id)] = pps;
        }
    }
}

// Most headers end within the first bytes, and unescaping all that one might have would take longer than reading it.
// Where a header did not read past the bytes that there were, more of them would not change it.
Status Reader::read_header(const Nal& nal, SliceHeader& header) {
    Status status = Status::kBadHeader;
    for (const std::size_t most : {kUsualHeaderBytes, kMaxHeaderBytes}) {
        header = SliceHeader{};
        const std::size_t size = unescape(nal.payload, nal.size, most, scratch_);
        BitReader in(scratch_.data(), size * 8);
        status = parse_slice_header(nal, in, sets_, header);
        if (!in.failed()) break;
    }
    return status;
}

PictureHead Reader::look(const std::uint8_t* data, std::size_t size) {
    PictureHead head;
    sets_in_packet_ = 0;
    NalWalker walker(data, size, length_size_);
    for (Nal nal; walker.next(nal);) {
        read_parameter_set(nal);
        if (!is_slice(nal.type)) continue;
        SliceHeader header;
        const Status status = read_header(nal, header);
        if (header.redundant_pic_cnt == 0) merge(head, header, status);
    }
    return head;
}

void Reader::finish_picture() {
    if (open_) references_.end(last_, packet_);
    open_ = false;
}

Job Reader::accept(const std::uint8_t* data, std::size_t size, bool wanted) {
    Job job;
    Frame& frame = job.frame;
    frame.packet = ++packet_;
    sets_in_packet_ = 0;
    const SliceHeader before = last_;
    bool any_before = before.sps != nullptr;
    int pictures = 0;
    NalWalker walker(data, size, length_size_);
    for (Nal nal; walker.next(nal);) {
        read_parameter_set(nal);
        if (!is_slice(nal.type)) continue;
        Slice slice;
        SliceHeader& header = slice.header;
        const Status status = read_header(nal, header);
        if (header.redundant_pic_cnt != 0) continue;
        merge(frame.head, header, status);
        const bool unread = status == Status::kBadHeader || status == Status::kMissingParameters;
        if (unread || status == Status::kSliceGroups) continue;
        if (header.field) met_fields_ = true;
        const bool continues = pictures == 0 ? any_before && header.first_mb != 0 && !starts_new_picture(before, header)
                                             : !starts_new_picture(last_, header);
        if (!continues) {
            finish_picture();
            ++pictures;
            if (header.idr && !header.field) met_fields_ = false;
            references_.begin(header);
            frame.poc = references_.poc();
            last_ = header;
            open_ = true;
        }
        // A picture has no more slices than macroblocks; a damaged packet must not make us keep more.
        const auto most = static_cast<std::size_t>(header.sps->width_mbs * header.sps->height_mbs());
        if (!wanted || status != Status::kOk || job.slices.size() >= most) continue;
        slice.payload = nal.payload;
        slice.size = nal.size;
        if (header.type == kP) slice.refs = references_.list0(header);
        job.slices.push_back(std::move(slice));
    }
    finish_picture();
    PictureHead& head = frame.head;
    if (pictures > 1 && head.status == Status::kOk) head.status = Status::kSeveralPictures;
    if (met_fields_ && head.status == Status::kOk) head.status = Status::kInterlaced;
    return job;
}

}  // namespace salientclips::h264
