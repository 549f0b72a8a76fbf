// Many pictures at once: each is parsed apart from all others, so threads share nothing but a counter.
#pragma once

#include <cstddef>
#include <functional>

namespace salientclips {

// How many of `threads` threads `count` jobs can keep busy, at least 1.
std::size_t useful_threads(std::size_t count, unsigned threads);

// Calls work(job, thread) for every job from 0 to count - 1, on useful_threads(count, threads) threads, the caller's
// among them and numbered 0. work must not throw.
void for_each_job(std::size_t count, unsigned threads, const std::function<void(std::size_t, std::size_t)>& work);

}  // namespace salientclips
