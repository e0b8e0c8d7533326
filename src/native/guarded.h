// How functions of this folder answer: 0, or 1 and a message in cs_last_error().
#pragma once
#include <exception>

int cs_fail(const char *why); // shim.cpp

template <class F> static int guarded(F body) {
  try {
    body();
    return 0;
  } catch (const std::exception &e) {
    return cs_fail(e.what());
  } catch (...) {
    return cs_fail("unknown C++ exception");
  }
}
