#include "watcher.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "signals.h"

namespace virbr {

namespace {

// Of one source, waiting for JavaScript. Some hundreds of events; the kernel holds more.
constexpr size_t kMostWaiting = 512 << 10;
// No event is as large as this.
constexpr size_t kReceiveSize = 64 << 10;

[[noreturn]] void ThrowErrno(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

void Watcher::Add(uint64_t id, EventSocket socket) {
  auto source = std::make_shared<Source>(id, std::move(socket));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!running_) {
    Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) ThrowErrno("epoll_create1");
    Fd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake) ThrowErrno("eventfd");
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) ThrowErrno("epoll_ctl");
    group_->Enter();
    try {
      const SignalsBlocked inherited;
      // Detached: the group knows when it is gone, and -z nodelete keeps its code.
      std::thread([self = shared_from_this()] { self->Run(); }).detach();
    } catch (...) {
      group_->Leave();
      throw;
    }
    epoll_ = std::move(epoll);
    wake_ = std::move(wake);
    running_ = true;
  }
  sources_.emplace(id, source);
  attention_.push_back(std::move(source));
  Notify();
}

void Watcher::Remove(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  removed_.push_back(std::move(found->second));
  sources_.erase(found);
  Notify();
}

void Watcher::Want(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  found->second->wanted = true;
  Tell(found->second.get());
}

void Watcher::Sync(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  found->second->syncing = true;
  found->second->left_to_sync = found->second->socket.capacity();
  attention_.push_back(found->second);
  Notify();
}

Events Watcher::Take(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sources_.find(id);
  if (found == sources_.end()) return {};
  Source& source = *found->second;
  if (Full(source) || source.syncing) {
    attention_.push_back(found->second);
    Notify();
  }
  source.told = false;
  return std::exchange(source.waiting, {});
}

void Watcher::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (running_) Notify();
}

void Watcher::Notify() {
  const uint64_t one = 1;
  // It fails only if the thread is to wake already.
  if (write(wake_.get(), &one, sizeof one) < 0) return;
}

bool Watcher::Full(const Source& source) const {
  return source.waiting.lost || source.waiting.messages.size() >= kMostWaiting;
}

void Watcher::Tell(Source* source) {
  const Events& waiting = source->waiting;
  if (!source->wanted || source->told || (waiting.messages.empty() && !waiting.lost && !waiting.synced)) return;
  source->wanted = false;
  source->told = true;
  ready_(source->id);
}

void Watcher::Run() {
  const std::shared_ptr<ThreadGroup> group = group_;
  buffer_.resize(kReceiveSize);
  while (Attend()) {
    epoll_event events[64];
    const int count = epoll_wait(epoll_.get(), events, 64, -1);
    for (int i = 0; i < count; i++) {
      auto* const source = static_cast<Source*>(events[i].data.ptr);
      uint64_t woken;
      if (source != nullptr) {
        Read(source);
      } else if (read(wake_.get(), &woken, sizeof woken) < 0) {
        continue;
      }
    }
  }
  group->Leave();
}

// What the JavaScript thread has asked for. False when the thread is to end. Sources go nowhere else, so those that
// epoll_wait names are there.
bool Watcher::Attend() {
  std::vector<std::shared_ptr<Source>> attention;
  std::vector<std::shared_ptr<Source>> removed;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    attention.swap(attention_);
    removed.swap(removed_);
    if (sources_.empty() || group_->stopping()) {
      for (auto& [id, source] : sources_) removed.push_back(std::move(source));
      sources_.clear();
      epoll_.Reset();
      wake_.Reset();
      running_ = false;
      return false;
    }
  }
  for (const auto& source : removed) SetPolled(source.get(), false);
  for (const auto& source : attention) {
    if (std::find(removed.begin(), removed.end(), source) == removed.end()) Read(source.get());
  }
  return true;
}

void Watcher::Read(Source* source) {
  size_t room;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    room = Full(*source) ? 0 : kMostWaiting - source->waiting.messages.size();
  }
  Bytes fresh;
  bool drained = false;
  while (!drained && fresh.size() < room) {
    switch (source->socket.Receive(&buffer_, &fresh)) {
      case EventSocket::Received::kMessages:
        break;
      case EventSocket::Received::kFailed:
      case EventSocket::Received::kLost:
        source->overrun = true;
        break;
      case EventSocket::Received::kNothing:
        drained = true;
        break;
    }
  }
  bool full;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Events& waiting = source->waiting;
    const size_t read = fresh.size();
    if (waiting.messages.empty()) {
      waiting.messages.swap(fresh);
    } else {
      waiting.messages.insert(waiting.messages.end(), fresh.begin(), fresh.end());
    }
    if (drained && std::exchange(source->overrun, false)) waiting.lost = true;
    if (source->syncing) {
      source->left_to_sync -= std::min(source->left_to_sync, read);
      if (drained || source->left_to_sync == 0) {
        source->syncing = false;
        waiting.synced = true;
      }
    }
    Tell(source);
    full = Full(*source);
  }
  SetPolled(source, !full);
}

// A full one leaves the set: as long as it is in, an overrun would be told (EPOLLERR) again and again.
void Watcher::SetPolled(Source* source, bool polled) {
  if (source->polled == polled) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = source;
  epoll_ctl(epoll_.get(), polled ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, source->socket.fd(), &event);
  source->polled = polled;
}

}  // namespace virbr
