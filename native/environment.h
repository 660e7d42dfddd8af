// What one Node environment (the main thread's or a worker's) has of this addon: its Hosts, their threads, its watches,
// the calls that are under way, and the functions that wait for events.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "host_thread.h"
#include "mailbox.h"
#include "watcher.h"

namespace virbr {

class Watch;

class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // A promise to be settled later, by its number. It keeps the process alive, and `owner` (may be empty) too.
  struct Call {
    uint64_t id;
    Napi::Promise promise;
  };
  Call Begin(Napi::Env env, Napi::Object owner = Napi::Object());
  // Settles it with what `value()` gives or throws.
  void Settle(uint64_t id, const std::function<Napi::Value()>& value);

  // Turns a finished job into a value for its promise, or throws what it is to be rejected with.
  using Convert = std::function<Napi::Value(Napi::Env, Job&)>;
  // Gives a job to a Host's thread.
  Napi::Promise Submit(HostThread& thread, std::unique_ptr<Job> job, Napi::Object owner, Convert convert);

  // A function of JavaScript's that other threads may ask, through the mailbox, to be called.
  uint64_t Keep(const Napi::Function& function);
  // Empty if it was forgotten.
  Napi::Function Kept(uint64_t id) const;
  void Forget(uint64_t id) { functions_.erase(id); }

  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  Watcher& watcher() { return *watcher_; }
  uint64_t NextId() { return next_id_++; }

  // Memory of large messages that were sent, for the next: new memory costs more than the copy into it, a page fault a page.
  Bytes TakeSpare() { return std::exchange(spare_, {}); }

  std::shared_ptr<HostThread> NewThread(NetnsSource source);
  void Forget(HostThread* thread) { threads_.erase(thread); }

  Napi::Object Stats(Napi::Env env);

  Napi::FunctionReference host_constructor;
  Napi::FunctionReference handle_constructor;
  Napi::FunctionReference watch_constructor;
  // Those that are open.
  std::unordered_map<uint64_t, Watch*> watches;

 private:
  struct Waiting {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference owner;
  };

  void Stop();
  void KeepSpare(Job* job);

  const std::shared_ptr<ThreadGroup> group_ = std::make_shared<ThreadGroup>();
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<Watcher> watcher_;
  std::unordered_set<HostThread*> threads_;
  std::unordered_map<uint64_t, Waiting> calls_;
  std::unordered_map<uint64_t, Napi::FunctionReference> functions_;
  uint64_t next_id_ = 0;
  Bytes spare_;
};

}  // namespace virbr
