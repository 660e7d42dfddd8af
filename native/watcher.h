// Event sockets of one environment, read by one thread. It starts with the first of them and ends with the last.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event_socket.h"
#include "thread_group.h"

namespace virbr {

// What one socket has had to tell since it was asked last.
struct Events {
  // Whole messages as the kernel wrote them.
  Bytes messages;
  // After them, some were lost.
  bool lost = false;
  // All that was queued when Sync was called has been delivered.
  bool synced = false;
};

class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  // Told, on any thread, that Take has something to give.
  using Ready = std::function<void(uint64_t id)>;

  Watcher(std::shared_ptr<ThreadGroup> group, Ready ready) : group_(std::move(group)), ready_(std::move(ready)) {}

  // All from the JavaScript thread. Ids are the caller's.
  //
  // Reads a socket from now on. Throws std::system_error if there can be no thread.
  void Add(uint64_t id, EventSocket socket);
  // The socket is closed by the thread, since that may wait in the kernel.
  void Remove(uint64_t id);
  // Asks to be told (`ready`), once, of the next events. Until they are asked for, a bounded number waits here, then in
  // the kernel, then the kernel drops them.
  void Want(uint64_t id);
  // Events come, even if there are none, with `synced` at the end of what the kernel had queued by now.
  void Sync(uint64_t id);
  Events Take(uint64_t id);

  // Wakes the thread so that it sees that the group is stopping.
  void Wake();

 private:
  struct Source {
    Source(uint64_t number, EventSocket opened) : id(number), socket(std::move(opened)) {}
    const uint64_t id;
    EventSocket socket;
    // Below: the thread's own.
    bool polled = false;
    bool overrun = false;
    // Below: under the lock.
    Events waiting;
    bool wanted = false;
    bool told = false;
    bool syncing = false;
    size_t left_to_sync = 0;
  };

  void Run();
  bool Attend();
  void Read(Source* source);
  bool Full(const Source& source) const;
  void SetPolled(Source* source, bool polled);
  void Tell(Source* source);
  void Notify();

  const std::shared_ptr<ThreadGroup> group_;
  const Ready ready_;

  std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<Source>> sources_;
  std::vector<std::shared_ptr<Source>> attention_;
  std::vector<std::shared_ptr<Source>> removed_;
  bool running_ = false;
  Fd epoll_;
  Fd wake_;
  Bytes buffer_;
};

}  // namespace virbr
