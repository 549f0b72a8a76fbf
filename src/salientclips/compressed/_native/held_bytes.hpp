// The bytes of a Python object that has the buffer protocol (bytes, memoryview, a packet of PyAV), without a copy.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace salientclips {

// Holds the buffer, so that the bytes stay while the GIL is released. Make and destroy it with the GIL held.
class HeldBytes {
public:
    explicit HeldBytes(const nanobind::object& source) {
        if (PyObject_GetBuffer(source.ptr(), &view_, PyBUF_SIMPLE) != 0) throw nanobind::python_error();
    }
    ~HeldBytes() { PyBuffer_Release(&view_); }
    HeldBytes(const HeldBytes&) = delete;
    HeldBytes& operator=(const HeldBytes&) = delete;

    const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(view_.buf); }
    std::size_t size() const { return static_cast<std::size_t>(view_.len); }

private:
    Py_buffer view_{};
};

// Holds the packets of a list, and which of them are wanted: one byte each, not 0.
class HeldPackets {
public:
    HeldPackets(const std::vector<nanobind::object>& packets, const nanobind::object& wanted) : wanted_(wanted) {
        if (wanted_.size() != packets.size()) throw nanobind::value_error("packets and wanted differ in length");
        for (const auto& packet : packets) packets_.emplace_back(packet);
    }

    std::size_t size() const { return packets_.size(); }
    const HeldBytes& operator[](std::size_t i) const { return packets_[i]; }
    bool wanted(std::size_t i) const { return wanted_.data()[i] != 0; }

private:
    HeldBytes wanted_;
    std::deque<HeldBytes> packets_;
};

}  // namespace salientclips
