// Compiled twice by test/libvirt/abi.test.ts: with -DSYSTEM against libvirt's own headers, which also compares the types
// of all functions, and without. Both print the layout of every structure; it must be the same.
#ifdef SYSTEM
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#endif

#include <cstddef>
#include <cstdio>
#include <type_traits>

#include "../libvirt/functions.h"

#ifdef SYSTEM
#define COMPARE(result, name, parameters, major, minor, release) \
  static_assert(std::is_same_v<decltype(&::name), result(*) parameters>, #name " is declared otherwise");
VIRBR_SIMPLE_FUNCTIONS(COMPARE)
VIRBR_SPECIAL_FUNCTIONS(COMPARE)
#if LIBVIR_CHECK_VERSION(9, 7, 0)
VIRBR_NEWER_SIMPLE_FUNCTIONS(COMPARE)
#endif
#endif

#define SIZE(type) std::printf(#type " %zu\n", sizeof(struct type))
#define FIELD(type, field)                                                 \
  std::printf(#type "." #field " %zu %zu\n", offsetof(struct type, field), \
              sizeof(static_cast<struct type*>(nullptr)->field))

int main() {
  SIZE(_virError);
  FIELD(_virError, code);
  FIELD(_virError, domain);
  FIELD(_virError, message);
  FIELD(_virError, level);
  FIELD(_virError, str1);
  FIELD(_virError, str2);
  FIELD(_virError, str3);
  FIELD(_virError, int1);
  FIELD(_virError, int2);
  SIZE(_virConnectCredential);
  FIELD(_virConnectCredential, type);
  FIELD(_virConnectCredential, prompt);
  FIELD(_virConnectCredential, challenge);
  FIELD(_virConnectCredential, defresult);
  FIELD(_virConnectCredential, result);
  FIELD(_virConnectCredential, resultlen);
  SIZE(_virConnectAuth);
  FIELD(_virConnectAuth, credtype);
  FIELD(_virConnectAuth, ncredtype);
  FIELD(_virConnectAuth, cb);
  FIELD(_virConnectAuth, cbdata);
  SIZE(_virTypedParameter);
  FIELD(_virTypedParameter, field);
  FIELD(_virTypedParameter, type);
  FIELD(_virTypedParameter, value);
  SIZE(_virNetworkDHCPLease);
  FIELD(_virNetworkDHCPLease, iface);
  FIELD(_virNetworkDHCPLease, expirytime);
  FIELD(_virNetworkDHCPLease, type);
  FIELD(_virNetworkDHCPLease, mac);
  FIELD(_virNetworkDHCPLease, iaid);
  FIELD(_virNetworkDHCPLease, ipaddr);
  FIELD(_virNetworkDHCPLease, prefix);
  FIELD(_virNetworkDHCPLease, hostname);
  FIELD(_virNetworkDHCPLease, clientid);
  SIZE(_virDomainInterfaceIPAddress);
  FIELD(_virDomainInterfaceIPAddress, type);
  FIELD(_virDomainInterfaceIPAddress, addr);
  FIELD(_virDomainInterfaceIPAddress, prefix);
  SIZE(_virDomainInterface);
  FIELD(_virDomainInterface, name);
  FIELD(_virDomainInterface, hwaddr);
  FIELD(_virDomainInterface, naddrs);
  FIELD(_virDomainInterface, addrs);
  SIZE(_virDomainInterfaceStats);
  FIELD(_virDomainInterfaceStats, rx_bytes);
  FIELD(_virDomainInterfaceStats, rx_drop);
  FIELD(_virDomainInterfaceStats, tx_bytes);
  FIELD(_virDomainInterfaceStats, tx_drop);
}
