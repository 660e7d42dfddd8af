// What the addon exports; binding/index.ts declares it.
#include <napi.h>

#include "environment.h"
#include "host.h"

namespace {

Napi::Value Stats(const Napi::CallbackInfo& info) { return virbr::Environment::Of(info.Env()).Stats(info.Env()); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto environment = std::make_unique<virbr::Environment>(env);
  environment->host_constructor = Napi::Persistent(virbr::Host::Define(env));
  env.SetInstanceData(environment.release());
  exports.Set("openHost", Napi::Function::New<virbr::Host::Open>(env, "openHost"));
  exports.Set("stats", Napi::Function::New<Stats>(env, "stats"));
  return exports;
}

}  // namespace

NODE_API_MODULE(virbr, Init)
