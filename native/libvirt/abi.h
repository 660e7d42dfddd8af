// libvirt's C types, as far as they are used here: its headers are not needed to build. The library promises never to
// change them. test/libvirt/abi.test.ts holds them, and functions.h, against the headers.
#pragma once

// Whoever includes libvirt's own headers first (that test) gets those.
#ifndef LIBVIRT_H
#include <cstddef>

extern "C" {

typedef struct _virConnect* virConnectPtr;
typedef struct _virDomain* virDomainPtr;
typedef struct _virNetwork* virNetworkPtr;
typedef struct _virNetworkPort* virNetworkPortPtr;
typedef struct _virInterface* virInterfacePtr;
typedef struct _virNWFilter* virNWFilterPtr;
typedef struct _virNWFilterBinding* virNWFilterBindingPtr;

struct _virError {
  int code;
  int domain;
  char* message;
  int level;
  virConnectPtr conn;
  virDomainPtr dom;
  char* str1;
  char* str2;
  char* str3;
  int int1;
  int int2;
  virNetworkPtr net;
};
typedef struct _virError* virErrorPtr;
typedef void (*virErrorFunc)(void* userData, virErrorPtr error);

struct _virConnectCredential {
  int type;
  const char* prompt;
  const char* challenge;
  const char* defresult;
  char* result;
  unsigned int resultlen;
};
typedef struct _virConnectCredential* virConnectCredentialPtr;
typedef int (*virConnectAuthCallbackPtr)(virConnectCredentialPtr cred, unsigned int ncred, void* cbdata);
struct _virConnectAuth {
  int* credtype;
  unsigned int ncredtype;
  virConnectAuthCallbackPtr cb;
  void* cbdata;
};
typedef struct _virConnectAuth* virConnectAuthPtr;

struct _virTypedParameter {
  char field[80];
  int type;
  union {
    int i;
    unsigned int ui;
    long long int l;
    unsigned long long int ul;
    double d;
    char b;
    char* s;
  } value;
};
typedef struct _virTypedParameter virTypedParameter;
typedef struct _virTypedParameter* virTypedParameterPtr;

struct _virNetworkDHCPLease {
  char* iface;
  long long expirytime;
  int type;
  char* mac;
  char* iaid;
  char* ipaddr;
  unsigned int prefix;
  char* hostname;
  char* clientid;
};
typedef struct _virNetworkDHCPLease* virNetworkDHCPLeasePtr;

struct _virDomainInterfaceIPAddress {
  int type;
  char* addr;
  unsigned int prefix;
};
typedef struct _virDomainInterfaceIPAddress* virDomainIPAddressPtr;
struct _virDomainInterface {
  char* name;
  char* hwaddr;
  unsigned int naddrs;
  virDomainIPAddressPtr addrs;
};
typedef struct _virDomainInterface* virDomainInterfacePtr;

struct _virDomainInterfaceStats {
  long long rx_bytes;
  long long rx_packets;
  long long rx_errs;
  long long rx_drop;
  long long tx_bytes;
  long long tx_packets;
  long long tx_errs;
  long long tx_drop;
};
typedef struct _virDomainInterfaceStats* virDomainInterfaceStatsPtr;

typedef void (*virFreeCallback)(void* opaque);
typedef void (*virConnectCloseFunc)(virConnectPtr conn, int reason, void* opaque);
typedef void (*virConnectNetworkEventGenericCallback)(virConnectPtr conn, virNetworkPtr net, void* opaque);
typedef void (*virConnectDomainEventGenericCallback)(virConnectPtr conn, virDomainPtr dom, void* opaque);
typedef void (*virEventTimeoutCallback)(int timer, void* opaque);
}
#endif
