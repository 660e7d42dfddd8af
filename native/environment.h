// What one Node environment (the main thread's or a worker's) has of this addon: its Hosts, their threads, and the calls
// that are under way.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "host_thread.h"

namespace virbr {

class Environment {
 public:
  explicit Environment(Napi::Env env);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Turns a finished job into a value for its promise, or throws what it is to be rejected with.
  using Convert = std::function<Napi::Value(Napi::Env, Job&)>;

  // Gives a job to a thread. `owner` (may be empty) stays alive, and the process too, until the promise is settled.
  Napi::Promise Submit(HostThread& thread, std::unique_ptr<Job> job, Napi::Object owner, Convert convert);

  std::shared_ptr<HostThread> NewThread(NetnsSource source);
  void Forget(HostThread* thread) { threads_.erase(thread); }

  Napi::Object Stats(Napi::Env env);

  Napi::FunctionReference host_constructor;

 private:
  struct Call {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference owner;
    Convert convert;
  };
  struct Settled {
    uint64_t id;
    std::unique_ptr<Job> job;
  };

  static void Settle(napi_env env, napi_value, void* context, void* data);
  void Stop();

  const std::shared_ptr<ThreadGroup> group_ = std::make_shared<ThreadGroup>();
  std::unordered_set<HostThread*> threads_;
  std::unordered_map<uint64_t, Call> calls_;
  uint64_t next_id_ = 0;
  napi_threadsafe_function settle_ = nullptr;
};

}  // namespace virbr
