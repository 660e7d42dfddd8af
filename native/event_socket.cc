#include "event_socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include "netlink_socket.h"

namespace virbr {

Failure EventSocket::Open(int protocol, const std::vector<uint32_t>& groups, int receive_buffer) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd) return LastError("socket");
  SetBufferSize(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return LastError("bind");
  for (const uint32_t group : groups) {
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
      return LastError("setsockopt(NETLINK_ADD_MEMBERSHIP)");
  }
  capacity_ = static_cast<size_t>(BufferSize(fd.get(), SO_RCVBUF));
  fd_ = std::move(fd);
  return {};
}

EventSocket::Received EventSocket::Receive(Bytes* buffer, Bytes* messages) {
  iovec part{buffer->data(), buffer->size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  sockaddr_nl sender{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  ssize_t size;
  do {
    size = recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_TRUNC);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    if (errno == EAGAIN) return Received::kNothing;
    return errno == ENOBUFS ? Received::kLost : Received::kFailed;
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) return Received::kLost;
  // Processes, too, may send to a group, of some protocols.
  if (sender.nl_pid == 0) {
    messages->insert(messages->end(), buffer->begin(), buffer->begin() + size);
    messages->resize(NLMSG_ALIGN(messages->size()));
  }
  return Received::kMessages;
}

}  // namespace virbr
