#include "framing.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace virbr {

namespace {

constexpr int kMaxErrno = 4095;  // MAX_ERRNO, linux/err.h

nlmsghdr HeaderAt(const uint8_t* at) {
  nlmsghdr header;
  std::memcpy(&header, at, sizeof header);
  return header;
}

bool IsDump(const nlmsghdr& header) {
  // The two bits mean something else in requests that change things (NLM_F_REPLACE | NLM_F_EXCL). rtnetlink's gets are
  // the types 2 mod 4; nf_tables' stand among others, but no change of either has both bits set.
  return (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

bool IsAwaited(const nlmsghdr& header) { return (header.nlmsg_flags & NLM_F_ACK) != 0 || IsDump(header); }

}  // namespace

bool SplitBatch(const Bytes& batch, bool atomic, size_t max_messages, size_t max_bytes, std::vector<Chunk>* chunks,
                std::string* why) {
  chunks->clear();
  uint32_t index = 0;
  for (size_t at = 0; at < batch.size(); index++) {
    if (batch.size() - at < sizeof(nlmsghdr)) {
      *why = "a message is cut short";
      return false;
    }
    const nlmsghdr header = HeaderAt(batch.data() + at);
    const size_t size = NLMSG_ALIGN(static_cast<size_t>(header.nlmsg_len));
    if (header.nlmsg_len < sizeof(nlmsghdr) || size > batch.size() - at) {
      *why = "nlmsg_len does not fit";
      return false;
    }
    if (header.nlmsg_seq != index) {
      *why = "nlmsg_seq is not the message's index";
      return false;
    }
    const bool dump = !atomic && IsDump(header);
    const bool fits = !chunks->empty() && !chunks->back().dump && !dump &&
                      (atomic || (chunks->back().count < max_messages && chunks->back().size + size <= max_bytes));
    if (!fits) chunks->push_back(Chunk{at, 0, index, 0, dump});
    chunks->back().size += size;
    chunks->back().count++;
    at += size;
  }
  return true;
}

void NumberMessages(uint8_t* messages, size_t size, uint32_t base) {
  for (size_t at = 0; at < size;) {
    nlmsghdr header = HeaderAt(messages + at);
    header.nlmsg_seq += base;
    std::memcpy(messages + at, &header, sizeof header);
    at += NLMSG_ALIGN(static_cast<size_t>(header.nlmsg_len));
  }
}

Replies::Replies(const Bytes& batch, const Chunk& chunk, uint32_t base)
    : base_(base), first_(chunk.first), awaited_(chunk.count), answered_(chunk.count), requests_(chunk.count) {
  size_t at = chunk.offset;
  for (uint32_t i = 0; i < chunk.count; i++) {
    const nlmsghdr header = HeaderAt(batch.data() + at);
    requests_[i] = header;
    awaited_[i] = IsAwaited(header);
    if (awaited_[i]) waiting_++;
    at += NLMSG_ALIGN(static_cast<size_t>(header.nlmsg_len));
  }
}

void Replies::Feed(const uint8_t* data, size_t size) {
  for (size_t at = 0; size - at >= sizeof(nlmsghdr);) {
    const nlmsghdr header = HeaderAt(data + at);
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > size - at) return;
    Take(header, data + at);
    at += std::min(NLMSG_ALIGN(static_cast<size_t>(header.nlmsg_len)), size - at);
  }
}

void Replies::Take(const nlmsghdr& header, const uint8_t* message) {
  const uint32_t index = header.nlmsg_seq - base_;
  if (index < first_ || index - first_ >= requests_.size()) return;
  if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) {
    int error = 0;
    if (header.nlmsg_len >= sizeof(nlmsghdr) + sizeof error)
      std::memcpy(&error, message + sizeof(nlmsghdr), sizeof error);
    Settle(index);
    if (error >= 0) return;
    if (error_ == 0) error_ = -std::max(error, -kMaxErrno);
    // A dump that fails in its middle says so in NLMSG_DONE; readers know errors by NLMSG_ERROR. The extended
    // acknowledgement stands behind the errno in the one, behind the request in the other.
    if (header.nlmsg_type == NLMSG_DONE) {
      nlmsgerr body{};
      body.error = error;
      body.msg = requests_[index - first_];
      const uint8_t* extack = message + sizeof(nlmsghdr) + sizeof error;
      Bytes whole(reinterpret_cast<const uint8_t*>(&body), reinterpret_cast<const uint8_t*>(&body + 1));
      whole.insert(whole.end(), extack, message + header.nlmsg_len);
      nlmsghdr made = header;
      made.nlmsg_type = NLMSG_ERROR;
      made.nlmsg_flags = NLM_F_CAPPED | (header.nlmsg_flags & NLM_F_ACK_TLVS);
      made.nlmsg_len = static_cast<uint32_t>(sizeof made + whole.size());
      Append(made, index, whole.data(), whole.size());
      return;
    }
  }
  Append(header, index, message + sizeof(nlmsghdr), header.nlmsg_len - sizeof(nlmsghdr));
}

void Replies::Overrun() {
  for (size_t i = 0; i < awaited_.size(); i++) {
    if (awaited_[i] || answered_[i]) continue;
    awaited_[i] = true;
    waiting_++;
  }
}

void Replies::Settle(uint32_t index) {
  answered_[index - first_] = true;
  if (!awaited_[index - first_]) return;
  awaited_[index - first_] = false;
  waiting_--;
}

void Replies::Append(const nlmsghdr& header, uint32_t index, const uint8_t* body, size_t size) {
  nlmsghdr numbered = header;
  numbered.nlmsg_seq = index;
  const auto* start = reinterpret_cast<const uint8_t*>(&numbered);
  bytes_.insert(bytes_.end(), start, start + sizeof numbered);
  bytes_.insert(bytes_.end(), body, body + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void Replies::FailMissing(int error) {
  for (uint32_t i = 0; i < awaited_.size(); i++) {
    if (!awaited_[i]) continue;
    nlmsgerr body{};
    body.error = -error;
    body.msg = requests_[i];
    nlmsghdr made{};
    made.nlmsg_type = NLMSG_ERROR;
    made.nlmsg_flags = NLM_F_CAPPED;
    made.nlmsg_len = sizeof made + sizeof body;
    Append(made, first_ + i, reinterpret_cast<const uint8_t*>(&body), sizeof body);
    if (error_ == 0) error_ = error;
    Settle(first_ + i);
  }
}

}  // namespace virbr
