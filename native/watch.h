// NativeWatch of binding/index.ts.
#pragma once

#include <napi.h>

#include <cstdint>

#include "event_socket.h"

namespace virbr {

class Watch : public Napi::ObjectWrap<Watch> {
 public:
  static Napi::Function Define(Napi::Env env);
  // Throws a JavaScript error if there can be no thread to read the socket.
  static Napi::Object New(Napi::Env env, EventSocket socket);
  // There are events: to the listener.
  static void Deliver(Napi::Env env, uint64_t id);

  explicit Watch(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Watch>(info) {}
  ~Watch() override;

 private:
  void Start(const Napi::CallbackInfo& info);
  void Want(const Napi::CallbackInfo& info);
  void Sync(const Napi::CallbackInfo& info);
  void Ref(const Napi::CallbackInfo& info);
  void Unref(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  void Hold(Napi::Env env, bool held);
  void End(Napi::Env env);

  uint64_t id_ = 0;
  bool open_ = false;
  bool held_ = false;
};

}  // namespace virbr
