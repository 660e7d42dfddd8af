// `addon.libvirt` of binding/libvirt.ts.
#pragma once

#include <napi.h>

#include "library.h"

namespace virbr::libvirt {

// Collects the functions, by name.
class Exports {
 public:
  explicit Exports(Napi::Env env) : functions_(Napi::Object::New(env)) {}

  using Function = Napi::Value (*)(const Napi::CallbackInfo&);
  void Add(const FunctionInfo& about, Function function) {
    const Napi::Env env = functions_.Env();
    functions_.Set(about.name, Napi::Function::New(env, function, about.name));
  }
  Napi::Object functions() const { return functions_; }

 private:
  Napi::Object functions_;
};

// One a topic.
void ExportCalls(Exports& exports);
void ExportConnection(Exports& exports);
void ExportLists(Exports& exports);
void ExportStructures(Exports& exports);
void ExportParameters(Exports& exports);
void ExportEvents(Exports& exports);

Napi::Object MakeLibvirt(Napi::Env env);

}  // namespace virbr::libvirt
