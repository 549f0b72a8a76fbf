// The reader alone as a module, for work on it without the rest: see CMakeLists.txt beside this file.
#include "bind.hpp"

NB_MODULE(_mpeg4dev, m) { bind_mpeg4(m); }
