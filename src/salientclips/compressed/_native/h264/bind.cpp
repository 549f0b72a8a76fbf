// Python's view of the H.264 reader; _core.pyi documents it. The GIL is released while bytes are read.
#include "bind.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <exception>
#include <optional>

#include "../bind_features.hpp"
#include "../held_bytes.hpp"
#include "../parallel.hpp"
#include "../to_numpy.hpp"
#include "cells.hpp"
#include "reader.hpp"

namespace nb = nanobind;

namespace {

using namespace salientclips::h264;
using salientclips::Cells;
using salientclips::CellGrid;
using salientclips::dtype_of;
using salientclips::to_numpy;
using salientclips::to_records;

// The numpy dtypes of the records, looked up once for each reader.
struct Dtypes {
    nb::object vector = dtype_of("VECTOR");
    nb::object reference = dtype_of("REFERENCE");
};

// Frame, with its arrays turned into numpy's once.
struct FrameResult {
    PictureHead head;
    std::int32_t poc = 0;
    std::int64_t packet = 0;
    bool parsed = false;
    nb::object vectors;
    nb::object references;
    nb::object means;
    nb::object energy;
    nb::object intra;
};

FrameResult to_result(Frame&& frame, const Dtypes& dtypes) {
    FrameResult result{frame.head, frame.poc, frame.packet, frame.parsed,
                       nb::none(), nb::none(), nb::none(), nb::none(), nb::none()};
    if (!frame.parsed) return result;
    const auto h = static_cast<std::size_t>(frame.height_mbs);
    const auto w = static_cast<std::size_t>(frame.width_mbs);
    result.vectors = to_records(std::move(frame.vectors), dtypes.vector);
    result.references = to_records(std::move(frame.references), dtypes.reference);
    result.means = to_numpy<float>(std::move(frame.means), {3, h, w});
    result.energy = to_numpy<float>(std::move(frame.energy), {h, w});
    result.intra = to_numpy<bool>(std::move(frame.intra), {h, w});
    return result;
}

class H264Reader {
public:
    explicit H264Reader(const nb::bytes& extradata)
        : reader_(static_cast<const std::uint8_t*>(extradata.data()), extradata.size()) {}

    PictureHead look(const nb::object& packet) {
        const salientclips::HeldBytes bytes(packet);
        nb::gil_scoped_release released;
        return reader_.look(bytes.data(), bytes.size());
    }

    FrameResult feed(const nb::object& packet, bool parse, bool sub_8x8) {
        const salientclips::HeldBytes bytes(packet);
        Job job;
        {
            nb::gil_scoped_release released;
            job = reader_.accept(bytes.data(), bytes.size(), parse);
            if (parse) parse_job(job, scratches_[0], sub_8x8);
        }
        return to_result(std::move(job.frame), dtypes_);
    }

    std::vector<CellsResult> features(const std::vector<nb::object>& packets, const nb::object& wanted,
                                      const CellGrid& grid, unsigned threads) {
        const salientclips::HeldPackets held(packets, wanted);
        std::vector<Job> jobs;
        std::vector<Cells> cells;
        {
            nb::gil_scoped_release released;
            for (std::size_t i = 0; i < held.size(); ++i) {
                Job job = reader_.accept(held[i].data(), held[i].size(), held.wanted(i));
                if (held.wanted(i)) jobs.push_back(std::move(job));
            }
            cells.resize(jobs.size());
            parse_all(jobs, threads, [&](std::size_t i, Scratch& scratch) {
                parse_cells(jobs[i], scratch, grid, cells[i]);
            });
        }
        std::vector<CellsResult> results;
        results.reserve(jobs.size());
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            const PictureHead& head = jobs[i].frame.head;
            results.push_back(to_cells_result(std::move(cells[i]), grid, head.type, name_of(head.status)));
        }
        return results;
    }

private:
    // A picture for which memory runs out is marked broken; nothing is thrown from a thread.
    template <class Work>
    void parse_all(std::vector<Job>& jobs, unsigned threads, const Work& work) {
        const std::size_t wanted = salientclips::useful_threads(jobs.size(), threads);
        if (scratches_.size() < wanted) scratches_.resize(wanted);
        salientclips::for_each_job(jobs.size(), threads, [&](std::size_t i, std::size_t thread) {
            try {
                work(i, scratches_[thread]);
            } catch (const std::exception&) {
                jobs[i].frame.head.status = Status::kBroken;
                jobs[i].frame.parsed = false;
            }
        });
    }

    Dtypes dtypes_;
    Reader reader_;
    std::vector<Scratch> scratches_{1};
};

}  // namespace

void bind_h264(nb::module_& m) {
    nb::class_<PictureHead>(m, "PictureHead")
        .def_prop_ro("type", [](const PictureHead& h) { return std::string(1, h.type); })
        .def_prop_ro("status", [](const PictureHead& h) { return name_of(h.status); })
        .def_ro("is_reference", &PictureHead::is_reference)
        .def_ro("is_idr", &PictureHead::is_idr)
        .def_ro("frame_num", &PictureHead::frame_num)
        .def_ro("poc_lsb", &PictureHead::poc_lsb);
    nb::class_<FrameResult>(m, "FrameResult")
        .def_prop_ro("type", [](const FrameResult& f) { return std::string(1, f.head.type); })
        .def_prop_ro("status", [](const FrameResult& f) { return name_of(f.head.status); })
        .def_prop_ro("is_reference", [](const FrameResult& f) { return f.head.is_reference; })
        .def_prop_ro("is_idr", [](const FrameResult& f) { return f.head.is_idr; })
        .def_ro("poc", &FrameResult::poc)
        .def_ro("packet", &FrameResult::packet)
        .def_ro("parsed", &FrameResult::parsed)
        .def_ro("vectors", &FrameResult::vectors)
        .def_ro("references", &FrameResult::references)
        .def_ro("means", &FrameResult::means)
        .def_ro("energy", &FrameResult::energy)
        .def_ro("intra", &FrameResult::intra);
    nb::class_<H264Reader>(m, "H264Reader")
        .def(nb::init<nb::bytes>(), nb::arg("extradata"))
        .def("look", &H264Reader::look, nb::arg("packet"))
        .def("feed", &H264Reader::feed, nb::arg("packet"), nb::arg("parse"), nb::arg("sub_8x8") = false)
        .def("features", &H264Reader::features, nb::arg("packets"), nb::arg("wanted"), nb::arg("grid"),
             nb::arg("threads") = 1);
}
