// Whole files, as the calling thread's namespace sees them: /proc/sys/net is that of the thread.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "framing.h"

namespace virbr {

constexpr size_t kMaxFile = 16 << 20;

Failure ReadFile(const std::string& path, Bytes* data);
Failure ReadDirectory(const std::string& path, std::vector<std::string>* names);
// mode < 0: the file must exist.
Failure WriteFile(const std::string& path, const Bytes& data, int mode, bool sync);
Failure Rename(const std::string& from, const std::string& to, bool sync);
Failure Unlink(const std::string& path);
// Opens (creating it) a lock file and tries to lock it; EWOULDBLOCK if another has it.
Failure TryLock(const std::string& path, Fd* lock);

}  // namespace virbr
