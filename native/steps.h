// The steps that a Host's thread can do, as plain data. binding/index.ts tells what each means.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "event_socket.h"
#include "framing.h"
#include "process.h"
#include "tap.h"

namespace virbr {

struct NetlinkStep {
  int protocol;
  Bytes messages;
  bool atomic;
  bool partial;
  int hold;  // 1: one more wants the socket kept open, -1: one less
};
struct ReadFileStep {
  std::string path;
};
struct ReadDirStep {
  std::string path;
};
struct WriteFileStep {
  std::string path;
  Bytes data;
  int mode;  // -1: the file must exist
  bool sync;
};
struct RenameStep {
  std::string from;
  std::string to;
  bool sync;
};
struct UnlinkStep {
  std::string path;
};
struct LockStep {
  std::string path;
  int timeout_ms;
};
struct UnlockStep {
  std::string path;
};
struct TapStep {
  TapOptions options;
};
struct LinkIndicesStep {
  std::vector<std::string> names;
};
struct CloseFdsStep {
  std::vector<int> fds;
};
struct SpawnStep {
  std::string file;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  int timeout_ms;
};
struct TerminateStep {
  int pid;
  std::string match;
  int timeout_ms;
};
struct BindNetnsStep {
  std::string path;
};
struct UnbindNetnsStep {
  std::string path;
};

struct WatchStep {
  int protocol;
  std::vector<uint32_t> groups;
  int receive_buffer;
};

using StepBody = std::variant<NetlinkStep, ReadFileStep, ReadDirStep, WriteFileStep, RenameStep, UnlinkStep, LockStep,
                              UnlockStep, TapStep, LinkIndicesStep, CloseFdsStep, SpawnStep, TerminateStep,
                              BindNetnsStep, UnbindNetnsStep, WatchStep>;

struct Step {
  StepBody body;
  bool may_fail = false;
};

// Descriptors close themselves if no JavaScript is left to take them.
using StepResult = std::variant<std::monostate, Bytes, std::vector<std::string>, std::vector<Fd>, SpawnResult,
                                const char*, EventSocket, Failure>;

}  // namespace virbr
