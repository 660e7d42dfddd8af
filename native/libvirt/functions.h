// Every function of libvirt that is called here: result, name, parameters, and the version that brought it. The table in
// library.h, the calls in calls.cc and the error of a library that is too old all come from these lists. Adding a simple
// function is adding a line here and one in binding/libvirt.ts.
#pragma once

#include "abi.h"

// Simple: arguments and result are handles, strings and integers; a negative integer or a null pointer is a failure, and
// a char* is the caller's to free. They are offered to JavaScript as they are.
#define VIRBR_SIMPLE_FUNCTIONS(F)                                                                                  \
  /* Connection */                                                                                                 \
  F(int, virConnectSetKeepAlive, (virConnectPtr, int, unsigned int), 0, 9, 8)                                      \
  F(int, virConnectIsAlive, (virConnectPtr), 0, 9, 8)                                                              \
  F(int, virConnectIsEncrypted, (virConnectPtr), 0, 7, 3)                                                          \
  F(int, virConnectIsSecure, (virConnectPtr), 0, 7, 3)                                                             \
  F(char*, virConnectGetURI, (virConnectPtr), 0, 3, 0)                                                             \
  F(char*, virConnectGetHostname, (virConnectPtr), 0, 3, 0)                                                        \
  F(const char*, virConnectGetType, (virConnectPtr), 0, 0, 3)                                                      \
  F(char*, virConnectGetCapabilities, (virConnectPtr), 0, 2, 1)                                                    \
  F(char*, virConnectGetSysinfo, (virConnectPtr, unsigned int), 0, 8, 8)                                           \
  /* Networks */                                                                                                   \
  F(virNetworkPtr, virNetworkLookupByName, (virConnectPtr, const char*), 0, 2, 0)                                  \
  F(virNetworkPtr, virNetworkLookupByUUIDString, (virConnectPtr, const char*), 0, 2, 0)                            \
  F(virNetworkPtr, virNetworkDefineXML, (virConnectPtr, const char*), 0, 2, 0)                                     \
  F(virNetworkPtr, virNetworkDefineXMLFlags, (virConnectPtr, const char*, unsigned int), 7, 7, 0)                  \
  F(virNetworkPtr, virNetworkCreateXML, (virConnectPtr, const char*), 0, 2, 0)                                     \
  F(virNetworkPtr, virNetworkCreateXMLFlags, (virConnectPtr, const char*, unsigned int), 7, 8, 0)                  \
  F(int, virNetworkCreate, (virNetworkPtr), 0, 2, 0)                                                               \
  F(int, virNetworkDestroy, (virNetworkPtr), 0, 2, 0)                                                              \
  F(int, virNetworkUndefine, (virNetworkPtr), 0, 2, 0)                                                             \
  F(int, virNetworkUpdate, (virNetworkPtr, unsigned int, unsigned int, int, const char*, unsigned int), 0, 10, 2)  \
  F(int, virNetworkIsActive, (virNetworkPtr), 0, 7, 3)                                                             \
  F(int, virNetworkIsPersistent, (virNetworkPtr), 0, 7, 3)                                                         \
  F(int, virNetworkSetAutostart, (virNetworkPtr, int), 0, 2, 1)                                                    \
  F(char*, virNetworkGetBridgeName, (virNetworkPtr), 0, 2, 0)                                                      \
  F(const char*, virNetworkGetName, (virNetworkPtr), 0, 2, 0)                                                      \
  F(char*, virNetworkGetXMLDesc, (virNetworkPtr, unsigned int), 0, 2, 0)                                           \
  /* Network ports */                                                                                              \
  F(virNetworkPortPtr, virNetworkPortLookupByUUIDString, (virNetworkPtr, const char*), 5, 5, 0)                    \
  F(virNetworkPortPtr, virNetworkPortCreateXML, (virNetworkPtr, const char*, unsigned int), 5, 5, 0)               \
  F(char*, virNetworkPortGetXMLDesc, (virNetworkPortPtr, unsigned int), 5, 5, 0)                                   \
  F(int, virNetworkPortDelete, (virNetworkPortPtr, unsigned int), 5, 5, 0)                                         \
  /* Domains */                                                                                                    \
  F(virDomainPtr, virDomainLookupByName, (virConnectPtr, const char*), 0, 0, 3)                                    \
  F(virDomainPtr, virDomainLookupByUUIDString, (virConnectPtr, const char*), 0, 1, 1)                              \
  F(virDomainPtr, virDomainLookupByID, (virConnectPtr, int), 0, 0, 3)                                              \
  F(virDomainPtr, virDomainDefineXMLFlags, (virConnectPtr, const char*, unsigned int), 1, 2, 12)                   \
  F(virDomainPtr, virDomainCreateXML, (virConnectPtr, const char*, unsigned int), 0, 5, 0)                         \
  F(int, virDomainCreateWithFlags, (virDomainPtr, unsigned int), 0, 8, 2)                                          \
  F(int, virDomainDestroyFlags, (virDomainPtr, unsigned int), 0, 9, 4)                                             \
  F(int, virDomainShutdownFlags, (virDomainPtr, unsigned int), 0, 9, 10)                                           \
  F(int, virDomainReboot, (virDomainPtr, unsigned int), 0, 1, 0)                                                   \
  F(int, virDomainSuspend, (virDomainPtr), 0, 0, 3)                                                                \
  F(int, virDomainResume, (virDomainPtr), 0, 0, 3)                                                                 \
  F(int, virDomainUndefineFlags, (virDomainPtr, unsigned int), 0, 9, 4)                                            \
  F(const char*, virDomainGetName, (virDomainPtr), 0, 0, 3)                                                        \
  F(unsigned int, virDomainGetID, (virDomainPtr), 0, 0, 3)                                                         \
  F(char*, virDomainGetXMLDesc, (virDomainPtr, unsigned int), 0, 0, 3)                                             \
  F(int, virDomainIsActive, (virDomainPtr), 0, 7, 3)                                                               \
  F(int, virDomainIsPersistent, (virDomainPtr), 0, 7, 3)                                                           \
  F(int, virDomainSetAutostart, (virDomainPtr, int), 0, 2, 1)                                                      \
  F(char*, virDomainGetMetadata, (virDomainPtr, int, const char*, unsigned int), 0, 9, 10)                         \
  F(int, virDomainSetMetadata, (virDomainPtr, int, const char*, const char*, const char*, unsigned int), 0, 9, 10) \
  F(int, virDomainAttachDeviceFlags, (virDomainPtr, const char*, unsigned int), 0, 7, 7)                           \
  F(int, virDomainDetachDeviceFlags, (virDomainPtr, const char*, unsigned int), 0, 7, 7)                           \
  F(int, virDomainDetachDeviceAlias, (virDomainPtr, const char*, unsigned int), 4, 4, 0)                           \
  F(int, virDomainUpdateDeviceFlags, (virDomainPtr, const char*, unsigned int), 0, 8, 0)                           \
  /* Host interfaces */                                                                                            \
  F(virInterfacePtr, virInterfaceLookupByName, (virConnectPtr, const char*), 0, 6, 4)                              \
  F(virInterfacePtr, virInterfaceLookupByMACString, (virConnectPtr, const char*), 0, 6, 4)                         \
  F(virInterfacePtr, virInterfaceDefineXML, (virConnectPtr, const char*, unsigned int), 0, 6, 4)                   \
  F(int, virInterfaceUndefine, (virInterfacePtr), 0, 6, 4)                                                         \
  F(int, virInterfaceCreate, (virInterfacePtr, unsigned int), 0, 6, 4)                                             \
  F(int, virInterfaceDestroy, (virInterfacePtr, unsigned int), 0, 6, 4)                                            \
  F(int, virInterfaceIsActive, (virInterfacePtr), 0, 7, 3)                                                         \
  F(const char*, virInterfaceGetName, (virInterfacePtr), 0, 6, 4)                                                  \
  F(const char*, virInterfaceGetMACString, (virInterfacePtr), 0, 6, 4)                                             \
  F(char*, virInterfaceGetXMLDesc, (virInterfacePtr, unsigned int), 0, 6, 4)                                       \
  F(int, virInterfaceChangeBegin, (virConnectPtr, unsigned int), 0, 9, 2)                                          \
  F(int, virInterfaceChangeCommit, (virConnectPtr, unsigned int), 0, 9, 2)                                         \
  F(int, virInterfaceChangeRollback, (virConnectPtr, unsigned int), 0, 9, 2)                                       \
  /* Network filters */                                                                                            \
  F(virNWFilterPtr, virNWFilterLookupByName, (virConnectPtr, const char*), 0, 8, 0)                                \
  F(virNWFilterPtr, virNWFilterLookupByUUIDString, (virConnectPtr, const char*), 0, 8, 0)                          \
  F(virNWFilterPtr, virNWFilterDefineXML, (virConnectPtr, const char*), 0, 8, 0)                                   \
  F(virNWFilterPtr, virNWFilterDefineXMLFlags, (virConnectPtr, const char*, unsigned int), 7, 7, 0)                \
  F(int, virNWFilterUndefine, (virNWFilterPtr), 0, 8, 0)                                                           \
  F(const char*, virNWFilterGetName, (virNWFilterPtr), 0, 8, 0)                                                    \
  F(char*, virNWFilterGetXMLDesc, (virNWFilterPtr, unsigned int), 0, 8, 0)                                         \
  F(virNWFilterBindingPtr, virNWFilterBindingLookupByPortDev, (virConnectPtr, const char*), 4, 5, 0)               \
  F(virNWFilterBindingPtr, virNWFilterBindingCreateXML, (virConnectPtr, const char*, unsigned int), 4, 5, 0)       \
  F(int, virNWFilterBindingDelete, (virNWFilterBindingPtr), 4, 5, 0)                                               \
  F(const char*, virNWFilterBindingGetPortDev, (virNWFilterBindingPtr), 4, 5, 0)                                   \
  F(const char*, virNWFilterBindingGetFilterName, (virNWFilterBindingPtr), 4, 5, 0)                                \
  F(char*, virNWFilterBindingGetXMLDesc, (virNWFilterBindingPtr, unsigned int), 4, 5, 0)

