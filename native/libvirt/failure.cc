#include "failure.h"

namespace virbr::libvirt {

namespace {

void SetText(Napi::Object object, const char* name, const std::optional<std::string>& text) {
  const Napi::Env env = object.Env();
  object.Set(name, text ? Napi::Value(Napi::String::New(env, *text)) : env.Undefined());
}

Napi::Error Make(Napi::Env env, const char* failure, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("failure", Napi::String::New(env, failure));
  return error;
}

Napi::Error Describe(Napi::Env env, const LibvirtError& why) {
  Napi::Error error = Make(env, "libvirt", why.message);
  Napi::Object fields = Napi::Object::New(env);
  fields.Set("code", why.code);
  fields.Set("domain", why.domain);
  fields.Set("message", why.message);
  fields.Set("level", why.level);
  SetText(fields, "str1", why.str1);
  SetText(fields, "str2", why.str2);
  SetText(fields, "str3", why.str3);
  fields.Set("int1", why.int1);
  fields.Set("int2", why.int2);
  error.Set("libvirt", fields);
  return error;
}

Napi::Error Describe(Napi::Env env, const MissingLibrary& why) { return Make(env, "library", why.message); }

Napi::Error Describe(Napi::Env env, const MissingFunction& why) {
  const std::string since = VersionText(why.since);
  const std::string installed = VersionText(why.installed);
  Napi::Error error =
      Make(env, "function", std::string(why.name) + " needs libvirt " + since + "; " + installed + " is installed");
  error.Set("name", Napi::String::New(env, why.name));
  error.Set("since", Napi::String::New(env, since));
  error.Set("installed", Napi::String::New(env, installed));
  return error;
}

}  // namespace

std::string VersionText(unsigned long version) {
  return std::to_string(version / 1'000'000) + '.' + std::to_string(version / 1'000 % 1'000) + '.' +
         std::to_string(version % 1'000);
}

Napi::Error ToJs(Napi::Env env, const CallFailed& failed) {
  return std::visit([env](const auto& why) { return Describe(env, why); }, failed.why);
}

Napi::Error ClosedError(Napi::Env env, const char* kind) {
  Napi::Error error = Make(env, "closed", std::string("this ") + kind + " is closed");
  error.Set("kind", Napi::String::New(env, kind));
  return error;
}

Napi::Error ArgumentError(Napi::Env env, const char* function, size_t index, const char* accepted) {
  Napi::Error error =
      Make(env, "argument", std::string(function) + ": argument " + std::to_string(index) + " must be " + accepted);
  error.Set("name", Napi::String::New(env, function));
  error.Set("index", static_cast<double>(index));
  error.Set("accepted", Napi::String::New(env, accepted));
  return error;
}

}  // namespace virbr::libvirt
