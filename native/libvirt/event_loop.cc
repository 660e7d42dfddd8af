#include "event_loop.h"

#include <chrono>
#include <thread>

#include "../signals.h"

namespace virbr::libvirt {

EventLoop& EventLoop::Get() {
  static EventLoop* const loop = new EventLoop();
  return *loop;
}

void EventLoop::Start(const Library& library) {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [this] { return !stopping_; });
  if (running_) return;
  if (library_ == nullptr) {
    if (VIRBR_NEED(library, virEventRegisterDefaultImpl)() < 0) throw library.LastError();
    // Never due: what Stop() makes due, to wake the loop.
    const auto nothing = [](int timer, void* self) {
      static_cast<EventLoop*>(self)->library_->virEventUpdateTimeout(timer, -1);
    };
    timer_ = VIRBR_NEED(library, virEventAddTimeout)(-1, nothing, this, nullptr);
    if (timer_ < 0) throw library.LastError();
    VIRBR_NEED(library, virEventUpdateTimeout);
    library_ = &library;
  }
  VIRBR_NEED(library, virEventRunDefaultImpl);
  const SignalsBlocked inherited;
  std::thread([this, &library] { Loop(library); }).detach();
  running_ = true;
}

void EventLoop::Loop(const Library& library) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (library.virEventRunDefaultImpl() < 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    lock.lock();
  }
  running_ = false;
  stopping_ = false;
  ended_.notify_all();
}

void EventLoop::Stop() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!running_) return;
  stopping_ = true;
  library_->virEventUpdateTimeout(timer_, 0);
  ended_.wait_for(lock, std::chrono::seconds(1), [this] { return !running_; });
}

}  // namespace virbr::libvirt
