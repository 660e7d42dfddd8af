// Tap and tun devices by /dev/net/tun. Source: Documentation/networking/tuntap.rst, linux/if_tun.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fd.h"

namespace virbr {

struct TapOptions {
  std::string name;
  bool tun = false;
  bool persist = false;
  std::optional<uint32_t> owner;
  std::optional<uint32_t> group;
  bool vnet_header = false;
  uint32_t queues = 1;
  bool multi_queue = false;
  bool exclusive = false;
};

// Creates the device in the calling thread's namespace: one descriptor a queue, none left open with `persist`.
Failure CreateTap(const TapOptions& options, std::vector<Fd>* fds);

}  // namespace virbr
