#include "tap.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cstring>

namespace virbr {

namespace {

Failure OpenQueue(const TapOptions& options, bool exclusive, Fd* queue) {
  Fd fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return LastError("open /dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, options.name.c_str(), sizeof request.ifr_name - 1);
  int flags = (options.tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI;
  if (options.vnet_header) flags |= IFF_VNET_HDR;
  if (options.multi_queue || options.queues > 1) flags |= IFF_MULTI_QUEUE;
  if (exclusive) flags |= IFF_TUN_EXCL;
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) return LastError("ioctl(TUNSETIFF)");
  *queue = std::move(fd);
  return {};
}

Failure Configure(int fd, const TapOptions& options) {
  if (options.owner && ioctl(fd, TUNSETOWNER, static_cast<unsigned long>(*options.owner)) != 0) {
    return LastError("ioctl(TUNSETOWNER)");
  }
  if (options.group && ioctl(fd, TUNSETGROUP, static_cast<unsigned long>(*options.group)) != 0) {
    return LastError("ioctl(TUNSETGROUP)");
  }
  if (options.persist && ioctl(fd, TUNSETPERSIST, 1UL) != 0) return LastError("ioctl(TUNSETPERSIST)");
  return {};
}

}  // namespace

Failure CreateTap(const TapOptions& options, std::vector<Fd>* fds) {
  for (uint32_t i = 0; i < options.queues; i++) {
    Fd queue;
    // The second queue attaches to what the first made.
    if (Failure failure = OpenQueue(options, options.exclusive && i == 0, &queue)) return failure;
    fds->push_back(std::move(queue));
  }
  if (Failure failure = Configure(fds->front().get(), options)) return failure;
  if (options.persist) fds->clear();
  return {};
}

}  // namespace virbr
