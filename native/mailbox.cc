#include "mailbox.h"

namespace virbr {

Mailbox::Mailbox(Napi::Env env) : env_(env) {
  napi_value name = Napi::String::New(env, "virbr");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, Deliver, &wake_) !=
      napi_ok) {
    throw Napi::Error::New(env, "napi_create_threadsafe_function failed");
  }
  // Nobody waits yet: the process may exit.
  napi_unref_threadsafe_function(env, wake_);
}

void Mailbox::Put(std::unique_ptr<Work> work) {
  // Destroyed after the lock is given back, should it come to that.
  std::unique_ptr<Work> refused;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) {
    refused = std::move(work);
    return;
  }
  works_.push_back(std::move(work));
  // One wake for as many works as come before it is answered.
  if (works_.size() == 1) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

std::vector<std::unique_ptr<Mailbox::Work>> Mailbox::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(works_, {});
}

void Mailbox::Deliver(napi_env raw_env, napi_value, void* context, void*) {
  if (raw_env == nullptr) return;  // the environment is ending
  const Napi::Env env(raw_env);
  for (const std::unique_ptr<Work>& work : static_cast<Mailbox*>(context)->Take()) {
    const Napi::HandleScope scope(env);
    try {
      work->Run(env);
    } catch (const Napi::Error& error) {
      // A listener threw: as fatal as in any other callback. A worker that is being terminated runs nothing any more.
      if (!error.IsEmpty()) napi_fatal_exception(env, error.Value());
    }
  }
}

void Mailbox::Ref() {
  if (refs_++ == 0 && !closed_) napi_ref_threadsafe_function(env_, wake_);
}

void Mailbox::Unref() {
  if (--refs_ == 0 && !closed_) napi_unref_threadsafe_function(env_, wake_);
}

void Mailbox::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  Take();
  napi_release_threadsafe_function(wake_, napi_tsfn_abort);
}

}  // namespace virbr
