// Tests of framing without Node or a kernel: made messages in, groups and replies out. Exits non-zero at the first fault.
#include "../framing.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

using virbr::Bytes;
using virbr::Chunk;

namespace {

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::exit(1);                                                                      \
    }                                                                                    \
  } while (false)

void Add(Bytes* batch, uint16_t type, uint16_t flags, uint32_t sequence, const Bytes& body = {}) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  const auto* start = reinterpret_cast<const uint8_t*>(&header);
  batch->insert(batch->end(), start, start + sizeof header);
  batch->insert(batch->end(), body.begin(), body.end());
  batch->resize(NLMSG_ALIGN(batch->size()));
}

Bytes Error(int error) {
  nlmsgerr body{};
  body.error = error;
  Bytes bytes(sizeof body);
  std::memcpy(bytes.data(), &body, sizeof body);
  return bytes;
}

std::vector<Chunk> Split(const Bytes& batch, bool atomic, size_t messages = 100, size_t bytes = 1 << 20) {
  std::vector<Chunk> chunks;
  std::string why;
  CHECK(virbr::SplitBatch(batch, atomic, messages, bytes, &chunks, &why));
  return chunks;
}

nlmsghdr HeaderAt(const Bytes& bytes, size_t at) {
  nlmsghdr header;
  CHECK(bytes.size() >= at + sizeof header);
  std::memcpy(&header, bytes.data() + at, sizeof header);
  return header;
}

void DumpsGoAlone() {
  Bytes batch;
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 0);
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 1);
  Add(&batch, 18, NLM_F_REQUEST | NLM_F_DUMP, 2);
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 3);
  const auto chunks = Split(batch, false);
  CHECK(chunks.size() == 3);
  CHECK(chunks[0].count == 2 && !chunks[0].dump);
  CHECK(chunks[1].count == 1 && chunks[1].dump && chunks[1].first == 2);
  CHECK(chunks[2].first == 3 && chunks[2].offset == 48);
}

void BigBatchesAreSplitUnlessAtomic() {
  Bytes batch;
  for (uint32_t i = 0; i < 10; i++) Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, i);
  CHECK(Split(batch, false, 4).size() == 3);
  CHECK(Split(batch, false, 100, 48).size() == 4);
  CHECK(Split(batch, true, 4, 48).size() == 1);
}

void BadBatchesAreRefused() {
  std::vector<Chunk> chunks;
  std::string why;
  Bytes cut;
  Add(&cut, 16, NLM_F_REQUEST, 0);
  cut.pop_back();
  CHECK(!virbr::SplitBatch(cut, false, 9, 999, &chunks, &why));
  Bytes lying;
  Add(&lying, 16, NLM_F_REQUEST, 0);
  lying[0] = 200;
  CHECK(!virbr::SplitBatch(lying, false, 9, 999, &chunks, &why));
  lying[0] = 3;
  CHECK(!virbr::SplitBatch(lying, false, 9, 999, &chunks, &why));
  Bytes misnumbered;
  Add(&misnumbered, 16, NLM_F_REQUEST, 7);
  CHECK(!virbr::SplitBatch(misnumbered, false, 9, 999, &chunks, &why));
}

void RepliesFindTheirRequests() {
  Bytes batch;
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 0);
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 1);
  Add(&batch, 16, NLM_F_REQUEST, 2);
  const auto chunks = Split(batch, false);
  virbr::Replies replies(batch, chunks[0], 1000);
  Bytes stale;
  Add(&stale, NLMSG_ERROR, 0, 999, Error(-EINVAL));
  Add(&stale, NLMSG_ERROR, 0, 1003, Error(-EINVAL));
  replies.Feed(stale.data(), stale.size());
  CHECK(!replies.complete() && replies.error() == 0 && replies.bytes().empty());
  Bytes data;
  Add(&data, NLMSG_ERROR, 0, 1001, Error(-EEXIST));
  Add(&data, 20, 0, 1002, {1, 2, 3});
  Add(&data, NLMSG_ERROR, 0, 1000, Error(0));
  replies.Feed(data.data(), data.size());
  CHECK(replies.complete() && replies.error() == EEXIST);
  // The acknowledgement is gone, the error and the data stay, under the indices of their requests.
  const nlmsghdr first = HeaderAt(replies.bytes(), 0);
  CHECK(first.nlmsg_type == NLMSG_ERROR && first.nlmsg_seq == 1);
  const nlmsghdr second = HeaderAt(replies.bytes(), NLMSG_ALIGN(first.nlmsg_len));
  CHECK(second.nlmsg_type == 20 && second.nlmsg_seq == 2 && second.nlmsg_len == 19);
  CHECK(replies.bytes().size() == NLMSG_ALIGN(first.nlmsg_len) + 20);
}

