// One netlink socket, bound to the network namespace of the thread that opened it.
#pragma once

#include "fd.h"
#include "framing.h"

namespace virbr {

class NetlinkSocket {
 public:
  Failure Open(int protocol);
  bool is_open() const { return static_cast<bool>(fd_); }

  // Sends a batch and gathers all replies. A returned failure is one of the socket; the kernel's answers, refusals
  // included, are in `reply`, and the first refusal's errno in `refused`.
  Failure Request(Bytes batch, bool atomic, Bytes* reply, int* refused);

 private:
  Failure Send(const uint8_t* data, size_t size);
  Failure Receive(Replies* replies);

  Fd fd_;
  uint32_t next_sequence_ = 1;
  Bytes buffer_;
};

}  // namespace virbr
