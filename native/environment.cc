#include "environment.h"

#include <system_error>
#include <utility>

namespace virbr {

Environment::Environment(Napi::Env env) {
  napi_value name = Napi::String::New(env, "virbr");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, Settle, &settle_) !=
      napi_ok) {
    throw Napi::Error::New(env, "napi_create_threadsafe_function failed");
  }
  // Nobody waits yet: the process may exit.
  napi_unref_threadsafe_function(env, settle_);
  // Hooks run last in, first out: the threads end before the function that they call.
  env.AddCleanupHook([](Environment* self) { self->Stop(); }, this);
}

std::shared_ptr<HostThread> Environment::NewThread(NetnsSource source) {
  auto thread = std::make_shared<HostThread>(group_, std::move(source));
  threads_.insert(thread.get());
  return thread;
}

Napi::Promise Environment::Submit(HostThread& thread, std::unique_ptr<Job> job, Napi::Object owner, Convert convert) {
  const Napi::Env env = owner.Env();
  const uint64_t id = next_id_++;
  job->done = [id, settle = settle_](std::unique_ptr<Job> finished) {
    auto settled = std::make_unique<Settled>(Settled{id, std::move(finished)});
    if (napi_call_threadsafe_function(settle, settled.get(), napi_tsfn_nonblocking) == napi_ok) settled.release();
  };
  Call call{Napi::Promise::Deferred::New(env), Napi::Persistent(owner), std::move(convert)};
  const Napi::Promise promise = call.deferred.Promise();
  try {
    thread.Add(std::move(job));
  } catch (const std::system_error& error) {
    call.deferred.Reject(Napi::Error::New(env, std::string("cannot start a thread: ") + error.what()).Value());
    return promise;
  }
  if (calls_.empty()) napi_ref_threadsafe_function(env, settle_);
  calls_.emplace(id, std::move(call));
  return promise;
}

void Environment::Settle(napi_env raw_env, napi_value, void* context, void* data) {
  const std::unique_ptr<Settled> settled(static_cast<Settled*>(data));
  if (raw_env == nullptr) return;  // the environment is ending
  const Napi::Env env(raw_env);
  const Napi::HandleScope scope(env);
  auto* self = static_cast<Environment*>(context);
  const auto found = self->calls_.find(settled->id);
  if (found == self->calls_.end()) return;
  Call call = std::move(found->second);
  self->calls_.erase(found);
  if (self->calls_.empty()) napi_unref_threadsafe_function(env, self->settle_);
  try {
    call.deferred.Resolve(call.convert(env, *settled->job));
  } catch (const Napi::Error& error) {
    try {
      call.deferred.Reject(error.Value());
    } catch (const Napi::Error&) {
      // A worker that is being terminated runs no JavaScript any more.
    }
  }
}

void Environment::Stop() {
  group_->RequestStop();
  for (HostThread* thread : threads_) thread->Wake();
  group_->Wait();
}

Napi::Object Environment::Stats(Napi::Env env) {
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("hosts", static_cast<double>(threads_.size()));
  stats.Set("threads", group_->live());
  return stats;
}

}  // namespace virbr
