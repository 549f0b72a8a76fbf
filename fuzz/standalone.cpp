// Runs a fuzz target without libFuzzer: replays files, then mutates them for a number of rounds.
//
// Usage: PROGRAM SEED ROUNDS FILE...; with ROUNDS 0 the files are only replayed. Each round takes one file and flips
// bits, overwrites, cuts or doubles a part of it. Prints the number of executions; the same seed gives the same inputs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

void mutate(Bytes& bytes, std::mt19937_64& random) {
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
    const std::size_t changes = 1 + below(8);
    for (std::size_t i = 0; i < changes && bytes.size() > 16; ++i) {
        // Half of the changes fall in the first 200 bytes, where parameter sets and slice headers are.
        const std::size_t at = below(2) == 0 ? below(bytes.size() < 200 ? bytes.size() : 200) : below(bytes.size());
        switch (below(6)) {
            case 0:
            case 1:
                bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8)));
                break;
            case 2:
                bytes[at] = static_cast<std::uint8_t>(random());
                break;
            case 3:
                bytes[at] = below(2) == 0 ? 0 : 255;
                break;
            case 4:
                bytes.resize(at + 16 < bytes.size() ? at + 16 : bytes.size());
                break;
            default: {
                const std::size_t length = below(64);
                const std::size_t from = below(bytes.size());
                for (std::size_t k = 0; k < length && at + k < bytes.size() && from + k < bytes.size(); ++k) {
                    bytes[at + k] = bytes[from + k];
                }
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    std::mt19937_64 random(std::strtoull(argv[1], nullptr, 10));
    const long rounds = std::strtol(argv[2], nullptr, 10);
    std::vector<Bytes> corpus;
    for (int i = 3; i < argc; ++i) {
        std::ifstream in(argv[i], std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
        LLVMFuzzerTestOneInput(corpus.back().data(), corpus.back().size());
    }
    for (long i = 0; i < rounds; ++i) {
        Bytes bytes = corpus[random() % corpus.size()];
        mutate(bytes, random);
        // An exact copy on the heap: reading one byte too far is seen.
        Bytes exact(bytes);
        exact.shrink_to_fit();
        LLVMFuzzerTestOneInput(exact.data(), exact.size());
    }
    std::printf("%ld executions\n", static_cast<long>(corpus.size()) + rounds);
    return 0;
}
