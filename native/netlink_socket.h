// One netlink socket, bound to the network namespace of the thread that opened it.
#pragma once

#include "fd.h"
#include "framing.h"

namespace virbr {

// SO_RCVBUF or SO_SNDBUF. The forced form needs CAP_NET_ADMIN; without it the system's maximum has to do.
void SetBufferSize(int fd, int force, int option, int size);
int BufferSize(int fd, int option);

class NetlinkSocket {
 public:
  Failure Open(int protocol);
  bool is_open() const { return static_cast<bool>(fd_); }

  // Sends a batch and gathers all replies. A returned failure is one of the socket; the kernel's answers, refusals
  // included, are in `reply`, and the first refusal's errno in `refused`. With `partial`, a dump that is interrupted
  // whenever it is tried gives what all tries gave together. The batch is as before when it is done.
  Failure Request(Bytes* batch, bool atomic, bool partial, Bytes* reply, int* refused);

 private:
  Failure Send(const uint8_t* data, size_t size);
  Failure Receive(Replies* replies, bool atomic);

  Fd fd_;
  uint32_t next_sequence_ = 1;
  Bytes buffer_;
};

}  // namespace virbr
