// The way from any thread to the JavaScript thread of one environment.
#pragma once

#include <napi.h>

#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace virbr {

class Mailbox {
 public:
  explicit Mailbox(Napi::Env env);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // Any thread: runs `work(Napi::Env)` on the JavaScript thread, after all that was posted before. If the environment has
  // ended, or ends first, the work is destroyed unrun: it must hold nothing of JavaScript's that needs its thread.
  template <class F>
  void Post(F&& work) {
    Put(std::make_unique<Holder<std::decay_t<F>>>(std::forward<F>(work)));
  }

  // The JavaScript thread: the process stays alive while there are more Refs than Unrefs.
  void Ref();
  void Unref();
  // The JavaScript thread, once, at its end.
  void Close();

 private:
  struct Work {
    virtual ~Work() = default;
    virtual void Run(Napi::Env env) = 0;
  };
  template <class F>
  struct Holder : Work {
    explicit Holder(F f) : function(std::move(f)) {}
    void Run(Napi::Env env) override { function(env); }
    F function;
  };

  void Put(std::unique_ptr<Work> work);
  std::vector<std::unique_ptr<Work>> Take();
  static void Deliver(napi_env env, napi_value, void* context, void*);

  const napi_env env_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Work>> works_;
  bool closed_ = false;
  napi_threadsafe_function wake_ = nullptr;
  int refs_ = 0;
};

}  // namespace virbr
