#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>

namespace virbr {

Failure ReadFile(const std::string& path, Bytes* data) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return LastError("open");
  // Files in /proc have no size: read until the end.
  for (;;) {
    const size_t before = data->size();
    const size_t room = before < 4096 ? 4096 : before;
    data->resize(before + room);
    const ssize_t size = read(fd.get(), data->data() + before, room);
    data->resize(before + (size > 0 ? static_cast<size_t>(size) : 0));
    if (size == 0) return {};
    if (size < 0 && errno != EINTR) return LastError("read");
    if (data->size() > kMaxFile) return Failure{EFBIG, "read"};
  }
}

Failure ReadDirectory(const std::string& path, std::vector<std::string>* names) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (!directory) return LastError("opendir");
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr) return errno == 0 ? Failure{} : LastError("readdir");
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names->push_back(name);
  }
}

Failure WriteFile(const std::string& path, const Bytes& data, int mode, bool sync) {
  // Nonblocking: opening a FIFO that nobody reads would wait for ever.
  const int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | (mode < 0 ? 0 : O_CREAT | O_TRUNC);
  Fd fd(open(path.c_str(), flags, mode < 0 ? 0 : mode));
  if (!fd) return LastError("open");
  ssize_t size;
  do {
    size = write(fd.get(), data.data(), data.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return LastError("write");
  if (static_cast<size_t>(size) < data.size()) return Failure{ENOSPC, "write"};
  if (sync && fsync(fd.get()) != 0) return LastError("fsync");
  return {};
}

Failure Rename(const std::string& from, const std::string& to, bool sync) {
  if (rename(from.c_str(), to.c_str()) != 0) return LastError("rename");
  if (!sync) return {};
  const std::string parent = to.find('/') == std::string::npos ? "." : to.substr(0, to.rfind('/') + 1);
  const Fd directory(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return LastError("open");
  return fsync(directory.get()) == 0 ? Failure{} : LastError("fsync");
}

Failure Unlink(const std::string& path) { return unlink(path.c_str()) == 0 ? Failure{} : LastError("unlink"); }

Failure TryLock(const std::string& path, Fd* lock) {
  if (!*lock) {
    Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return LastError("open");
    *lock = std::move(fd);
  }
  return flock(lock->get(), LOCK_EX | LOCK_NB) == 0 ? Failure{} : LastError("flock");
}

}  // namespace virbr
