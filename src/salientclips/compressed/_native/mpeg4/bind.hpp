// Adds the MPEG-4 part 2 reader to a Python module.
#pragma once

#include <nanobind/nanobind.h>

void bind_mpeg4(nanobind::module_& m);
