#include "netns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace virbr {

namespace {

constexpr char kOwn[] = "/proc/thread-self/ns/net";

Failure Identify(int fd, NetnsId* id) {
  if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) return Failure{EINVAL, "ioctl(NS_GET_NSTYPE)"};
  struct stat status{};
  if (fstat(fd, &status) != 0) return LastError("fstat");
  id->device = status.st_dev;
  id->inode = status.st_ino;
  return {};
}

Failure MakeDirectories(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) return LastError("mkdir");
  }
  return {};
}

// Names must be seen in, and removable from, other mount namespaces: the directory becomes a shared mount.
Failure ShareDirectory(const std::string& directory) {
  const char* name = directory.c_str();
  if (mount("", name, "none", MS_SHARED | MS_REC, nullptr) == 0) return {};
  if (errno != EINVAL) return LastError("mount");
  if (mount(name, name, "none", MS_BIND | MS_REC, nullptr) != 0) return LastError("mount");
  if (mount("", name, "none", MS_SHARED | MS_REC, nullptr) != 0) return LastError("mount");
  return {};
}

}  // namespace

Failure OpenNetns(const std::string& path, Fd* fd, NetnsId* id) {
  Fd opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) return LastError("open");
  if (Failure failure = Identify(opened.get(), id)) return failure;
  *fd = std::move(opened);
  return {};
}

Failure DupNetns(int from, Fd* fd, NetnsId* id) {
  Fd copy(fcntl(from, F_DUPFD_CLOEXEC, 3));
  if (!copy) return LastError("fcntl");
  if (Failure failure = Identify(copy.get(), id)) return failure;
  *fd = std::move(copy);
  return {};
}

Failure OpenOwnNetns(Fd* fd, NetnsId* id) { return OpenNetns(kOwn, fd, id); }

Failure EnterNetns(int fd, const NetnsId& id) {
  struct stat own{};
  if (stat(kOwn, &own) == 0 && NetnsId{own.st_dev, own.st_ino} == id) return {};
  return setns(fd, CLONE_NEWNET) == 0 ? Failure{} : LastError("setns");
}

Failure CreateNetns() { return unshare(CLONE_NEWNET) == 0 ? Failure{} : LastError("unshare"); }

Failure BindNetns(const std::string& path) {
  if (Failure failure = MakeDirectories(path)) return failure;
  if (Failure failure = ShareDirectory(path.substr(0, path.rfind('/')))) return failure;
  Fd file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
  if (!file) return LastError("open");
  file.Reset();
  if (mount(kOwn, path.c_str(), "none", MS_BIND, nullptr) == 0) return {};
  const Failure failure = LastError("mount");
  unlink(path.c_str());
  return failure;
}

Failure UnbindNetns(const std::string& path) {
  // EINVAL: a leftover file that nothing is mounted on.
  if (umount2(path.c_str(), MNT_DETACH) != 0 && errno != EINVAL) return LastError("umount2");
  return unlink(path.c_str()) == 0 ? Failure{} : LastError("unlink");
}

}  // namespace virbr
