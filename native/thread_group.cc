#include "thread_group.h"

namespace virbr {

void ThreadGroup::Enter() {
  const std::lock_guard<std::mutex> lock(mutex_);
  live_++;
}

void ThreadGroup::Leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--live_ == 0) empty_.notify_all();
}

void ThreadGroup::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  empty_.wait(lock, [this] { return live_ == 0; });
}

int ThreadGroup::live() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return live_;
}

}  // namespace virbr
