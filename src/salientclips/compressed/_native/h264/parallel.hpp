// Many pictures at once: each is parsed apart from all others, so threads share nothing but a counter.
#pragma once

#include <vector>

#include "reader.hpp"

namespace salientclips::h264 {

// Parses every job on up to `threads` threads, the caller's among them. scratches grows to one for each thread.
// A picture for which memory runs out is marked broken; nothing is thrown from a thread.
void parse_jobs(std::vector<Job>& jobs, std::vector<Scratch>& scratches, bool sub_8x8, unsigned threads);

}  // namespace salientclips::h264
