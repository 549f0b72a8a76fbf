// A numpy array that owns what was in a vector.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
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

}  // namespace salientclips
