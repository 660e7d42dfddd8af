// A netlink socket that hears of changes, bound to the network namespace of the thread that opened it.
#pragma once

#include <cstdint>
#include <vector>

#include "fd.h"
#include "framing.h"

namespace virbr {

class EventSocket {
 public:
  // Joins multicast groups (RTNLGRP_*, NFNLGRP_*). From here on the kernel queues events, in `receive_buffer` bytes.
  Failure Open(int protocol, const std::vector<uint32_t>& groups, int receive_buffer);

  enum class Received { kMessages, kNothing, kLost, kFailed };
  // Never waits. Appends one datagram to `messages`, in multiples of four bytes. kLost: the queue was full and events were
  // dropped; what is queued came before them, and nothing is added to it before it is empty (netlink(7), ENOBUFS).
  Received Receive(Bytes* buffer, Bytes* messages);

  int fd() const { return fd_.get(); }
  // No more than so many bytes can be queued.
  size_t capacity() const { return capacity_; }

 private:
  Fd fd_;
  size_t capacity_ = 0;
};

}  // namespace virbr
