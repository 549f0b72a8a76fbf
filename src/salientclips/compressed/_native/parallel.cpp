// A counter of jobs and a few threads; see the header.
#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace salientclips {

std::size_t useful_threads(std::size_t count, unsigned threads) {
    return std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(count, 1));
}

void for_each_job(std::size_t count, unsigned threads, const std::function<void(std::size_t, std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    const auto run = [&](std::size_t thread) noexcept {
        for (std::size_t job = next++; job < count; job = next++) work(job, thread);
    };
    const std::size_t wanted = useful_threads(count, threads);
    std::vector<std::thread> others;
    others.reserve(wanted - 1);
    try {
        for (std::size_t i = 1; i < wanted; ++i) others.emplace_back(run, i);
    } catch (const std::system_error&) {
        // The system gives no more threads: those that there are do the work.
    }
    run(0);
    for (auto& thread : others) thread.join();
}

}  // namespace salientclips
