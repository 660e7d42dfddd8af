// A network namespace and the thread that works in it. The thread is there only while there is work, and a moment after:
// an idle Host costs the descriptor of its namespace.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "netlink_socket.h"
#include "netns.h"
#include "steps.h"
#include "thread_group.h"

namespace virbr {

struct NetnsSource {
  std::optional<std::string> path;
  std::optional<int> fd;
  bool create = false;
};

struct FailedStep {
  size_t step;
  Failure failure;
};

// Some steps and what became of them. Made on the JS thread, filled in by the Host's, handed back by `done`.
struct Job {
  enum class Kind { kOpen, kExec, kClose } kind = Kind::kExec;
  std::vector<Step> steps;
  std::vector<StepResult> results;
  std::optional<FailedStep> failed;
  // Called on the Host's thread; never called if the environment ends first. Holds nothing of JavaScript's.
  std::function<void(std::unique_ptr<Job>)> done;
};

class HostThread : public std::enable_shared_from_this<HostThread> {
 public:
  HostThread(std::shared_ptr<ThreadGroup> group, NetnsSource source)
      : group_(std::move(group)), source_(std::move(source)) {}

  // From the JS thread only. Starts the thread if it is not there. Throws std::system_error if it cannot be started.
  void Add(std::unique_ptr<Job> job);
  // Nobody will add anything more: gives back everything without waiting out the idle time.
  void Abandon();
  // Wakes the thread so that it sees that the group is stopping.
  void Wake();

  int netns_fd() const { return netns_fd_; }
  const NetnsId& netns_id() const { return netns_id_; }

 private:
  void Run();
  std::unique_ptr<Job> Next();
  void Do(Job* job);
  Failure OpenNamespace();
  void RunSteps(Job* job);
  Failure RunStep(Step* step, StepResult* result);
  Failure RunNetlink(NetlinkStep* step, StepResult* result);
  Failure Exchange(NetlinkStep* step, StepResult* result);
  Failure RunLock(const LockStep& step);
  Stopping stopping() const;

  const std::shared_ptr<ThreadGroup> group_;
  const NetnsSource source_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> jobs_;
  bool running_ = false;
  bool abandoned_ = false;

  // Below: the thread's own, and read by the JS thread only after the open job is done.
  Fd netns_;
  std::atomic<int> netns_fd_{-1};
  NetnsId netns_id_;
  std::map<std::string, Fd> locks_;
  std::map<int, NetlinkSocket> sockets_;
  // How many want the socket of a protocol kept open while the thread idles.
  std::map<int, int> held_;
};

}  // namespace virbr
