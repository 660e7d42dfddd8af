#include "step_parser.h"

#include <linux/if.h>

#include <map>
#include <string>
#include <utility>

#include "bytes.h"
#include "environment.h"
#include "watch.h"

namespace virbr {

namespace {

[[noreturn]] void Refuse(const Napi::Object& object, const char* field, const char* accepted) {
  throw Napi::TypeError::New(object.Env(), std::string("step.") + field + " must be " + accepted);
}

std::string String(const Napi::Object& object, const char* field) {
  const Napi::Value value = object.Get(field);
  if (!value.IsString()) Refuse(object, field, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) Refuse(object, field, "a string without NUL");
  return text;
}

int Integer(const Napi::Object& object, const char* field, int min, int max) {
  const Napi::Value value = object.Get(field);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1e300;
  if (!(number >= min && number <= max) || number != static_cast<int>(number))
    Refuse(object, field, "an integer in range");
  return static_cast<int>(number);
}

int OptionalInteger(const Napi::Object& object, const char* field, int min, int max, int otherwise) {
  return object.Get(field).IsUndefined() ? otherwise : Integer(object, field, min, max);
}

std::optional<uint32_t> OptionalId(const Napi::Object& object, const char* field) {
  const Napi::Value value = object.Get(field);
  if (value.IsUndefined()) return std::nullopt;
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number < 4294967295.0) || number != static_cast<uint32_t>(number))
    Refuse(object, field, "a numeric id");
  return static_cast<uint32_t>(number);
}

bool Flag(const Napi::Object& object, const char* field) {
  const Napi::Value value = object.Get(field);
  if (value.IsUndefined()) return false;
  if (!value.IsBoolean()) Refuse(object, field, "true or false");
  return value.As<Napi::Boolean>().Value();
}

Bytes Data(const Napi::Object& object, const char* field) {
  const Napi::Value value = object.Get(field);
  if (value.IsString()) {
    const std::string text = value.As<Napi::String>().Utf8Value();
    return Bytes(text.begin(), text.end());
  }
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Refuse(object, field, "a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  return Bytes(array.Data(), array.Data() + array.ByteLength());
}

// Batches of nf_tables are megabytes.
Bytes Messages(const Napi::Object& object) {
  const Napi::Value value = object.Get("messages");
  constexpr size_t kLarge = 64 << 10;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
    const auto array = value.As<Napi::Uint8Array>();
    if (array.ByteLength() >= kLarge) {
      Bytes bytes = Environment::Of(object.Env()).TakeSpare();
      bytes.assign(array.Data(), array.Data() + array.ByteLength());
      return bytes;
    }
  }
  return Data(object, "messages");
}

Napi::Array Array(const Napi::Object& object, const char* field) {
  const Napi::Value value = object.Get(field);
  if (!value.IsArray()) Refuse(object, field, "an array");
  return value.As<Napi::Array>();
}

std::vector<std::string> Strings(const Napi::Object& object, const char* field) {
  const Napi::Array array = Array(object, field);
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array.Get(i);
    if (!value.IsString()) Refuse(object, field, "an array of strings");
    strings.push_back(value.As<Napi::String>().Utf8Value());
    if (strings.back().find('\0') != std::string::npos) Refuse(object, field, "an array of strings without NUL");
  }
  return strings;
}

int Hold(const Napi::Object& object) {
  if (object.Get("hold").IsUndefined()) return 0;
  const std::string hold = String(object, "hold");
  if (hold != "take" && hold != "give") Refuse(object, "hold", "take or give");
  return hold == "take" ? 1 : -1;
}

constexpr int kMaxInt = 0x7fffffff;
constexpr int kMaxQueues = 256;  // MAX_TAP_QUEUES, drivers/net/tap.c

StepBody ParseTap(const Napi::Object& object) {
  TapOptions options;
  options.name = String(object, "name");
  // An empty name lets the kernel choose one, and % in it too; a longer one would be cut.
  if (options.name.empty() || options.name.size() >= IFNAMSIZ || options.name.find('%') != std::string::npos) {
    Refuse(object, "name", "an interface name");
  }
  const std::string mode = object.Get("mode").IsUndefined() ? "tap" : String(object, "mode");
  if (mode != "tap" && mode != "tun") Refuse(object, "mode", "tap or tun");
  options.tun = mode == "tun";
  options.persist = Flag(object, "persist");
  options.owner = OptionalId(object, "owner");
  options.group = OptionalId(object, "group");
  options.vnet_header = Flag(object, "vnetHeader");
  options.queues = static_cast<uint32_t>(OptionalInteger(object, "queues", 1, kMaxQueues, 1));
  options.multi_queue = Flag(object, "multiQueue");
  options.exclusive = Flag(object, "exclusive");
  return TapStep{options};
}

StepBody ParseLinkIndices(const Napi::Object& object) {
  LinkIndicesStep step{Strings(object, "names")};
  for (const std::string& name : step.names) {
    if (name.empty() || name.size() >= IFNAMSIZ) Refuse(object, "names", "an array of interface names");
  }
  return step;
}

StepBody ParseCloseFds(const Napi::Object& object) {
  const Napi::Array array = Array(object, "fds");
  CloseFdsStep step;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array.Get(i);
    const double fd = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (!(fd >= 0 && fd <= kMaxInt) || fd != static_cast<int>(fd))
      Refuse(object, "fds", "an array of file descriptors");
    step.fds.push_back(static_cast<int>(fd));
  }
  return step;
}

