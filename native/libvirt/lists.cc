// Functions that give many objects at once, and those whose result is in an out parameter.
#include "call.h"
#include "exports.h"

namespace virbr::libvirt {

namespace {

// int f(parent, T** list, flags): an array of references, which is the caller's to free.
template <auto member, const FunctionInfo& function>
struct List;

template <class Parent, class P, int (*Library::*member)(Parent, P**, unsigned int), const FunctionInfo& function>
struct List<member, function> {
  static Napi::Value Js(const Napi::CallbackInfo& info) {
    return Call<Argument<Parent>, Argument<unsigned int>>(
        info, function, [](const Library& library, auto& parent, auto& flags) {
          P* items = nullptr;
          const int count = library.Need(library.*member, function)(parent.Get(), &items, flags.Get());
          if (count < 0) throw library.LastError();
          std::vector<std::shared_ptr<Object>> objects;
          objects.reserve(static_cast<size_t>(count));
          for (int i = 0; i < count; i++) objects.push_back(Object::Adopt(items[i], parent.object->link));
          free(items);
          return objects;
        });
  }
};

// int f(object, T* out)
template <auto member, const FunctionInfo& function>
struct Out;

template <class P, class T, int (*Library::*member)(P, T*), const FunctionInfo& function>
struct Out<member, function> {
  static Napi::Value Js(const Napi::CallbackInfo& info) {
    return Call<Argument<P>>(info, function, [](const Library& library, auto& object) {
      T value{};
      if (library.Need(library.*member, function)(object.Get(), &value) < 0) throw library.LastError();
      return value;
    });
  }
};

// int f(object, char* buffer), with a UUID's 37 bytes
template <auto member, const FunctionInfo& function>
struct UuidString;

template <class P, int (*Library::*member)(P, char*), const FunctionInfo& function>
struct UuidString<member, function> {
  static Napi::Value Js(const Napi::CallbackInfo& info) {
    return Call<Argument<P>>(info, function, [](const Library& library, auto& object) {
      char text[37] = "";
      if (library.Need(library.*member, function)(object.Get(), text) < 0) throw library.LastError();
      return std::string(text);
    });
  }
};

}  // namespace

#define VIRBR_LIST(name) exports.Add(about::name, List<&Library::name, about::name>::Js)
#define VIRBR_OUT(name) exports.Add(about::name, Out<&Library::name, about::name>::Js)
#define VIRBR_UUID(name) exports.Add(about::name, UuidString<&Library::name, about::name>::Js)

void ExportLists(Exports& exports) {
  VIRBR_LIST(virConnectListAllNetworks);
  VIRBR_LIST(virNetworkListAllPorts);
  VIRBR_LIST(virConnectListAllDomains);
  VIRBR_LIST(virConnectListAllInterfaces);
  VIRBR_LIST(virConnectListAllNWFilters);
  VIRBR_LIST(virConnectListAllNWFilterBindings);
  VIRBR_OUT(virConnectGetVersion);
  VIRBR_OUT(virConnectGetLibVersion);
  VIRBR_OUT(virNetworkGetAutostart);
  VIRBR_OUT(virDomainGetAutostart);
  VIRBR_UUID(virNetworkGetUUIDString);
  VIRBR_UUID(virNetworkPortGetUUIDString);
  VIRBR_UUID(virDomainGetUUIDString);
  VIRBR_UUID(virNWFilterGetUUIDString);
}

}  // namespace virbr::libvirt
