// Network namespaces: opened, created, entered, and given names as `ip netns` does.
#pragma once

#include <cstdint>
#include <string>

#include "fd.h"

namespace virbr {

struct NetnsId {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const NetnsId& other) const { return device == other.device && inode == other.inode; }
};

// Opens a namespace file; EINVAL for a file of another kind.
Failure OpenNetns(const std::string& path, Fd* fd, NetnsId* id);
// Duplicates a descriptor of one.
Failure DupNetns(int from, Fd* fd, NetnsId* id);
// The calling thread's own.
Failure OpenOwnNetns(Fd* fd, NetnsId* id);
// Moves the calling thread, and no other, into a namespace. Does nothing if it is there: setns(2) into one's own
// namespace needs CAP_SYS_ADMIN like any other.
Failure EnterNetns(int fd, const NetnsId& id);
// Moves the calling thread into a new namespace.
Failure CreateNetns();
// Mounts the calling thread's namespace on a new file.
Failure BindNetns(const std::string& path);
Failure UnbindNetns(const std::string& path);

}  // namespace virbr
