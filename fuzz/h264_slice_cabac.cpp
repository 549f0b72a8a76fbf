// Fuzz target for the macroblocks of CABAC slices; see h264_slice_data.hpp.
#include "h264_slice_data.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return salientclips::fuzz::run_slice_data(data, size, true);
}
