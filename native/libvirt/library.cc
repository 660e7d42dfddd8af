#include "library.h"

#include <dlfcn.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "event_loop.h"
#include "workers.h"

namespace virbr::libvirt {

namespace {

std::mutex mutex;
std::atomic<const Library*> loaded{nullptr};
int environments = 0;

std::optional<std::string> Text(const char* text) {
  if (text == nullptr) return std::nullopt;
  return text;
}

}  // namespace

const Library& Library::Get() {
  if (const Library* library = loaded.load(std::memory_order_acquire)) return *library;
  const std::lock_guard<std::mutex> lock(mutex);
  if (const Library* library = loaded.load(std::memory_order_acquire)) return *library;
  // Never closed: it leaves threads and thread-local data behind.
  void* handle = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw CallFailed{MissingLibrary{reason == nullptr ? "libvirt.so.0 could not be loaded" : reason}};
  }
  auto library = std::make_unique<Library>();
#define VIRBR_LOAD(result, name, parameters, major, minor, release) \
  library->name = reinterpret_cast<result(*) parameters>(dlsym(handle, #name));
  VIRBR_FUNCTIONS(VIRBR_LOAD)
#undef VIRBR_LOAD
  if (library->virGetVersion == nullptr || library->virGetVersion(&library->version_, nullptr, nullptr) < 0) {
    throw CallFailed{MissingLibrary{"libvirt.so.0 does not tell its version"}};
  }
  // Errors are returned, not printed on stderr.
  if (library->virSetErrorFunc != nullptr) library->virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  if (VIRBR_NEED(*library, virInitialize)() < 0) throw library->LastError();
  loaded.store(library.release(), std::memory_order_release);
  return *loaded.load(std::memory_order_acquire);
}

CallFailed Library::LastError() const {
  const virErrorPtr last = virGetLastError == nullptr ? nullptr : virGetLastError();
  if (last == nullptr) return {LibvirtError{1, 0, 2, "libvirt gave no reason", {}, {}, {}, 0, 0}};
  LibvirtError error{
      last->code,       last->domain,     last->level,      last->message == nullptr ? "" : last->message,
      Text(last->str1), Text(last->str2), Text(last->str3), last->int1,
      last->int2};
  return {std::move(error)};
}

void Library::EnterEnvironment() {
  const std::lock_guard<std::mutex> lock(mutex);
  environments++;
}

void Library::LeaveEnvironment() {
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (--environments > 0) return;
  }
  Workers::Drain();
  EventLoop::Get().Stop();
}

}  // namespace virbr::libvirt
