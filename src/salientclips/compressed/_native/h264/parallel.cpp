// A counter of jobs and a few threads; see the header.
#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>

namespace salientclips::h264 {

void parse_jobs(std::vector<Job>& jobs, std::vector<Scratch>& scratches, bool sub_8x8, unsigned threads) {
    const auto wanted = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(jobs.size(), 1));
    if (scratches.size() < wanted) scratches.resize(wanted);
    std::atomic<std::size_t> next{0};
    const auto work = [&](Scratch& scratch) noexcept {
        for (std::size_t i = next++; i < jobs.size(); i = next++) {
            try {
                parse_job(jobs[i], scratch, sub_8x8);
            } catch (const std::exception&) {
                jobs[i].frame.head.status = Status::kBroken;
                jobs[i].frame.parsed = false;
            }
        }
    };
    std::vector<std::thread> others;
    others.reserve(wanted - 1);
    try {
        for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(work, std::ref(scratches[i]));
    } catch (const std::system_error&) {
        // The system gives no more threads: those that there are do the work.
    }
    work(scratches[0]);
    for (auto& thread : others) thread.join();
}

}  // namespace salientclips::h264
