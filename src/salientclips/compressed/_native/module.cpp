// The Python module of the native readers, salientclips.compressed._native._core. The stub beside it, _core.pyi, says
// what every name means.
#include <nanobind/nanobind.h>

#include "bind_features.hpp"
#include "h264/bind.hpp"
#include "mpeg4/bind.hpp"

NB_MODULE(_core, m) {
    bind_h264(m);
    bind_features(m);
    bind_mpeg4(m);
}
