// Adds the H.264 reader to a Python module.
#pragma once

#include <nanobind/nanobind.h>

void bind_h264(nanobind::module_& m);
