// libFuzzer: any bytes as a batch, and any bytes as the replies to it, in datagrams of any size.
#include <algorithm>

#include "../framing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const size_t split = std::min(size - 4, static_cast<size_t>(data[0]) * 4);
  const bool atomic = (data[1] & 1) != 0;
  const size_t datagram = static_cast<size_t>(data[2]) + 1;
  virbr::Bytes batch(data + 4, data + 4 + split);
  std::vector<virbr::Chunk> chunks;
  std::string why;
  if (!virbr::SplitBatch(batch, atomic, 1 + data[3] % 8, 256, &chunks, &why)) return 0;
  for (const virbr::Chunk& chunk : chunks) {
    virbr::Replies replies(batch, chunk, data[3]);
    for (size_t at = 4 + split; at < size; at += datagram) replies.Feed(data + at, std::min(datagram, size - at));
    replies.FailMissing(105);
    if (!replies.complete() || replies.bytes().size() % 4 != 0) __builtin_trap();
  }
  virbr::NumberMessages(batch.data(), batch.size(), data[3]);
  return 0;
}
