#include "netlink_socket.h"

#include <sys/socket.h>

#include <cstring>
#include <string>

namespace virbr {

namespace {

// An acknowledgement takes a socket buffer of about 1 KiB of the receive buffer, and all of a chunk's wait in it.
constexpr int kReceiveBuffer = 4 << 20;
constexpr int kSendBuffer = 1 << 20;
constexpr size_t kAcknowledgement = 1280;
constexpr size_t kChunkBytes = 256 << 10;
// Dumps come in pieces as large as the buffer that is offered, up to 32 KiB (netlink_recvmsg).
constexpr size_t kReceiveSize = 64 << 10;
constexpr int kDumpAttempts = 10;

}  // namespace

void SetBufferSize(int fd, int force, int option, int size) {
  if (setsockopt(fd, SOL_SOCKET, force, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

int BufferSize(int fd, int option) {
  int size = 0;
  socklen_t length = sizeof size;
  getsockopt(fd, SOL_SOCKET, option, &size, &length);
  return size;
}

Failure NetlinkSocket::Open(int protocol) {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) return LastError("socket");
  const int on = 1;
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  if (protocol == NETLINK_ROUTE) setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  SetBufferSize(fd.get(), SO_RCVBUFFORCE, SO_RCVBUF, kReceiveBuffer);
  SetBufferSize(fd.get(), SO_SNDBUFFORCE, SO_SNDBUF, kSendBuffer);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return LastError("bind");
  fd_ = std::move(fd);
  buffer_.resize(kReceiveSize);
  return {};
}

Failure NetlinkSocket::Request(Bytes* batch, bool atomic, bool partial, Bytes* reply, int* refused) {
  const size_t most = static_cast<size_t>(BufferSize(fd_.get(), SO_RCVBUF)) / kAcknowledgement;
  std::vector<Chunk> chunks;
  std::string why;
  if (!SplitBatch(*batch, atomic, most == 0 ? 1 : most, kChunkBytes, &chunks, &why)) return Failure{EBADMSG, "netlink"};
  for (const Chunk& chunk : chunks) {
    Bytes interrupted;
    for (int attempt = 1;; attempt++) {
      const uint32_t base = next_sequence_;
      next_sequence_ += chunk.first + chunk.count;
      Replies replies(*batch, chunk, base);
      uint8_t* const messages = batch->data() + chunk.offset;
      NumberMessages(messages, chunk.size, base);
      const Failure sent = Send(messages, chunk.size);
      NumberMessages(messages, chunk.size, 0 - base);
      if (sent) return sent;
      if (Failure failure = Receive(&replies, atomic)) return failure;
      replies.FailMissing(ENOBUFS);
      if (replies.interrupted() && replies.error() == 0) {
        if (partial) interrupted.insert(interrupted.end(), replies.bytes().begin(), replies.bytes().end());
        if (attempt < kDumpAttempts) continue;
        if (!partial) return Failure{EINTR, "dump"};
        reply->insert(reply->end(), interrupted.begin(), interrupted.end());
        break;
      }
      if (reply->empty()) {
        *reply = replies.TakeBytes();
      } else {
        reply->insert(reply->end(), replies.bytes().begin(), replies.bytes().end());
      }
      if (*refused == 0) *refused = replies.error();
      break;
    }
  }
  return {};
}

Failure NetlinkSocket::Send(const uint8_t* data, size_t size) {
  for (;;) {
    if (send(fd_.get(), data, size, 0) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno != EMSGSIZE) return LastError("sendmsg");
    // The kernel wants sk_sndbuf - 32 to hold the message, and stores twice the number that it is given.
    const int before = BufferSize(fd_.get(), SO_SNDBUF);
    SetBufferSize(fd_.get(), SO_SNDBUFFORCE, SO_SNDBUF, static_cast<int>(size + 4096));
    if (BufferSize(fd_.get(), SO_SNDBUF) <= before) return Failure{EMSGSIZE, "sendmsg"};
  }
}

// The kernel has queued every answer before sendmsg returns, and goes on with a dump inside recvmsg: an empty queue means
// that there is nothing more to come.
Failure NetlinkSocket::Receive(Replies* replies, bool atomic) {
  for (;;) {
    iovec part{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    sockaddr_nl sender{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    const ssize_t size = recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == ENOBUFS) {
        // Of an atomic batch the last acknowledgement speaks for all.
        if (!atomic) replies->Overrun();
        continue;
      }
      if (errno == EAGAIN) return {};
      return LastError("recvmsg");
    }
    if (sender.nl_pid != 0) continue;
    if ((message.msg_flags & MSG_TRUNC) != 0) return Failure{EMSGSIZE, "recvmsg"};
    replies->Feed(buffer_.data(), static_cast<size_t>(size));
  }
}

}  // namespace virbr
