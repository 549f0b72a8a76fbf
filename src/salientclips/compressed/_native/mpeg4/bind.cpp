// Python's view of the MPEG-4 part 2 reader; _core.pyi documents it. The GIL is released while bytes are read.
#include "bind.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../bind_features.hpp"
#include "../held_bytes.hpp"
#include "../parallel.hpp"
#include "../to_numpy.hpp"
#include "cells.hpp"
#include "export.hpp"
#include "lookup.hpp"
#include "reader.hpp"

namespace nb = nanobind;
using namespace salientclips::mpeg4;
using salientclips::dtype_of;
using salientclips::to_numpy;
using salientclips::to_records;

namespace {

std::span<const std::uint8_t> bytes_of(const nb::bytes& packet) {
    return {static_cast<const std::uint8_t*>(packet.data()), packet.size()};
}

std::span<const std::uint8_t> bytes_of(const salientclips::HeldBytes& held) { return {held.data(), held.size()}; }

std::string letter_of(const VopInfo& info) {
    return std::string(1, "IPBS"[static_cast<std::size_t>(info.type)]);
}

// A numpy array that lives as long as the frame it looks into.
template <class T>
nb::object view_of(nb::handle frame, const std::vector<T>& values, std::initializer_list<std::size_t> shape) {
    return nb::cast(nb::ndarray<nb::numpy, const T>(values.data(), shape, frame));
}

nb::object vectors_of(const Frame& frame) {
    if (frame.content.status != Status::ok) {
        return nb::none();
    }
    return to_records(motion_records(frame.content, *frame.vol), dtype_of("VECTOR"));
}

std::size_t height_of(const Frame& frame) { return static_cast<std::size_t>(frame.content.mb_height); }
std::size_t width_of(const Frame& frame) { return static_cast<std::size_t>(frame.content.mb_width); }

nb::object displacements_of(const Frame& frame) {
    if (frame.content.status != Status::ok) {
        return nb::none();
    }
    return to_numpy<float>(displacements(frame.content, *frame.vol), {2, height_of(frame), width_of(frame)});
}

nb::object intra_of(const Frame& frame) {
    if (frame.content.status != Status::ok) {
        return nb::none();
    }
    std::vector<std::uint8_t> mask;
    mask.reserve(frame.content.kinds.size());
    for (const MacroblockKind kind : frame.content.kinds) {
        mask.push_back(kind == MacroblockKind::intra ? 1 : 0);
    }
    return to_numpy<bool>(std::move(mask), {height_of(frame), width_of(frame)});
}

// The tables as (bits, length) by name, for the test that they are prefix-free.
nb::dict code_words() {
    nb::dict tables;
    const auto add = [&tables](const char* name, const auto& codes) {
        nb::list words;
        for (const auto& code : codes) {
            words.append(nb::make_tuple(int{code.bits}, int{code.length}));
        }
        tables[name] = words;
    };
    add("mcbpc_intra", kMcbpcIntra);
    add("mcbpc_inter", kMcbpcInter);
    add("cbpy", kCbpy);
    add("motion", kMotion);
    add("dc_size_luma", kDcSizeLuma);
    add("dc_size_chroma", kDcSizeChroma);
    add("intra_coefficients", kIntraCoefficients);
    add("inter_coefficients", kInterCoefficients);
    return tables;
}

// The features of the wanted packets; a packet whose P-VOP breaks, or for which memory runs out, comes without.
std::vector<CellsResult> features(Reader& self, const std::vector<nb::object>& packets, const nb::object& wanted,
                                  const salientclips::CellGrid& grid, unsigned threads) {
    const salientclips::HeldPackets held(packets, wanted);
    std::vector<Job> jobs;
    std::vector<salientclips::Cells> cells;
    {
        nb::gil_scoped_release unlocked;
        for (std::size_t i = 0; i < held.size(); ++i) {
            Job job = self.accept(bytes_of(held[i]), held.wanted(i));
            if (held.wanted(i)) {
                jobs.push_back(std::move(job));
            }
        }
        cells.resize(jobs.size());
        salientclips::for_each_job(jobs.size(), threads, [&](std::size_t i, std::size_t) {
            try {
                parse_cells(jobs[i], grid, cells[i]);
            } catch (const std::exception&) {
                cells[i] = {};
            }
        });
    }
    std::vector<CellsResult> results;
    results.reserve(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        results.push_back(to_cells_result(std::move(cells[i]), grid, jobs[i].vop ? 'P' : '?', name_of(jobs[i].status)));
    }
    return results;
}

void bind_vop_info(nb::module_& m) {
    nb::class_<VopInfo>(m, "Mpeg4Vop")
        .def_prop_ro("type", &letter_of)
        .def_prop_ro("status", [](const VopInfo& info) { return name_of(info.status); })
        .def_ro("coded", &VopInfo::coded)
        .def_ro("time_ticks", &VopInfo::time_ticks)
        .def_ro("reference_ticks", &VopInfo::reference_ticks)
        .def_ro("quantiser", &VopInfo::quantiser)
        .def_ro("rounding", &VopInfo::rounding)
        .def_ro("offset_bytes", &VopInfo::offset_bytes)
        .def_ro("size_bytes", &VopInfo::size_bytes);
}

void bind_frame(nb::module_& m) {
    nb::class_<Frame>(m, "Mpeg4Frame")
        .def_ro("vop", &Frame::info)
        .def_prop_ro("type", [](const Frame& frame) { return letter_of(frame.info); })
        .def_prop_ro("status", [](const Frame& frame) { return name_of(frame.content.status); })
        .def_prop_ro("vectors", &vectors_of)
        .def_prop_ro("displacements", &displacements_of)
        .def_prop_ro("intra", &intra_of)
        .def_prop_ro("residual_means",
                     [](nb::handle self) -> nb::object {
                         const Frame& frame = nb::cast<const Frame&>(self);
                         if (frame.content.status != Status::ok) {
                             return nb::none();
                         }
                         return view_of(self, frame.content.means, {3, height_of(frame), width_of(frame)});
                     })
        .def_prop_ro("energy", [](nb::handle self) -> nb::object {
            const Frame& frame = nb::cast<const Frame&>(self);
            if (frame.content.status != Status::ok) {
                return nb::none();
            }
            return view_of(self, frame.content.energies, {height_of(frame), width_of(frame)});
        });
}

void bind_reader(nb::module_& m) {
    nb::class_<Reader>(m, "Mpeg4Reader")
        .def("__init__",
             [](Reader* self, const nb::bytes& extradata) { new (self) Reader(bytes_of(extradata)); },
             nb::arg("extradata") = nb::bytes("", 0))
        .def("look",
             [](Reader& self, const nb::object& packet) {
                 const salientclips::HeldBytes held(packet);
                 const auto bytes = bytes_of(held);
                 nb::gil_scoped_release unlocked;
                 return self.look(bytes);
             },
             nb::arg("packet"))
        .def("feed",
             [](Reader& self, const nb::object& packet, bool parse) {
                 const salientclips::HeldBytes held(packet);
                 const auto bytes = bytes_of(held);
                 nb::gil_scoped_release unlocked;
                 return self.feed(bytes, parse);
             },
             nb::arg("packet"), nb::arg("parse") = true)
        .def("features", &features, nb::arg("packets"), nb::arg("wanted"), nb::arg("grid"), nb::arg("threads") = 1)
        .def_prop_ro("status", [](const Reader& self) { return name_of(self.vol().status); })
        .def_prop_ro("width_px", [](const Reader& self) { return self.vol().width_px; })
        .def_prop_ro("height_px", [](const Reader& self) { return self.vol().height_px; })
        .def_prop_ro("time_resolution", [](const Reader& self) { return self.vol().time_resolution; })
        .def_prop_ro("ticks_per_frame", [](const Reader& self) { return self.vol().fixed_increment; })
        .def_prop_ro("quarter_sample", [](const Reader& self) { return self.vol().quarter_sample; })
        .def_prop_ro("packed", &Reader::packed)
        .def_prop_ro("user_data", [](const Reader& self) {
            const std::string text = self.user_data();
            return nb::bytes(text.data(), text.size());
        });
}

}  // namespace

void bind_mpeg4(nb::module_& m) {
    bind_vop_info(m);
    bind_frame(m);
    bind_reader(m);
    m.def("mpeg4_code_words", &code_words);
}
