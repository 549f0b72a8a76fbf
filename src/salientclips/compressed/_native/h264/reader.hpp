// From packets to frames: the reader that Python holds.
//
// Packets are given in decoding order. Every packet's slice headers are read, so that the list of references is right;
// macroblocks are parsed only where a frame is wanted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "../motion_vector.hpp"
#include "picture.hpp"
#include "scaling.hpp"
#include "slice_header.hpp"

namespace salientclips::h264 {

// What a vector points into, beside it.
struct VectorReference {
    std::int64_t packet;     // number of the packet of the reference picture, -1 where it was lost
    std::int32_t poc_delta;  // picture order count of this picture minus that of the reference, 0 where it was lost
    std::int32_t index;      // ref_idx_l0
};
static_assert(sizeof(VectorReference) == 16);

// What the headers of one packet say.
struct PictureHead {
    Status status = Status::kNoSlice;  // whether its macroblocks could be read
    char type = '?';                   // I, P, B; ? where no slice header can be read
    bool is_reference = false;
    bool is_idr = false;
    int frame_num = 0;
    int poc_lsb = 0;
};

struct Frame {
    PictureHead head;
    std::int32_t poc = 0;
    std::int64_t packet = 0;
    bool parsed = false;
    int width_mbs = 0;
    int height_mbs = 0;
    std::vector<MotionVector> vectors;
    std::vector<VectorReference> references;
    std::vector<float> means;          // Y, Cb, Cr planes
    std::vector<float> energy;
    std::vector<std::uint8_t> intra;
};

// A picture whose headers are read and whose macroblocks are wanted. It points into the packet.
struct Job {
    Frame frame;
    std::vector<Slice> slices;
};

// Working memory, reused from call to call.
struct Scratch {
    Canvas canvas;
    std::vector<std::uint8_t> rbsp;
    std::shared_ptr<const Pps> weights_of;
    Weights weights;
};

// Parses the macroblocks of job into scratch.canvas; false, and why in the frame's status, where they are not whole.
bool parse_macroblocks(Job& job, Scratch& scratch);

// Parses the macroblocks of job into the arrays of its frame.
void parse_job(Job& job, Scratch& scratch, bool sub_8x8);

class Reader {
public:
    // extradata: avcC (ISO/IEC 14496-15), Annex B parameter sets, or empty.
    Reader(const std::uint8_t* extradata, std::size_t size);

    // Types a packet from the first bytes of its slices. Changes no state but the parameter sets.
    PictureHead look(const std::uint8_t* data, std::size_t size);

    // Reads the headers of the next packet and keeps the references; with wanted, the job is ready to be parsed.
    Job accept(const std::uint8_t* data, std::size_t size, bool wanted);

private:
    void read_configuration(const std::uint8_t* data, std::size_t size);
    void read_parameter_set(const Nal& nal);
    Status read_header(const Nal& nal, SliceHeader& header);
    void finish_picture();

    int length_size_ = 0;
    ParameterSets sets_;
    ReferencePictures references_;
    SliceHeader last_;
    bool open_ = false;        // last_ is the header of a picture that is not yet marked
    bool met_fields_ = false;  // fields since the last IDR picture: the list of references is not kept for them
    std::int64_t packet_ = -1;
    int sets_in_packet_ = 0;
    std::vector<std::uint8_t> scratch_;
};

}  // namespace salientclips::h264
