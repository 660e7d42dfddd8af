// A libvirt.so.0 of any version, as test/libvirt/versions.test.ts wants it: -DVERSION=12008000. It has the functions that
// its version had, as far as that test calls them, and one network. What is given to virNetworkSetMetadata is what
// virNetworkGetMetadata answers, argument by argument, and what an event tells.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../libvirt/abi.h"

namespace {

using MetadataCallback = void (*)(virConnectPtr, virNetworkPtr, int, const char*, void*);
using NicMacChangeCallback = void (*)(virConnectPtr, virDomainPtr, const char*, const char*, const char*, void*);

char text[] = "there is no such event";
char event_id[] = "eventID";
_virError error{};
char connection;
char network;
[[maybe_unused]] char metadata[512];
[[maybe_unused]] MetadataCallback on_metadata;
[[maybe_unused]] void* listener;

[[maybe_unused]] int NoSuchEvent() {
  error.code = 8;  // VIR_ERR_INVALID_ARG
  error.level = 2;
  error.message = text;
  error.str2 = event_id;
  return -1;
}

}  // namespace

extern "C" {

int virInitialize() { return 0; }
int virGetVersion(unsigned long* version, const char*, unsigned long*) {
  *version = VERSION;
  return 0;
}
virErrorPtr virGetLastError() { return &error; }
int virEventRegisterDefaultImpl() { return 0; }
int virEventRunDefaultImpl() { return usleep(1000); }
int virEventAddTimeout(int, virEventTimeoutCallback, void*, virFreeCallback) { return 1; }
void virEventUpdateTimeout(int, int) {}

virConnectPtr virConnectOpenAuth(const char*, virConnectAuthPtr, unsigned int) {
  return reinterpret_cast<virConnectPtr>(&connection);
}
int virConnectClose(virConnectPtr) { return 0; }
int virConnectIsAlive(virConnectPtr) { return 1; }
int virConnectRegisterCloseCallback(virConnectPtr, virConnectCloseFunc, void*, virFreeCallback) { return 0; }
int virConnectUnregisterCloseCallback(virConnectPtr, virConnectCloseFunc) { return 0; }

virNetworkPtr virNetworkLookupByName(virConnectPtr, const char*) { return reinterpret_cast<virNetworkPtr>(&network); }
const char* virNetworkGetName(virNetworkPtr) { return "stub"; }
int virNetworkGetUUIDString(virNetworkPtr, char* uuid) {
  strcpy(uuid, "11111111-1111-4111-8111-111111111111");
  return 0;
}
int virNetworkFree(virNetworkPtr) { return 0; }

#if VERSION >= 1002001
int virConnectNetworkEventRegisterAny(virConnectPtr, virNetworkPtr, int event,
                                      [[maybe_unused]] virConnectNetworkEventGenericCallback callback,
                                      [[maybe_unused]] void* opaque, virFreeCallback) {
  if (event == 0) return 0;
#if VERSION >= 9008000
  if (event == 1) {
    on_metadata = reinterpret_cast<MetadataCallback>(callback);
    listener = opaque;
    return 1;
  }
#endif
  return NoSuchEvent();
}
int virConnectNetworkEventDeregisterAny(virConnectPtr, int) { return 0; }

int virConnectDomainEventRegisterAny(virConnectPtr from, virDomainPtr, int event,
                                     [[maybe_unused]] virConnectDomainEventGenericCallback callback,
                                     [[maybe_unused]] void* opaque, virFreeCallback) {
#if VERSION >= 11002000
  if (event == 27) {
    reinterpret_cast<NicMacChangeCallback>(callback)(from, nullptr, "net0", "52:54:00:00:00:01", "52:54:00:00:00:02",
                                                     opaque);
    return 27;
  }
#endif
  (void)from;
  return event == 27 ? NoSuchEvent() : event;
}
int virConnectDomainEventDeregisterAny(virConnectPtr, int) { return 0; }
const char* virDomainGetName(virDomainPtr) { return "guest"; }
int virDomainGetUUIDString(virDomainPtr, char* uuid) {
  strcpy(uuid, "22222222-2222-4222-8222-222222222222");
  return 0;
}
unsigned int virDomainGetID(virDomainPtr) { return 7; }
#endif

#if VERSION >= 5005000
int virNetworkListAllPorts(virNetworkPtr, virNetworkPortPtr**, unsigned int) { return 0; }
#endif

#if VERSION >= 9007000
int virNetworkSetMetadata(virNetworkPtr of, int type, const char* value, const char* key, const char* uri,
                          unsigned int flags) {
  snprintf(metadata, sizeof metadata, "%d %s %s %s %u", type, value, key, uri, flags);
  if (on_metadata != nullptr) on_metadata(nullptr, of, type, uri, listener);
  return 0;
}
char* virNetworkGetMetadata(virNetworkPtr, int type, const char* uri, unsigned int flags) {
  char answer[600];
  snprintf(answer, sizeof answer, "%s, %d %s %u", metadata, type, uri, flags);
  return strdup(answer);
}
#endif
}