void LostAcknowledgementsBecomeErrors() {
  Bytes batch;
  Add(&batch, 16, NLM_F_REQUEST | NLM_F_ACK, 0);
  Add(&batch, 16, NLM_F_REQUEST, 1);
  const auto chunks = Split(batch, false);
  virbr::Replies replies(batch, chunks[0], 5);
  replies.FailMissing(ENOBUFS);
  CHECK(replies.complete() && replies.error() == ENOBUFS);
  CHECK(HeaderAt(replies.bytes(), 0).nlmsg_seq == 0);
  CHECK(replies.bytes().size() == sizeof(nlmsghdr) + sizeof(nlmsgerr));
}

void WhereAnswersWereLostSilenceIsNoSuccess() {
  Bytes batch;
  for (uint32_t i = 0; i < 3; i++) Add(&batch, 16, NLM_F_REQUEST, i);
  const auto chunks = Split(batch, false);
  virbr::Replies silent(batch, chunks[0], 5);
  CHECK(silent.complete());
  silent.FailMissing(ENOBUFS);
  CHECK(silent.error() == 0 && silent.bytes().empty());
  virbr::Replies replies(batch, chunks[0], 5);
  Bytes error;
  Add(&error, NLMSG_ERROR, 0, 6, Error(-EEXIST));
  replies.Feed(error.data(), error.size());
  replies.Overrun();
  CHECK(!replies.complete());
  replies.FailMissing(ENOBUFS);
  CHECK(replies.complete() && replies.error() == EEXIST);
  // One answer, and one made up for each of the two others.
  CHECK(HeaderAt(replies.bytes(), 0).nlmsg_seq == 1);
  CHECK(replies.bytes().size() == 3 * (sizeof(nlmsghdr) + sizeof(nlmsgerr)));
}

void DumpsEndWithDone() {
  Bytes batch;
  Add(&batch, 18, NLM_F_REQUEST | NLM_F_DUMP, 0);
  const auto chunks = Split(batch, false);
  virbr::Replies replies(batch, chunks[0], 5);
  Bytes part;
  Add(&part, 16, NLM_F_MULTI, 5, {9});
  Add(&part, 16, NLM_F_MULTI | NLM_F_DUMP_INTR, 5, {9});
  replies.Feed(part.data(), part.size());
  CHECK(!replies.complete() && replies.interrupted());
  Bytes done;
  Add(&done, NLMSG_DONE, NLM_F_MULTI, 5, {0, 0, 0, 0});
  replies.Feed(done.data(), done.size());
  CHECK(replies.complete() && replies.error() == 0);

  // A dump that fails in its middle.
  virbr::Replies failed(batch, chunks[0], 5);
  const int error = -EMSGSIZE;
  Bytes code(sizeof error);
  std::memcpy(code.data(), &error, sizeof error);
  Bytes bad;
  const Bytes extack = {8, 0, NLMSGERR_ATTR_MSG, 0, 'w', 'h', 'y', 0};
  code.insert(code.end(), extack.begin(), extack.end());
  Add(&bad, NLMSG_DONE, NLM_F_MULTI | NLM_F_ACK_TLVS, 5, code);
  failed.Feed(bad.data(), bad.size());
  CHECK(failed.complete() && failed.error() == EMSGSIZE);
  const nlmsghdr made = HeaderAt(failed.bytes(), 0);
  CHECK(made.nlmsg_type == NLMSG_ERROR && made.nlmsg_flags == (NLM_F_CAPPED | NLM_F_ACK_TLVS));
  CHECK(made.nlmsg_len == sizeof(nlmsghdr) + sizeof(nlmsgerr) + extack.size());
  CHECK(std::equal(extack.begin(), extack.end(), failed.bytes().end() - static_cast<long>(extack.size())));
}

void NumbersAreAddedToEachMessage() {
  Bytes batch;
  Add(&batch, 16, NLM_F_REQUEST, 0, {1, 2, 3});
  Add(&batch, 16, NLM_F_REQUEST, 1);
  virbr::NumberMessages(batch.data(), batch.size(), 0xfffffffe);
  CHECK(HeaderAt(batch, 0).nlmsg_seq == 0xfffffffe);
  CHECK(HeaderAt(batch, 20).nlmsg_seq == 0xffffffff);
}

}  // namespace

int main() {
  DumpsGoAlone();
  BigBatchesAreSplitUnlessAtomic();
  BadBatchesAreRefused();
  RepliesFindTheirRequests();
  LostAcknowledgementsBecomeErrors();
  WhereAnswersWereLostSilenceIsNoSuccess();
  DumpsEndWithDone();
  NumbersAreAddedToEachMessage();
  std::puts("framing: 7 passed");
}
