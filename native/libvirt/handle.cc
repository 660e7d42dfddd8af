#include "handle.h"

#include <utility>
#include <vector>

#include "../environment.h"

namespace virbr::libvirt {

namespace {

// Tells our objects from others, whatever their prototype says.
constexpr napi_type_tag kTag = {0x7669726272'000001, 0x68616e646c65'0001};

}  // namespace

Napi::Function Handle::Define(Napi::Env env) {
  return DefineClass(env, "LibvirtHandle",
                     {
                         InstanceMethod<&Handle::Close>("close"),
                         InstanceAccessor<&Handle::GetKind>("kind"),
                         InstanceAccessor<&Handle::IsClosed>("closed"),
                         InstanceAccessor<&Handle::GetName>("name"),
                         InstanceAccessor<&Handle::GetUuid>("uuid"),
                     });
}

Handle::Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Handle>(info) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

Handle::~Handle() { LetGo(); }

Napi::Value Handle::New(Napi::Env env, std::shared_ptr<Object> object) {
  const Napi::Object wrapped = Environment::Of(env).handle_constructor.New({});
  Unwrap(wrapped)->Hold(std::move(object));
  return wrapped;
}

Handle* Handle::Of(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kTag)) return nullptr;
  return Unwrap(value.As<Napi::Object>());
}

void Handle::Hold(std::shared_ptr<Object> object) {
  kind_ = object->kind;
  name_ = object->name;
  uuid_ = object->uuid;
  // A call that was under way when its connection was closed brings a handle that is closed already.
  if (object->link->closing) return;
  object->link->handles.insert(this);
  object_ = std::move(object);
}

std::shared_ptr<Object> Handle::LetGo() {
  if (object_) object_->link->handles.erase(this);
  return std::exchange(object_, nullptr);
}

Napi::Value Handle::Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!closing_.IsEmpty()) return closing_.Value();
  Environment& environment = Environment::Of(env);
  const Environment::Call call = environment.Begin(env);
  closing_ = Napi::Persistent(call.promise.As<Napi::Object>());
  std::shared_ptr<Object> object = LetGo();
  if (!object) {
    environment.Settle(call.id, [env] { return env.Undefined(); });
    return call.promise;
  }
  auto freed = [id = call.id, mailbox = environment.mailbox()] {
    mailbox->Post([id](Napi::Env e) { Environment::Of(e).Settle(id, [e] { return e.Undefined(); }); });
  };
  if (kind_ != Kind::kConnection) {
    object->on_freed = std::move(freed);
    return call.promise;
  }
  const std::shared_ptr<Link> link = object->link;
  link->closing = true;
  link->on_freed = std::move(freed);
  const std::vector<Handle*> handles(link->handles.begin(), link->handles.end());
  for (Handle* handle : handles) handle->LetGo();
  return call.promise;
}

Napi::Value Handle::GetKind(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), KindName(kind_)); }

Napi::Value Handle::IsClosed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), !object_); }

Napi::Value Handle::GetName(const Napi::CallbackInfo& info) {
  return name_.empty() ? info.Env().Undefined() : Napi::String::New(info.Env(), name_);
}

Napi::Value Handle::GetUuid(const Napi::CallbackInfo& info) {
  return uuid_.empty() ? info.Env().Undefined() : Napi::String::New(info.Env(), uuid_);
}

}  // namespace virbr::libvirt
