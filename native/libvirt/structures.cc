// Functions whose result is a structure, copied in the worker.
#include "call.h"
#include "exports.h"

namespace virbr::libvirt {

namespace {

using Text = std::optional<std::string>;

Text Copy(const char* text) {
  if (text == nullptr) return std::nullopt;
  return text;
}

Napi::Value ToJs(Napi::Env env, const Text& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Undefined();
}

Napi::Number Number(Napi::Env env, long long value) { return Napi::Number::New(env, static_cast<double>(value)); }

struct Lease {
  Text iface;
  long long expirytime;
  int type;
  Text mac;
  Text iaid;
  Text ipaddr;
  unsigned int prefix;
  Text hostname;
  Text clientid;
};

Napi::Value ToJs(Napi::Env env, const Lease& lease) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("iface", ToJs(env, lease.iface));
  object.Set("expirytime", Number(env, lease.expirytime));
  object.Set("type", lease.type);
  object.Set("mac", ToJs(env, lease.mac));
  object.Set("iaid", ToJs(env, lease.iaid));
  object.Set("ipaddr", ToJs(env, lease.ipaddr));
  object.Set("prefix", lease.prefix);
  object.Set("hostname", ToJs(env, lease.hostname));
  object.Set("clientid", ToJs(env, lease.clientid));
  return object;
}

Napi::Value GetDhcpLeases(const Napi::CallbackInfo& info) {
  return Call<Argument<virNetworkPtr>, Argument<const char*>, Argument<unsigned int>>(
      info, about::virNetworkGetDHCPLeases, [](const Library& library, auto& network, auto& mac, auto& flags) {
        virNetworkDHCPLeasePtr* leases = nullptr;
        const auto release = VIRBR_NEED(library, virNetworkDHCPLeaseFree);
        const int count = VIRBR_NEED(library, virNetworkGetDHCPLeases)(network.Get(), mac.Get(), &leases, flags.Get());
        if (count < 0) throw library.LastError();
        std::vector<Lease> copies;
        for (int i = 0; i < count; i++) {
          const virNetworkDHCPLeasePtr lease = leases[i];
          copies.push_back({Copy(lease->iface), lease->expirytime, lease->type, Copy(lease->mac), Copy(lease->iaid),
                            Copy(lease->ipaddr), lease->prefix, Copy(lease->hostname), Copy(lease->clientid)});
          release(lease);
        }
        free(leases);
        return copies;
      });
}

struct Address {
  int type;
  Text address;
  unsigned int prefix;
};
struct DomainInterface {
  Text name;
  Text hwaddr;
  std::vector<Address> addresses;
};

Napi::Value ToJs(Napi::Env env, const DomainInterface& device) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", ToJs(env, device.name));
  object.Set("hwaddr", ToJs(env, device.hwaddr));
  Napi::Array addresses = Napi::Array::New(env, device.addresses.size());
  for (uint32_t i = 0; i < device.addresses.size(); i++) {
    const Address& from = device.addresses[i];
    Napi::Object address = Napi::Object::New(env);
    address.Set("type", from.type);
    address.Set("addr", ToJs(env, from.address));
    address.Set("prefix", from.prefix);
    addresses.Set(i, address);
  }
  object.Set("addrs", addresses);
  return object;
}

Napi::Value InterfaceAddresses(const Napi::CallbackInfo& info) {
  return Call<Argument<virDomainPtr>, Argument<unsigned int>, Argument<unsigned int>>(
      info, about::virDomainInterfaceAddresses, [](const Library& library, auto& domain, auto& source, auto& flags) {
        virDomainInterfacePtr* devices = nullptr;
        const auto release = VIRBR_NEED(library, virDomainInterfaceFree);
        const int count =
            VIRBR_NEED(library, virDomainInterfaceAddresses)(domain.Get(), &devices, source.Get(), flags.Get());
        if (count < 0) throw library.LastError();
        std::vector<DomainInterface> copies;
        for (int i = 0; i < count; i++) {
          DomainInterface copy{Copy(devices[i]->name), Copy(devices[i]->hwaddr), {}};
          for (unsigned int j = 0; j < devices[i]->naddrs; j++) {
            const auto& address = devices[i]->addrs[j];
            copy.addresses.push_back({address.type, Copy(address.addr), address.prefix});
          }
          copies.push_back(std::move(copy));
          release(devices[i]);
        }
        free(devices);
        return copies;
      });
}

struct Stats {
  _virDomainInterfaceStats values;
};

Napi::Value ToJs(Napi::Env env, const Stats& stats) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("rxBytes", Number(env, stats.values.rx_bytes));
  object.Set("rxPackets", Number(env, stats.values.rx_packets));
  object.Set("rxErrs", Number(env, stats.values.rx_errs));
  object.Set("rxDrop", Number(env, stats.values.rx_drop));
  object.Set("txBytes", Number(env, stats.values.tx_bytes));
  object.Set("txPackets", Number(env, stats.values.tx_packets));
  object.Set("txErrs", Number(env, stats.values.tx_errs));
  object.Set("txDrop", Number(env, stats.values.tx_drop));
  return object;
}

Napi::Value InterfaceStats(const Napi::CallbackInfo& info) {
  return Call<Argument<virDomainPtr>, Argument<const char*>>(
      info, about::virDomainInterfaceStats, [](const Library& library, auto& domain, auto& device) {
        Stats stats{};
        if (VIRBR_NEED(library, virDomainInterfaceStats)(domain.Get(), device.Get(), &stats.values,
                                                         sizeof(stats.values)) < 0) {
          throw library.LastError();
        }
        return stats;
      });
}

struct State {
  int state;
  int reason;
};

Napi::Value ToJs(Napi::Env env, const State& state) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("state", state.state);
  object.Set("reason", state.reason);
  return object;
}

Napi::Value GetState(const Napi::CallbackInfo& info) {
  return Call<Argument<virDomainPtr>, Argument<unsigned int>>(
      info, about::virDomainGetState, [](const Library& library, auto& domain, auto& flags) {
        State state{};
        if (VIRBR_NEED(library, virDomainGetState)(domain.Get(), &state.state, &state.reason, flags.Get()) < 0) {
          throw library.LastError();
        }
        return state;
      });
}

// The network of a port: no reference comes with it, so one is taken.
Napi::Value PortGetNetwork(const Napi::CallbackInfo& info) {
  return Call<Argument<virNetworkPortPtr>>(
      info, about::virNetworkPortGetNetwork, [](const Library& library, auto& port) {
        const auto ref = VIRBR_NEED(library, virNetworkRef);
        const virNetworkPtr network = VIRBR_NEED(library, virNetworkPortGetNetwork)(port.Get());
        if (network == nullptr || ref(network) < 0) throw library.LastError();
        return Object::Adopt(network, port.object->link);
      });
}

}  // namespace

void ExportStructures(Exports& exports) {
  exports.Add(about::virNetworkGetDHCPLeases, GetDhcpLeases);
  exports.Add(about::virDomainInterfaceAddresses, InterfaceAddresses);
  exports.Add(about::virDomainInterfaceStats, InterfaceStats);
  exports.Add(about::virDomainGetState, GetState);
  exports.Add(about::virNetworkPortGetNetwork, PortGetNetwork);
}

}  // namespace virbr::libvirt
