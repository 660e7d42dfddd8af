#include "exports.h"

#include "call.h"
#include "events.h"

namespace virbr::libvirt {

namespace {

Napi::Value Ref(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).mailbox()->Ref();
  return info.Env().Undefined();
}

Napi::Value Unref(const Napi::CallbackInfo& info) {
  Environment::Of(info.Env()).mailbox()->Unref();
  return info.Env().Undefined();
}

Napi::Value Stats(const Napi::CallbackInfo& info) {
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("handles", Object::live.load());
  stats.Set("threads", Workers::live());
  stats.Set("calls", calls_under_way.load());
  stats.Set("listeners", Listener::live.load());
  return stats;
}

Napi::Array Table(Napi::Env env) {
  Napi::Array table = Napi::Array::New(env);
  const auto add = [&](const FunctionInfo& function) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", Napi::String::New(env, function.name));
    entry.Set("since", Napi::String::New(env, VersionText(function.since)));
    table.Set(table.Length(), entry);
  };
#define VIRBR_ADD(result, name, parameters, major, minor, release) add(about::name);
  VIRBR_FUNCTIONS(VIRBR_ADD)
#undef VIRBR_ADD
  return table;
}

}  // namespace

Napi::Object MakeLibvirt(Napi::Env env) {
  Exports exports(env);
  ExportCalls(exports);
  ExportConnection(exports);
  ExportLists(exports);
  ExportStructures(exports);
  ExportParameters(exports);
  ExportEvents(exports);
  Napi::Object libvirt = Napi::Object::New(env);
  libvirt.Set("functions", exports.functions());
  libvirt.Set("table", Table(env));
  libvirt.Set("ref", Napi::Function::New<Ref>(env, "ref"));
  libvirt.Set("unref", Napi::Function::New<Unref>(env, "unref"));
  libvirt.Set("stats", Napi::Function::New<Stats>(env, "stats"));
  return libvirt;
}

}  // namespace virbr::libvirt
