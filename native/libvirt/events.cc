#include "events.h"

#include "call.h"
#include "exports.h"

namespace virbr::libvirt {

std::atomic<int> Listener::live{0};

Listener::Listener(Napi::Env env, const Napi::Function& function)
    : mailbox_(Environment::Of(env).mailbox()), function_(Environment::Of(env).Keep(function)) {
  live++;
}

Listener::~Listener() {
  live--;
  mailbox_->Post([function = function_](Napi::Env env) { Environment::Of(env).Forget(function); });
}

template <class Make>
void Listener::Call(Make make) const {
  mailbox_->Post([function = function_, make = std::move(make)](Napi::Env env) {
    const Napi::Function listener = Environment::Of(env).Kept(function);
    if (!listener.IsEmpty()) listener.Call({make(env)});
  });
}

namespace {

struct FunctionArgument {
  explicit FunctionArgument(const Position& at) : listener(nullptr) {
    if (!at.value().IsFunction()) at.Refuse("a function");
    listener = std::make_shared<std::unique_ptr<Listener>>(
        std::make_unique<Listener>(at.info.Env(), at.value().As<Napi::Function>()));
  }
  // libvirt's from now on, or deleted with this.
  Listener* Get() const { return listener->get(); }
  void Release() const { listener->release(); }
  std::shared_ptr<std::unique_ptr<Listener>> listener;
};

const Listener& At(void* opaque) { return *static_cast<Listener*>(opaque); }

struct Subject {
  std::string name;
  std::string uuid;
};

// In libvirt's event loop: copies what is known without asking the daemon.
Subject SubjectOf(virNetworkPtr network) {
  const Library& library = Library::Get();
  char uuid[37] = "";
  library.virNetworkGetUUIDString(network, uuid);
  return {library.virNetworkGetName(network), uuid};
}

Napi::Object ToJs(Napi::Env env, const Subject& subject) {
  Napi::Object event = Napi::Object::New(env);
  event.Set("name", Napi::String::New(env, subject.name));
  event.Set("uuid", Napi::String::New(env, subject.uuid));
  return event;
}

void OnNetworkLifecycle(virConnectPtr, virNetworkPtr network, int event, int detail, void* opaque) {
  At(opaque).Call([subject = SubjectOf(network), event, detail](Napi::Env env) {
    Napi::Object payload = ToJs(env, subject);
    payload.Set("event", event);
    payload.Set("detail", detail);
    return payload;
  });
}

void OnNetworkMetadata(virConnectPtr, virNetworkPtr network, int type, const char* nsuri, void* opaque) {
  At(opaque).Call([subject = SubjectOf(network), type, known = nsuri != nullptr,
                   uri = std::string(nsuri == nullptr ? "" : nsuri)](Napi::Env env) {
    Napi::Object payload = ToJs(env, subject);
    payload.Set("type", type);
    payload.Set("nsuri", known ? Napi::Value(Napi::String::New(env, uri)) : env.Undefined());
    return payload;
  });
}

struct DomainSubject : Subject {
  unsigned int id;
};

DomainSubject SubjectOf(virDomainPtr domain) {
  const Library& library = Library::Get();
  char uuid[37] = "";
  library.virDomainGetUUIDString(domain, uuid);
  return {{library.virDomainGetName(domain), uuid}, library.virDomainGetID(domain)};
}

Napi::Object ToJs(Napi::Env env, const DomainSubject& subject) {
  Napi::Object event = ToJs(env, static_cast<const Subject&>(subject));
  event.Set("id", subject.id);
  return event;
}

// LIFECYCLE and AGENT_LIFECYCLE: two numbers.
void OnDomainNumbers(virConnectPtr, virDomainPtr domain, int event, int detail, void* opaque) {
  At(opaque).Call([subject = SubjectOf(domain), event, detail](Napi::Env env) {
    Napi::Object payload = ToJs(env, subject);
    payload.Set("event", event);
    payload.Set("detail", detail);
    return payload;
  });
}

// DEVICE_ADDED, DEVICE_REMOVED, DEVICE_REMOVAL_FAILED: the device's alias.
void OnDomainDevice(virConnectPtr, virDomainPtr domain, const char* alias, void* opaque) {
  At(opaque).Call([subject = SubjectOf(domain), device = std::string(alias)](Napi::Env env) {
    Napi::Object payload = ToJs(env, subject);
    payload.Set("devAlias", Napi::String::New(env, device));
    return payload;
  });
}

// NIC_MAC_CHANGE
void OnDomainMac(virConnectPtr, virDomainPtr domain, const char* alias, const char* before, const char* now,
                 void* opaque) {
  At(opaque).Call([subject = SubjectOf(domain), device = std::string(alias), old_mac = std::string(before),
                   new_mac = std::string(now)](Napi::Env env) {
    Napi::Object payload = ToJs(env, subject);
    payload.Set("devAlias", Napi::String::New(env, device));
    payload.Set("oldMac", Napi::String::New(env, old_mac));
    payload.Set("newMac", Napi::String::New(env, new_mac));
    return payload;
  });
}

// Which callback an event calls. libvirt takes them all under one generic type.
struct EventCallback {
  int event;
  void (*callback)();
};

template <class F>
constexpr EventCallback On(int event, F callback) {
  return {event, reinterpret_cast<void (*)()>(callback)};
}

const EventCallback kNetworkEvents[] = {On(0, OnNetworkLifecycle), On(1, OnNetworkMetadata)};
const EventCallback kDomainEvents[] = {On(0, OnDomainNumbers), On(15, OnDomainDevice), On(18, OnDomainNumbers),
                                       On(19, OnDomainDevice), On(22, OnDomainDevice), On(27, OnDomainMac)};

template <size_t n>
void (*CallbackOf(const EventCallback (&events)[n], int event))() {
  for (const EventCallback& each : events) {
    if (each.event == event) return each.callback;
  }
  return nullptr;
}

struct NetworkEventArgument : Argument<int> {
  explicit NetworkEventArgument(const Position& at) : Argument(at), callback(CallbackOf(kNetworkEvents, value)) {
    if (callback == nullptr) at.Refuse("an event: 0 or 1");
  }
  void (*callback)();
};

struct DomainEventArgument : Argument<int> {
  explicit DomainEventArgument(const Position& at) : Argument(at), callback(CallbackOf(kDomainEvents, value)) {
    if (callback == nullptr) at.Refuse("an event: 0, 15, 18, 19, 22 or 27");
  }
  void (*callback)();
};

// `deregister` has to be at hand before anything is registered.
template <class Deregister>
int Registered(const Library& library, Link& link, int id, const FunctionArgument& function, const char* topic,
               Deregister deregister) {
  if (id < 0) throw library.LastError();
  function.Release();
  link.AddUndo(topic + std::to_string(id),
               [deregister, connection = link.connection(), id] { deregister(connection, id); });
  return id;
}

Napi::Value RegisterNetworkEvent(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, Optional<virNetworkPtr>, NetworkEventArgument, FunctionArgument>(
      info, about::virConnectNetworkEventRegisterAny,
      [](const Library& library, auto& connection, auto& network, auto& event, auto& function) {
        const auto listen = VIRBR_NEED(library, virConnectNetworkEventRegisterAny);
        const auto deregister = VIRBR_NEED(library, virConnectNetworkEventDeregisterAny);
        const auto callback = reinterpret_cast<virConnectNetworkEventGenericCallback>(event.callback);
        const int id = listen(connection.Get(), network.Get(), event.Get(), callback, function.Get(), Listener::Free);
        return Registered(library, *connection.object->link, id, function, "network ", deregister);
      });
}

Napi::Value RegisterDomainEvent(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, Optional<virDomainPtr>, DomainEventArgument, FunctionArgument>(
      info, about::virConnectDomainEventRegisterAny,
      [](const Library& library, auto& connection, auto& domain, auto& event, auto& function) {
        const auto listen = VIRBR_NEED(library, virConnectDomainEventRegisterAny);
        const auto deregister = VIRBR_NEED(library, virConnectDomainEventDeregisterAny);
        const auto callback = reinterpret_cast<virConnectDomainEventGenericCallback>(event.callback);
        const int id = listen(connection.Get(), domain.Get(), event.Get(), callback, function.Get(), Listener::Free);
        return Registered(library, *connection.object->link, id, function, "domain ", deregister);
      });
}

Napi::Value DeregisterNetworkEvent(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, Argument<int>>(
      info, about::virConnectNetworkEventDeregisterAny, [](const Library& library, auto& connection, auto& id) {
        const std::shared_ptr<Link>& link = connection.object->link;
        link->RemoveUndo("network " + std::to_string(id.Get()));
        const auto deregister = VIRBR_NEED(library, virConnectNetworkEventDeregisterAny);
        return Take(library, deregister(connection.Get(), id.Get()), link);
      });
}

Napi::Value DeregisterDomainEvent(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, Argument<int>>(
      info, about::virConnectDomainEventDeregisterAny, [](const Library& library, auto& connection, auto& id) {
        const std::shared_ptr<Link>& link = connection.object->link;
        link->RemoveUndo("domain " + std::to_string(id.Get()));
        const auto deregister = VIRBR_NEED(library, virConnectDomainEventDeregisterAny);
        return Take(library, deregister(connection.Get(), id.Get()), link);
      });
}

void OnClose(virConnectPtr, int reason, void* opaque) {
  At(opaque).Call([reason](Napi::Env env) { return Napi::Number::New(env, reason); });
}

// The connection's own, not libvirt's: drivers without such a callback take it and never free it.
Napi::Value RegisterCloseCallback(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, FunctionArgument>(
      info, about::virConnectRegisterCloseCallback, [](const Library& library, auto& connection, auto& function) {
        const auto unregister = VIRBR_NEED(library, virConnectUnregisterCloseCallback);
        const int result =
            VIRBR_NEED(library, virConnectRegisterCloseCallback)(connection.Get(), OnClose, function.Get(), nullptr);
        if (result < 0) throw library.LastError();
        connection.object->link->AddUndo("close", [unregister, pointer = connection.Get(), kept = function.listener] {
          unregister(pointer, OnClose);
        });
        return result;
      });
}

Napi::Value UnregisterCloseCallback(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>>(
      info, about::virConnectUnregisterCloseCallback, [](const Library& library, auto& connection) {
        const auto unregister = VIRBR_NEED(library, virConnectUnregisterCloseCallback);
        // Holds the listener until libvirt has let go of it.
        const auto kept = connection.object->link->RemoveUndo("close");
        return Take(library, unregister(connection.Get(), OnClose), connection.object->link);
      });
}

}  // namespace

void ExportEvents(Exports& exports) {
  exports.Add(about::virConnectNetworkEventRegisterAny, RegisterNetworkEvent);
  exports.Add(about::virConnectNetworkEventDeregisterAny, DeregisterNetworkEvent);
  exports.Add(about::virConnectDomainEventRegisterAny, RegisterDomainEvent);
  exports.Add(about::virConnectDomainEventDeregisterAny, DeregisterDomainEvent);
  exports.Add(about::virConnectRegisterCloseCallback, RegisterCloseCallback);
  exports.Add(about::virConnectUnregisterCloseCallback, UnregisterCloseCallback);
}

}  // namespace virbr::libvirt
