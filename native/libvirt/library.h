// libvirt.so.0, loaded with dlopen at first use, as a table of typed pointers.
#pragma once

#include "failure.h"
#include "functions.h"

namespace virbr::libvirt {

struct FunctionInfo {
  const char* name;
  unsigned long since;
};

// The table's second half: what each function is called and which version brought it.
namespace about {
constexpr unsigned long Version(unsigned long major, unsigned long minor, unsigned long release) {
  return major * 1'000'000 + minor * 1'000 + release;
}
#define VIRBR_ABOUT(result, name, parameters, major, minor, release) \
  inline constexpr FunctionInfo name{#name, Version(major, minor, release)};
VIRBR_FUNCTIONS(VIRBR_ABOUT)
#undef VIRBR_ABOUT
}  // namespace about

class Library {
 public:
  // Loads it if that is still to do. Throws CallFailed with MissingLibrary; a later call tries again.
  static const Library& Get();

  // How many environments use the addon. With the last one the worker threads and the event loop end, within a second:
  // a call that hangs in libvirt cannot be ended, and is left.
  static void EnterEnvironment();
  static void LeaveEnvironment();

#define VIRBR_POINTER(result, name, parameters, major, minor, release) result(*name) parameters = nullptr;
  VIRBR_FUNCTIONS(VIRBR_POINTER)
#undef VIRBR_POINTER

  // A function that this library may be too old for. Throws CallFailed with MissingFunction.
  template <class F>
  F Need(F function, const FunctionInfo& info) const {
    if (function == nullptr) throw CallFailed{MissingFunction{info.name, info.since, version_}};
    return function;
  }

  // The error of the call that this thread made last, to be thrown.
  CallFailed LastError() const;

 private:
  unsigned long version_ = 0;
};

// library.NAME, or the exception that tells which libvirt has it.
#define VIRBR_NEED(library, name) (library).Need((library).name, about::name)

}  // namespace virbr::libvirt
