// Handle of binding/libvirt.ts: a JavaScript object that holds an Object.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "object.h"

namespace virbr::libvirt {

class Handle : public Napi::ObjectWrap<Handle> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Napi::Value New(Napi::Env env, std::shared_ptr<Object> object);
  // The Handle behind a value, or null if it is none.
  static Handle* Of(const Napi::Value& value);

  explicit Handle(const Napi::CallbackInfo& info);
  ~Handle() override;

  Kind kind() const { return kind_; }
  // Null if it is closed.
  const std::shared_ptr<Object>& object() const { return object_; }

 private:
  void Hold(std::shared_ptr<Object> object);
  std::shared_ptr<Object> LetGo();
  Napi::Value Close(const Napi::CallbackInfo& info);
  Napi::Value GetKind(const Napi::CallbackInfo& info);
  Napi::Value IsClosed(const Napi::CallbackInfo& info);
  Napi::Value GetName(const Napi::CallbackInfo& info);
  Napi::Value GetUuid(const Napi::CallbackInfo& info);

  Kind kind_ = Kind::kConnection;
  std::string name_;
  std::string uuid_;
  std::shared_ptr<Object> object_;
  // The promise of the first close(), which later ones return.
  Napi::ObjectReference closing_;
};

}  // namespace virbr::libvirt
