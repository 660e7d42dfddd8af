// Programs started in, and processes ended from, a Host's thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "fd.h"
#include "framing.h"

namespace virbr {

// Says that the environment is going away and a wait should end.
using Stopping = std::function<bool()>;

struct SpawnResult {
  int status = 0;  // exit status, or minus the signal
  Bytes output;
};

// Starts a program in the calling thread's namespace and waits for it; ETIMEDOUT if it had to be killed, ECANCELED if
// `stopping` said so.
Failure Spawn(const std::string& file, const std::vector<std::string>& argv, const std::vector<std::string>& env,
              int timeout_ms, const Stopping& stopping, SpawnResult* result);

// SIGTERM, after timeout_ms SIGKILL. `outcome`: absent, mismatch, terminated or killed.
Failure Terminate(pid_t pid, const std::string& match, int timeout_ms, const Stopping& stopping, const char** outcome);

}  // namespace virbr
