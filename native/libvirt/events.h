// Functions of JavaScript's that libvirt calls when something happens.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>

#include "../mailbox.h"

namespace virbr::libvirt {

// What libvirt holds of a registered function, and gives back (Free) when it has called it for the last time: on whatever
// thread, and maybe after its environment.
class Listener {
 public:
  // The JavaScript thread.
  Listener(Napi::Env env, const Napi::Function& function);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Any thread: calls the function with what `make(env)` gives.
  template <class Make>
  void Call(Make make) const;

  // virFreeCallback
  static void Free(void* listener) { delete static_cast<Listener*>(listener); }

  // Those not given back, of the process.
  static std::atomic<int> live;

 private:
  const std::shared_ptr<Mailbox> mailbox_;
  const uint64_t function_;
};

}  // namespace virbr::libvirt
