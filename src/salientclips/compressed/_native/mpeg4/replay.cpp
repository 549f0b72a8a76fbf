// Feeds bytes of any kind to the reader, to be run under AddressSanitizer and UBSan.
//
// LLVMFuzzerTestOneInput is libFuzzer's entry; with -DSALIENTCLIPS_LIBFUZZER nothing else is compiled. Without
// it there is a main() for machines that have no libFuzzer:
//   mpeg4_replay FILE...            replays each file once
//   mpeg4_replay -m ROUNDS FILE...  and then ROUNDS broken copies of it: flipped, cut, repeated bytes
// An input is a sequence of records: two bytes of length, big end first, then so many bytes. The first record
// is the extradata, each other one a packet.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "export.hpp"
#include "reader.hpp"

using namespace salientclips::mpeg4;

namespace {

// Copies a record into memory of its exact size, so that a read past its end is seen.
std::vector<std::uint8_t> take_record(std::span<const std::uint8_t>& input) {
    if (input.size() < 2) {
        input = {};
        return {};
    }
    const std::size_t wanted = std::size_t{input[0]} << 8 | input[1];
    const std::size_t length = std::min(wanted, input.size() - 2);
    std::vector<std::uint8_t> record(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
    input = input.subspan(2 + length);
    return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::span<const std::uint8_t> input(data, size);
    const std::vector<std::uint8_t> extradata = take_record(input);
    Reader reader(extradata);
    while (!input.empty()) {
        const std::vector<std::uint8_t> packet = take_record(input);
        for (const Frame& frame : reader.feed(packet, true)) {
            if (frame.content.status == Status::ok) {
                const auto records = motion_records(frame.content, *frame.vol);
                const auto planes = displacements(frame.content, *frame.vol);
                if (records.size() > frame.content.kinds.size() * 4 || planes.empty()) {
                    std::abort();
                }
            }
        }
    }
    return 0;
}

#ifndef SALIENTCLIPS_LIBFUZZER

namespace {

std::vector<std::uint8_t> broken_copy(std::vector<std::uint8_t> bytes, std::mt19937& random) {
    const auto place = [&] { return bytes.empty() ? 0 : random() % bytes.size(); };
    const unsigned changes = 1 + random() % 8;
    for (unsigned i = 0; i < changes && !bytes.empty(); ++i) {
        const std::size_t at = place();
        switch (random() % 5) {
            case 0: bytes[at] ^= static_cast<std::uint8_t>(1U << random() % 8); break;
            case 1: bytes[at] = static_cast<std::uint8_t>(random()); break;
            case 2: bytes.resize(at); break;
            case 3: bytes[at] = random() % 2 == 0 ? 0x00 : 0xFF; break;
            default: {  // one stretch over another
                const std::size_t from = place();
                const std::size_t length = std::min({std::size_t{1 + random() % 64}, bytes.size() - at, bytes.size() - from});
                std::memmove(bytes.data() + at, bytes.data() + from, length);
            }
        }
    }
    return bytes;
}

}  // namespace

int main(int count, char** arguments) {
    int first = 1;
    long rounds = 0;
    if (count > 2 && std::string_view(arguments[1]) == "-m") {
        rounds = std::atol(arguments[2]);
        first = 3;
    }
    std::mt19937 random(20190801);
    long executions = 0;
    for (int i = first; i < count; ++i) {
        std::ifstream file(arguments[i], std::ios::binary);
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        ++executions;
        for (long round = 0; round < rounds; ++round, ++executions) {
            const std::vector<std::uint8_t> copy = broken_copy(bytes, random);
            LLVMFuzzerTestOneInput(copy.data(), copy.size());
        }
    }
    std::printf("%ld executions, no finding\n", executions);
    return 0;
}

#endif
