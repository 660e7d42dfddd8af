// What the addon exports; binding/index.ts declares it.
#include <napi.h>

#include "environment.h"
#include "host.h"
#include "libvirt/exports.h"
#include "libvirt/handle.h"
#include "watch.h"

namespace {

Napi::Value Stats(const Napi::CallbackInfo& info) { return virbr::Environment::Of(info.Env()).Stats(info.Env()); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  // The environment's from the start: in a worker that is being terminated, everything below may throw.
  auto* environment = new virbr::Environment(env);
  env.SetInstanceData(environment);
  environment->host_constructor = Napi::Persistent(virbr::Host::Define(env));
  environment->handle_constructor = Napi::Persistent(virbr::libvirt::Handle::Define(env));
  environment->watch_constructor = Napi::Persistent(virbr::Watch::Define(env));
  exports.Set("libvirt", virbr::libvirt::MakeLibvirt(env));
  exports.Set("openHost", Napi::Function::New<virbr::Host::Open>(env, "openHost"));
  exports.Set("stats", Napi::Function::New<Stats>(env, "stats"));
  return exports;
}

}  // namespace

NODE_API_MODULE(virbr, Init)
