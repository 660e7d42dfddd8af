#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "files.h"

namespace virbr {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxOutput = 64 << 10;
// How long a process that is ending already is waited for. A kernel thread looks the same and never ends.
constexpr int kEndingMs = 1000;
// How soon a wait notices that the environment is going away.
constexpr int kPollMs = 20;
// A killed process ends at once, unless it sits in the kernel.
constexpr int kKillMs = 2000;

int PidfdOpen(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
int PidfdSignal(int pidfd, int signal) {
  return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawn's actions and attributes, freed together.
class SpawnSetup {
 public:
  explicit SpawnSetup(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, 1);
    posix_spawn_file_actions_adddup2(&actions_, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    posix_spawnattr_init(&attributes_);
    sigset_t all;
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    // Not the batch thread's that starts it.
    const sched_param parameters{};
    posix_spawnattr_setschedpolicy(&attributes_, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes_, &parameters);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSCHEDULER);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// Takes what is there to read; false at the end of the pipe. One read empties a pipe (pipe(7): 64 KiB); a second one
// might find what was written meanwhile, and a program that writes without end would hold us here.
bool Drain(int fd, Bytes* output) {
  uint8_t buffer[64 << 10];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  if (size == 0) return false;
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  const size_t room = kMaxOutput - std::min(kMaxOutput, output->size());
  output->insert(output->end(), buffer, buffer + std::min(room, static_cast<size_t>(size)));
  return true;
}

// Waits until `pidfd` says that the process has ended, reading `pipe` meanwhile. False if time is up or it is to stop.
bool AwaitEnd(int pidfd, int pipe, int timeout_ms, const Stopping& stopping, Bytes* output) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (Clock::now() < deadline && !stopping()) {
    pollfd fds[] = {{pidfd, POLLIN, 0}, {pipe, POLLIN, 0}};
    if (poll(fds, 2, kPollMs) < 0 && errno != EINTR) return false;
    if (pipe >= 0 && fds[1].revents != 0 && !Drain(pipe, output)) pipe = -1;
    if (fds[0].revents != 0) {
      if (pipe >= 0) Drain(pipe, output);
      return true;
    }
  }
  return false;
}

}  // namespace

Failure Spawn(const std::string& file, const std::vector<std::string>& argv, const std::vector<std::string>& env,
              int timeout_ms, const Stopping& stopping, SpawnResult* result) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return LastError("pipe2");
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  {
    const SpawnSetup setup(writing.get());
    const int error = posix_spawn(&pid, file.c_str(), setup.actions(), setup.attributes(), Pointers(argv).data(),
                                  Pointers(env).data());
    if (error != 0) return Failure{error, "spawn"};
  }
  writing.Reset();
  const Fd pidfd(PidfdOpen(pid));
  const Failure unwatched = pidfd ? Failure{} : LastError("pidfd_open");
  const bool ended = pidfd && AwaitEnd(pidfd.get(), reading.get(), timeout_ms, stopping, &result->output);
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (unwatched) return unwatched;
  if (!ended) return Failure{stopping() ? ECANCELED : ETIMEDOUT, "spawn"};
  result->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return {};
}

Failure Terminate(pid_t pid, const std::string& match, int timeout_ms, const Stopping& stopping, const char** outcome) {
  *outcome = "absent";
  const Fd pidfd(PidfdOpen(pid));
  if (!pidfd) return errno == ESRCH ? Failure{} : LastError("pidfd_open");
  // The descriptor was opened first: what is read now belongs to the process that it holds, or that one has ended.
  Bytes cmdline;
  if (const Failure failure = ReadFile("/proc/" + std::to_string(pid) + "/cmdline", &cmdline)) {
    return failure.error == ENOENT || failure.error == ESRCH ? Failure{} : failure;
  }
  std::replace(cmdline.begin(), cmdline.end(), uint8_t{0}, uint8_t{' '});
  if (std::search(cmdline.begin(), cmdline.end(), match.begin(), match.end()) == cmdline.end()) {
    if (!cmdline.empty()) {
      *outcome = "mismatch";
    } else {
      // A process that is ending has no command line any more, but may still hold a port.
      AwaitEnd(pidfd.get(), -1, std::min(timeout_ms, kEndingMs), stopping, nullptr);
    }
    return {};
  }
  const struct {
    int signal;
    const char* outcome;
    int timeout_ms;
  } attempts[] = {{SIGTERM, "terminated", timeout_ms}, {SIGKILL, "killed", std::max(timeout_ms, kKillMs)}};
  for (const auto& attempt : attempts) {
    *outcome = attempt.outcome;
    if (PidfdSignal(pidfd.get(), attempt.signal) != 0)
      return errno == ESRCH ? Failure{} : LastError("pidfd_send_signal");
    if (AwaitEnd(pidfd.get(), -1, attempt.timeout_ms, stopping, nullptr)) return {};
    if (stopping()) return Failure{ECANCELED, "terminate"};
  }
  return Failure{ETIMEDOUT, "terminate"};
}

}  // namespace virbr