constexpr int kMostGroups = 1024;
constexpr int kReceiveBuffer = 8 << 20;

StepBody ParseWatch(const Napi::Object& object) {
  const Napi::Array array = Array(object, "groups");
  WatchStep step;
  step.protocol = Integer(object, "protocol", 0, 31);
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array.Get(i);
    const double group = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
    if (!(group >= 1 && group <= kMostGroups) || group != static_cast<uint32_t>(group))
      Refuse(object, "groups", "an array of multicast groups");
    step.groups.push_back(static_cast<uint32_t>(group));
  }
  step.receive_buffer = OptionalInteger(object, "receiveBuffer", 1, kMaxInt, kReceiveBuffer);
  return step;
}

using Parse = StepBody (*)(const Napi::Object&);

const std::map<std::string, Parse>& Parsers() {
  static const std::map<std::string, Parse> parsers = {
      {"netlink",
       [](const Napi::Object& o) -> StepBody {
         return NetlinkStep{Integer(o, "protocol", 0, 31), Messages(o), Flag(o, "atomic"), Flag(o, "partial"), Hold(o)};
       }},
      {"readFile", [](const Napi::Object& o) -> StepBody { return ReadFileStep{String(o, "path")}; }},
      {"readDir", [](const Napi::Object& o) -> StepBody { return ReadDirStep{String(o, "path")}; }},
      {"writeFile",
       [](const Napi::Object& o) -> StepBody {
         return WriteFileStep{String(o, "path"), Data(o, "data"), OptionalInteger(o, "mode", 0, 07777, -1),
                              Flag(o, "sync")};
       }},
      {"rename",
       [](const Napi::Object& o) -> StepBody {
         return RenameStep{String(o, "from"), String(o, "to"), Flag(o, "sync")};
       }},
      {"unlink", [](const Napi::Object& o) -> StepBody { return UnlinkStep{String(o, "path")}; }},
      {"lock",
       [](const Napi::Object& o) -> StepBody {
         return LockStep{String(o, "path"), Integer(o, "timeoutMs", 0, kMaxInt)};
       }},
      {"unlock", [](const Napi::Object& o) -> StepBody { return UnlockStep{String(o, "path")}; }},
      {"tap", ParseTap},
      {"linkIndices", ParseLinkIndices},
      {"closeFds", ParseCloseFds},
      {"spawn",
       [](const Napi::Object& o) -> StepBody {
         return SpawnStep{String(o, "file"), Strings(o, "argv"), Strings(o, "env"),
                          Integer(o, "timeoutMs", 0, kMaxInt)};
       }},
      {"terminate",
       [](const Napi::Object& o) -> StepBody {
         return TerminateStep{Integer(o, "pid", 2, kMaxInt), String(o, "match"), Integer(o, "timeoutMs", 0, kMaxInt)};
       }},
      {"bindNetns", [](const Napi::Object& o) -> StepBody { return BindNetnsStep{String(o, "path")}; }},
      {"watch", ParseWatch},
      {"unbindNetns", [](const Napi::Object& o) -> StepBody { return UnbindNetnsStep{String(o, "path")}; }},
  };
  return parsers;
}

}  // namespace

std::vector<Step> ParseSteps(const Napi::Value& value) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "steps must be an array");
  const auto array = value.As<Napi::Array>();
  std::vector<Step> steps;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value item = array.Get(i);
    if (!item.IsObject()) throw Napi::TypeError::New(value.Env(), "a step must be an object");
    const auto object = item.As<Napi::Object>();
    const auto parser = Parsers().find(String(object, "op"));
    if (parser == Parsers().end()) Refuse(object, "op", "one that binding/index.ts declares");
    steps.push_back(Step{parser->second(object), Flag(object, "mayFail")});
  }
  return steps;
}

Napi::Object FailureToJs(Napi::Env env, const Failure& failure) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("errno", failure.error);
  object.Set("call", failure.call);
  return object;
}

Napi::Value StepResultToJs(Napi::Env env, StepResult& result) {
  if (auto* bytes = std::get_if<Bytes>(&result)) return BytesToJs(env, *bytes);
  if (auto* names = std::get_if<std::vector<std::string>>(&result)) {
    Napi::Array array = Napi::Array::New(env, names->size());
    for (uint32_t i = 0; i < names->size(); i++) array.Set(i, (*names)[i]);
    return array;
  }
  if (auto* fds = std::get_if<std::vector<Fd>>(&result)) {
    Napi::Array array = Napi::Array::New(env, fds->size());
    for (uint32_t i = 0; i < fds->size(); i++) array.Set(i, (*fds)[i].get());
    for (Fd& fd : *fds) fd.Release();
    return array;
  }
  if (auto* spawned = std::get_if<SpawnResult>(&result)) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("status", spawned->status);
    object.Set("output", BytesToJs(env, spawned->output));
    return object;
  }
  if (auto* socket = std::get_if<EventSocket>(&result)) return Watch::New(env, std::move(*socket));
  if (auto* outcome = std::get_if<const char*>(&result)) return Napi::String::New(env, *outcome);
  if (auto* failure = std::get_if<Failure>(&result)) return FailureToJs(env, *failure);
  return env.Null();
}

}  // namespace virbr
