#include "watch.h"

#include <system_error>
#include <utility>

#include "bytes.h"
#include "environment.h"

namespace virbr {

namespace {

// A property of the object, not a reference of the addon's: JavaScript's collector sees then that a watch and its listener
// hold only each other.
constexpr char kListener[] = "listener";

}  // namespace

Napi::Function Watch::Define(Napi::Env env) {
  return DefineClass(env, "NativeWatch",
                     {
                         InstanceMethod<&Watch::Start>("start"),
                         InstanceMethod<&Watch::Want>("want"),
                         InstanceMethod<&Watch::Sync>("sync"),
                         InstanceMethod<&Watch::Ref>("ref"),
                         InstanceMethod<&Watch::Unref>("unref"),
                         InstanceMethod<&Watch::Close>("close"),
                     });
}

Napi::Object Watch::New(Napi::Env env, EventSocket socket) {
  Environment& environment = Environment::Of(env);
  const Napi::Object object = environment.watch_constructor.New({});
  Watch* const watch = Unwrap(object);
  const uint64_t id = environment.NextId();
  try {
    environment.watcher().Add(id, std::move(socket));
  } catch (const std::system_error& error) {
    throw Napi::Error::New(env, std::string("cannot start a thread: ") + error.what());
  }
  watch->id_ = id;
  watch->open_ = true;
  environment.watches.emplace(id, watch);
  return object;
}

Watch::~Watch() {
  // The environment may be gone, and its watches with it.
  if (open_) End(Env());
}

void Watch::End(Napi::Env env) {
  open_ = false;
  Environment* const environment = env.GetInstanceData<Environment>();
  if (environment == nullptr) return;
  environment->watches.erase(id_);
  environment->watcher().Remove(id_);
}

void Watch::Deliver(Napi::Env env, uint64_t id) {
  Environment& environment = Environment::Of(env);
  const auto found = environment.watches.find(id);
  if (found == environment.watches.end()) return;
  const Napi::Object object = found->second->Value();
  // Collected already, and to be destroyed soon.
  if (object.IsEmpty()) return;
  Events events = environment.watcher().Take(id);
  const Napi::Value listener = object.Get(kListener);
  if (!listener.IsFunction()) return;
  listener.As<Napi::Function>().Call(
      {BytesToJs(env, events.messages), Napi::Boolean::New(env, events.lost), Napi::Boolean::New(env, events.synced)});
}

void Watch::Start(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "listener must be a function");
  Value().DefineProperty(Napi::PropertyDescriptor::Value(kListener, info[0], napi_configurable));
  if (open_) Environment::Of(info.Env()).watcher().Want(id_);
}

void Watch::Want(const Napi::CallbackInfo& info) {
  if (open_) Environment::Of(info.Env()).watcher().Want(id_);
}

void Watch::Sync(const Napi::CallbackInfo& info) {
  if (open_) Environment::Of(info.Env()).watcher().Sync(id_);
}

void Watch::Ref(const Napi::CallbackInfo& info) { Hold(info.Env(), open_); }

void Watch::Unref(const Napi::CallbackInfo& info) { Hold(info.Env(), false); }

// While it is held neither the process ends nor is it collected, with all that its listener holds: whoever waits for an
// event may be held by nothing else.
void Watch::Hold(Napi::Env env, bool held) {
  if (held == held_) return;
  held_ = held;
  Mailbox& mailbox = *Environment::Of(env).mailbox();
  if (held) {
    Napi::ObjectWrap<Watch>::Ref();
    mailbox.Ref();
  } else {
    Napi::ObjectWrap<Watch>::Unref();
    mailbox.Unref();
  }
}

void Watch::Close(const Napi::CallbackInfo& info) {
  if (!open_) return;
  Hold(info.Env(), false);
  End(info.Env());
}

}  // namespace virbr
