// Numpy arrays that own what was in a vector.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace salientclips {

// Element is what numpy sees; it has the size of T.
template <class Element, class T>
nanobind::object to_numpy(std::vector<T>&& values, std::initializer_list<std::size_t> shape) {
    static_assert(sizeof(Element) == sizeof(T));
    auto* const owned = new std::vector<T>(std::move(values));
    nanobind::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    auto* const data = reinterpret_cast<Element*>(owned->data());
    return nanobind::cast(nanobind::ndarray<nanobind::numpy, Element>(data, shape, owner));
}

// Records, which numpy sees as bytes first and then by their dtype.
template <class T>
nanobind::object to_records(std::vector<T>&& values, const nanobind::object& dtype) {
    const std::size_t size = values.size() * sizeof(T);
    auto* const owned = new std::vector<T>(std::move(values));
    nanobind::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    auto* const bytes = reinterpret_cast<std::uint8_t*>(owned->data());
    const nanobind::ndarray<nanobind::numpy, std::uint8_t> flat(bytes, {size}, owner);
    return nanobind::cast(flat).attr("view")(dtype);
}

// One of the dtypes of dtypes.py, by its name there.
inline nanobind::object dtype_of(const char* name) {
    return nanobind::module_::import_("salientclips.compressed._native.dtypes").attr(name);
}

}  // namespace salientclips
