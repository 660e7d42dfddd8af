// NativeHost of binding/index.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "host_thread.h"

namespace virbr {

class Host : public Napi::ObjectWrap<Host> {
 public:
  static Napi::Function Define(Napi::Env env);
  // openHost(source)
  static Napi::Value Open(const Napi::CallbackInfo& info);

  explicit Host(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Host>(info) {}
  ~Host() override;

 private:
  Napi::Value Exec(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value NetnsFd(const Napi::CallbackInfo& info);
  Napi::Value NetnsDevice(const Napi::CallbackInfo& info);
  Napi::Value NetnsInode(const Napi::CallbackInfo& info);
  void Release(Napi::Env env);

  std::shared_ptr<HostThread> thread_;
  bool closed_ = false;
};

}  // namespace virbr
