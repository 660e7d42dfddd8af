// How netlink messages are grouped for sending and how replies find their request. Knows headers only, never contents,
// and nothing of Node: it is fuzzed and tested by itself.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace virbr {

using Bytes = std::vector<uint8_t>;

// Some whole messages that go out in one sendmsg(2).
struct Chunk {
  size_t offset = 0;
  size_t size = 0;
  uint32_t first = 0;  // index of the first message
  uint32_t count = 0;
  bool dump = false;
};

// Splits a batch: dumps alone, the others in runs of at most `max_messages` and `max_bytes`; an atomic batch is never
// split. Returns false, and why, if the bytes are no whole messages numbered 0, 1, 2, …
bool SplitBatch(const Bytes& batch, bool atomic, size_t max_messages, size_t max_bytes, std::vector<Chunk>* chunks,
                std::string* why);

// Gathers the replies to one chunk.
class Replies {
 public:
  // `base` is the sequence number that message 0 of the batch was sent with.
  Replies(const Bytes& batch, const Chunk& chunk, uint32_t base);

  // Takes one datagram. Messages of other senders or of earlier requests are passed over.
  void Feed(const uint8_t* data, size_t size);

  // Nothing more is to be expected.
  bool complete() const { return waiting_ == 0; }
  // A dump changed under way (NLM_F_DUMP_INTR): do it again.
  bool interrupted() const { return interrupted_; }
  // Answers were dropped (ENOBUFS). Silence then says nothing: of a request that asked for no acknowledgement, too.
  void Overrun();
  // Makes up an error for each request that was never acknowledged.
  void FailMissing(int error);
  // The first error in order of arrival, as a positive errno; 0 if there is none.
  int error() const { return error_; }
  const Bytes& bytes() const { return bytes_; }
  // Leaves nothing behind.
  Bytes TakeBytes() { return std::move(bytes_); }

 private:
  void Take(const nlmsghdr& header, const uint8_t* message);
  void Append(const nlmsghdr& header, uint32_t index, const uint8_t* message, size_t size);
  void Settle(uint32_t index);

  const uint32_t base_;
  const uint32_t first_;
  std::vector<bool> awaited_;
  std::vector<bool> answered_;
  std::vector<nlmsghdr> requests_;
  uint32_t waiting_ = 0;
  bool interrupted_ = false;
  int error_ = 0;
  Bytes bytes_;
};

// Adds `base` to the sequence numbers of whole messages, of a batch that SplitBatch accepted; 0 - base takes it away again.
void NumberMessages(uint8_t* messages, size_t size, uint32_t base);

}  // namespace virbr
