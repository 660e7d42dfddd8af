#include "workers.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "../signals.h"

namespace virbr::libvirt {

namespace {

constexpr auto kIdle = std::chrono::seconds(2);
constexpr auto kDrain = std::chrono::seconds(1);
// Connections that are being opened or closed at the same moment.
constexpr int kAtOnceInProcess = 64;

std::atomic<int> all_threads{0};
// Works given to threads and not finished.
std::atomic<int> all_works{0};

}  // namespace

Workers& Workers::OfProcess() {
  // Never destroyed: threads may outlive main().
  static Workers& workers = **new std::shared_ptr<Workers>(std::make_shared<Workers>(kAtOnceInProcess));
  return workers;
}

void Workers::Run(std::function<void()> work) {
  std::unique_lock<std::mutex> lock(mutex_);
  works_.push_back(std::move(work));
  all_works++;
  if (static_cast<size_t>(idle_) >= works_.size()) {
    // Woken under the lock, it would only go to sleep again on that.
    lock.unlock();
    wake_.notify_one();
    return;
  }
  if (threads_ >= at_once_) return;
  try {
    const SignalsBlocked inherited;
    std::thread([self = shared_from_this()] { self->Loop(); }).detach();
    threads_++;
    all_threads++;
  } catch (...) {
    if (threads_ > 0) return;  // one of them will come to it
    works_.pop_back();
    all_works--;
    throw;
  }
}

void Workers::Retire() {
  const std::lock_guard<std::mutex> lock(mutex_);
  retired_ = true;
  wake_.notify_all();
}

void Workers::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (works_.empty()) {
      idle_++;
      wake_.wait_for(lock, kIdle, [this] { return !works_.empty() || retired_; });
      idle_--;
      if (works_.empty()) break;
    }
    std::function<void()> work = std::move(works_.front());
    works_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it held may bring more work, so not under the lock
    all_works--;
    lock.lock();
  }
  threads_--;
  all_threads--;
}

void Workers::Drain() {
  const auto deadline = std::chrono::steady_clock::now() + kDrain;
  while (all_works > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

int Workers::live() { return all_threads; }

}  // namespace virbr::libvirt
