// Counts the threads of one environment, so that its end can wait for them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace virbr {

class ThreadGroup {
 public:
  void Enter();
  void Leave();
  // Asks threads, and waits in steps, to end.
  void RequestStop() { stopping_ = true; }
  // Waits until every thread has left.
  void Wait();
  bool stopping() const { return stopping_; }
  int live();

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  int live_ = 0;
  std::atomic<bool> stopping_{false};
};

}  // namespace virbr
