#include "link_indices.h"

#include <linux/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

namespace virbr {

Failure LinkIndices(const std::vector<std::string>& names, Bytes* indices) {
  // Any socket does: the ioctl is about the namespace that it was opened in.
  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return LastError("socket");
  for (const std::string& name : names) {
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), sizeof request.ifr_name - 1);
    if (ioctl(fd.get(), SIOCGIFINDEX, &request) != 0) {
      if (errno != ENODEV) return LastError("ioctl(SIOCGIFINDEX)");
      request.ifr_ifindex = 0;
    }
    const auto* bytes = reinterpret_cast<const uint8_t*>(&request.ifr_ifindex);
    indices->insert(indices->end(), bytes, bytes + sizeof request.ifr_ifindex);
  }
  return {};
}

}  // namespace virbr
