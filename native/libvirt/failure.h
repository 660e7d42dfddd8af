// Why a call failed: found in the worker that made it, told to JavaScript as LibvirtFailure of binding/libvirt.ts.
#pragma once

#include <napi.h>

#include <optional>
#include <string>
#include <variant>

#include "abi.h"

namespace virbr::libvirt {

// libvirt's own error, copied: it is the thread's, and the thread's next call overwrites it.
struct LibvirtError {
  int code;
  int domain;
  int level;
  std::string message;
  std::optional<std::string> str1;
  std::optional<std::string> str2;
  std::optional<std::string> str3;
  int int1;
  int int2;
};

struct MissingLibrary {
  std::string message;
};

// Versions as libvirt writes them: major * 1,000,000 + minor * 1,000 + release.
struct MissingFunction {
  const char* name;
  unsigned long since;
  unsigned long installed;
};

// Thrown by whatever runs in a worker.
struct CallFailed {
  std::variant<LibvirtError, MissingLibrary, MissingFunction> why;
};

std::string VersionText(unsigned long version);

// What a promise is rejected with.
Napi::Error ToJs(Napi::Env env, const CallFailed& failed);
Napi::Error ClosedError(Napi::Env env, const char* kind);
Napi::Error ArgumentError(Napi::Env env, const char* function, size_t index, const char* accepted);

}  // namespace virbr::libvirt
