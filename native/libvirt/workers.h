// Threads for calls that block: as many as there are calls under way, up to a limit, gone after a moment of rest. libuv's
// four are left to files and name resolution.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace virbr::libvirt {

class Workers : public std::enable_shared_from_this<Workers> {
 public:
  explicit Workers(int at_once) : at_once_(at_once) {}

  // For what belongs to no connection: opening one, closing one.
  static Workers& OfProcess();

  // Any thread. What comes beyond the limit waits its turn. Throws std::system_error if no thread can be started and none
  // is there.
  void Run(std::function<void()> work);
  // Nothing more will come: threads go as soon as they have nothing to do.
  void Retire();

  // Waits until no work is under way in the process, a second at most.
  static void Drain();
  // Threads, of the process.
  static int live();

 private:
  void Loop();

  const int at_once_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> works_;
  int threads_ = 0;
  int idle_ = 0;
  bool retired_ = false;
};

}  // namespace virbr::libvirt
