// libvirt's event loop: one thread for the process, from before the first connection until the last environment has ended.
// libvirt calls its hooks from any thread, so it cannot run on libuv's loop.
#pragma once

#include <condition_variable>
#include <mutex>

#include "library.h"

namespace virbr::libvirt {

class EventLoop {
 public:
  static EventLoop& Get();

  // Any thread, before a connection is opened: connections take their events only from a loop that was there first.
  // Throws CallFailed.
  void Start(const Library& library);
  // Ends it, within a second. A later Start starts it again.
  void Stop();

 private:
  void Loop(const Library& library);

  std::mutex mutex_;
  std::condition_variable ended_;
  const Library* library_ = nullptr;
  int timer_ = -1;
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace virbr::libvirt