// Simple, and newer than the oldest headers that abi.h is compared with.
#define VIRBR_NEWER_SIMPLE_FUNCTIONS(F)                                                     \
  F(char*, virNetworkGetMetadata, (virNetworkPtr, int, const char*, unsigned int), 9, 7, 0) \
  F(int, virNetworkSetMetadata, (virNetworkPtr, int, const char*, const char*, const char*, unsigned int), 9, 7, 0)

// Special: lists, structures, callbacks, references; used by code of their own.
#define VIRBR_SPECIAL_FUNCTIONS(F)                                                                                     \
  /* Library, errors, events */                                                                                        \
  F(int, virInitialize, (), 0, 1, 0)                                                                                   \
  F(int, virGetVersion, (unsigned long*, const char*, unsigned long*), 0, 0, 3)                                        \
  F(virErrorPtr, virGetLastError, (), 0, 1, 0)                                                                         \
  F(void, virResetLastError, (), 0, 1, 0)                                                                              \
  F(void, virSetErrorFunc, (void*, virErrorFunc), 0, 1, 0)                                                             \
  F(int, virEventRegisterDefaultImpl, (), 0, 9, 0)                                                                     \
  F(int, virEventRunDefaultImpl, (), 0, 9, 0)                                                                          \
  F(int, virEventAddTimeout, (int, virEventTimeoutCallback, void*, virFreeCallback), 0, 9, 3)                          \
  F(void, virEventUpdateTimeout, (int, int), 0, 9, 3)                                                                  \
  F(void, virTypedParamsClear, (virTypedParameterPtr, int), 1, 0, 2)                                                   \
  F(void, virTypedParamsFree, (virTypedParameterPtr, int), 1, 0, 2)                                                    \
  /* Connection */                                                                                                     \
  F(virConnectPtr, virConnectOpenAuth, (const char*, virConnectAuthPtr, unsigned int), 0, 4, 0)                        \
  F(int, virConnectClose, (virConnectPtr), 0, 0, 3)                                                                    \
  F(int, virConnectGetVersion, (virConnectPtr, unsigned long*), 0, 0, 3)                                               \
  F(int, virConnectGetLibVersion, (virConnectPtr, unsigned long*), 0, 7, 3)                                            \
  F(int, virConnectSetIdentity, (virConnectPtr, virTypedParameterPtr, int, unsigned int), 5, 8, 0)                     \
  F(int, virConnectRegisterCloseCallback, (virConnectPtr, virConnectCloseFunc, void*, virFreeCallback), 0, 10, 0)      \
  F(int, virConnectUnregisterCloseCallback, (virConnectPtr, virConnectCloseFunc), 0, 10, 0)                            \
  F(int, virConnectNetworkEventRegisterAny,                                                                            \
    (virConnectPtr, virNetworkPtr, int, virConnectNetworkEventGenericCallback, void*, virFreeCallback), 1, 2, 1)       \
  F(int, virConnectDomainEventRegisterAny,                                                                             \
    (virConnectPtr, virDomainPtr, int, virConnectDomainEventGenericCallback, void*, virFreeCallback), 0, 8, 0)         \
  F(int, virConnectNetworkEventDeregisterAny, (virConnectPtr, int), 1, 2, 1)                                           \
  F(int, virConnectDomainEventDeregisterAny, (virConnectPtr, int), 0, 8, 0)                                            \
  /* Networks */                                                                                                       \
  F(int, virConnectListAllNetworks, (virConnectPtr, virNetworkPtr**, unsigned int), 0, 10, 2)                          \
  F(int, virNetworkGetUUIDString, (virNetworkPtr, char*), 0, 2, 0)                                                     \
  F(int, virNetworkGetAutostart, (virNetworkPtr, int*), 0, 2, 1)                                                       \
  F(int, virNetworkGetDHCPLeases, (virNetworkPtr, const char*, virNetworkDHCPLeasePtr**, unsigned int), 1, 2, 6)       \
  F(void, virNetworkDHCPLeaseFree, (virNetworkDHCPLeasePtr), 1, 2, 6)                                                  \
  F(int, virNetworkRef, (virNetworkPtr), 0, 6, 0)                                                                      \
  F(int, virNetworkFree, (virNetworkPtr), 0, 2, 0)                                                                     \
  /* Network ports */                                                                                                  \
  F(int, virNetworkListAllPorts, (virNetworkPtr, virNetworkPortPtr**, unsigned int), 5, 5, 0)                          \
  F(virNetworkPtr, virNetworkPortGetNetwork, (virNetworkPortPtr), 5, 5, 0)                                             \
  F(int, virNetworkPortGetUUIDString, (virNetworkPortPtr, char*), 5, 5, 0)                                             \
  F(int, virNetworkPortGetParameters, (virNetworkPortPtr, virTypedParameterPtr*, int*, unsigned int), 5, 5, 0)         \
  F(int, virNetworkPortSetParameters, (virNetworkPortPtr, virTypedParameterPtr, int, unsigned int), 5, 5, 0)           \
  F(int, virNetworkPortRef, (virNetworkPortPtr), 5, 5, 0)                                                              \
  F(int, virNetworkPortFree, (virNetworkPortPtr), 5, 5, 0)                                                             \
  /* Domains */                                                                                                        \
  F(int, virConnectListAllDomains, (virConnectPtr, virDomainPtr**, unsigned int), 0, 9, 13)                            \
  F(int, virDomainGetUUIDString, (virDomainPtr, char*), 0, 1, 1)                                                       \
  F(int, virDomainGetAutostart, (virDomainPtr, int*), 0, 2, 1)                                                         \
  F(int, virDomainGetState, (virDomainPtr, int*, int*, unsigned int), 0, 9, 2)                                         \
  F(int, virDomainInterfaceStats, (virDomainPtr, const char*, virDomainInterfaceStatsPtr, size_t), 0, 3, 2)            \
  F(int, virDomainInterfaceAddresses, (virDomainPtr, virDomainInterfacePtr**, unsigned int, unsigned int), 1, 2, 14)   \
  F(void, virDomainInterfaceFree, (virDomainInterfacePtr), 1, 2, 14)                                                   \
  F(int, virDomainGetInterfaceParameters, (virDomainPtr, const char*, virTypedParameterPtr, int*, unsigned int), 0, 9, \
    9)                                                                                                                 \
  F(int, virDomainSetInterfaceParameters, (virDomainPtr, const char*, virTypedParameterPtr, int, unsigned int), 0, 9,  \
    9)                                                                                                                 \
  F(int, virDomainRef, (virDomainPtr), 0, 6, 0)                                                                        \
  F(int, virDomainFree, (virDomainPtr), 0, 0, 3)                                                                       \
  /* Host interfaces */                                                                                                \
  F(int, virConnectListAllInterfaces, (virConnectPtr, virInterfacePtr**, unsigned int), 0, 10, 2)                      \
  F(int, virInterfaceRef, (virInterfacePtr), 0, 6, 4)                                                                  \
  F(int, virInterfaceFree, (virInterfacePtr), 0, 6, 4)                                                                 \
  /* Network filters */                                                                                                \
  F(int, virConnectListAllNWFilters, (virConnectPtr, virNWFilterPtr**, unsigned int), 0, 10, 2)                        \
  F(int, virNWFilterGetUUIDString, (virNWFilterPtr, char*), 0, 8, 0)                                                   \
  F(int, virNWFilterRef, (virNWFilterPtr), 0, 8, 0)                                                                    \
  F(int, virNWFilterFree, (virNWFilterPtr), 0, 8, 0)                                                                   \
  F(int, virConnectListAllNWFilterBindings, (virConnectPtr, virNWFilterBindingPtr**, unsigned int), 4, 5, 0)           \
  F(int, virNWFilterBindingRef, (virNWFilterBindingPtr), 4, 5, 0)                                                      \
  F(int, virNWFilterBindingFree, (virNWFilterBindingPtr), 4, 5, 0)

#define VIRBR_FUNCTIONS(F) VIRBR_SIMPLE_FUNCTIONS(F) VIRBR_NEWER_SIMPLE_FUNCTIONS(F) VIRBR_SPECIAL_FUNCTIONS(F)
