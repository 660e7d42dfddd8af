#include "host_thread.h"

#include <sched.h>

#include <chrono>
#include <iterator>
#include <thread>

#include "files.h"
#include "link_indices.h"
#include "signals.h"

namespace virbr {

namespace {

using Clock = std::chrono::steady_clock;

// Long enough for a burst of calls to find the thread awake; short enough for a thousand Hosts to cost no threads.
constexpr auto kIdle = std::chrono::seconds(2);
constexpr auto kLockPoll = std::chrono::milliseconds(1);

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// A thread that JavaScript wakes must not take its processor away: the kernel would work there for tens of milliseconds
// before the event loop goes on. A batch thread waits until it is free, or another one is (sched(7)).
void YieldToOthers() {
  const sched_param parameters{};
  if (sched_getscheduler(0) == SCHED_OTHER) sched_setscheduler(0, SCHED_BATCH, &parameters);
}

}  // namespace

void HostThread::Add(std::unique_ptr<Job> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back(std::move(job));
  if (running_) {
    wake_.notify_one();
    return;
  }
  group_->Enter();
  try {
    const SignalsBlocked inherited;
    // Detached: the group knows when it is gone, and -z nodelete keeps its code.
    std::thread([self = shared_from_this()] { self->Run(); }).detach();
    running_ = true;
  } catch (...) {
    group_->Leave();
    jobs_.pop_back();
    throw;
  }
}

void HostThread::Abandon() {
  const std::lock_guard<std::mutex> lock(mutex_);
  abandoned_ = true;
  wake_.notify_one();
}

void HostThread::Wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_.notify_one();
}

Stopping HostThread::stopping() const {
  return [group = group_] { return group->stopping(); };
}

void HostThread::Run() {
  const std::shared_ptr<ThreadGroup> group = group_;
  YieldToOthers();
  Failure entered;
  if (netns_) entered = EnterNetns(netns_.get(), netns_id_);
  while (std::unique_ptr<Job> job = Next()) {
    if (entered && job->kind == Job::Kind::kExec) {
      job->failed = FailedStep{0, entered};
    } else {
      Do(job.get());
    }
    auto done = std::move(job->done);
    done(std::move(job));
  }
  group->Leave();
}

// The next job, or null when the thread is to end. It gives back the sockets then: opening one takes microseconds.
std::unique_ptr<Job> HostThread::Next() {
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait_for(lock, kIdle, [this] { return !jobs_.empty() || abandoned_ || group_->stopping(); });
  if (jobs_.empty() || group_->stopping()) {
    for (auto it = sockets_.begin(); it != sockets_.end();) {
      const bool held = !abandoned_ && !group_->stopping() && held_[it->first] > 0;
      it = held ? std::next(it) : sockets_.erase(it);
    }
    if (abandoned_) {
      locks_.clear();
      netns_.Reset();
    }
    jobs_.clear();
    running_ = false;
    return nullptr;
  }
  std::unique_ptr<Job> job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void HostThread::Do(Job* job) {
  switch (job->kind) {
    case Job::Kind::kOpen:
      if (const Failure failure = OpenNamespace()) job->failed = FailedStep{0, failure};
      return;
    case Job::Kind::kExec:
      RunSteps(job);
      return;
    case Job::Kind::kClose:
      sockets_.clear();
      held_.clear();
      locks_.clear();
      netns_fd_ = -1;
      netns_.Reset();
      // The thread goes too, without waiting for its idle time.
      const std::lock_guard<std::mutex> lock(mutex_);
      abandoned_ = true;
      return;
  }
}

Failure HostThread::OpenNamespace() {
  Failure failure;
  if (source_.create) {
    failure = CreateNetns();
    if (!failure) failure = OpenOwnNetns(&netns_, &netns_id_);
  } else if (source_.path) {
    failure = OpenNetns(*source_.path, &netns_, &netns_id_);
  } else if (source_.fd) {
    failure = DupNetns(*source_.fd, &netns_, &netns_id_);
  } else {
    failure = OpenOwnNetns(&netns_, &netns_id_);
  }
  if (!failure) failure = EnterNetns(netns_.get(), netns_id_);
  if (!failure) netns_fd_ = netns_.get();
  return failure;
}

void HostThread::RunSteps(Job* job) {
  job->results.reserve(job->steps.size());
  for (size_t i = 0; i < job->steps.size(); i++) {
    Step& step = job->steps[i];
    StepResult result;
    const Failure failure = RunStep(&step, &result);
    // A netlink reply tells more than its first errno, whether the run goes on or not.
    const bool keep = !failure || std::holds_alternative<Bytes>(result);
    if (!keep) result = failure;
    if (keep || step.may_fail) job->results.push_back(std::move(result));
    if (!failure || step.may_fail) continue;
    job->failed = FailedStep{i, failure};
    return;
  }
}

Failure HostThread::RunStep(Step* step, StepResult* result) {
  return std::visit(
      Overloaded{
          [&](NetlinkStep& s) { return RunNetlink(&s, result); },
          [&](ReadFileStep& s) {
            Bytes data;
            const Failure failure = ReadFile(s.path, &data);
            if (!failure) *result = std::move(data);
            return failure;
          },
          [&](ReadDirStep& s) {
            std::vector<std::string> names;
            const Failure failure = ReadDirectory(s.path, &names);
            *result = std::move(names);
            return failure;
          },
          [&](WriteFileStep& s) { return WriteFile(s.path, s.data, s.mode, s.sync); },
          [&](RenameStep& s) { return Rename(s.from, s.to, s.sync); },
          [&](UnlinkStep& s) { return Unlink(s.path); },
          [&](LockStep& s) { return RunLock(s); },
          [&](UnlockStep& s) { return locks_.erase(s.path) == 1 ? Failure{} : Failure{ENOLCK, "unlock"}; },
          [&](TapStep& s) {
            std::vector<Fd> queues;
            const Failure failure = CreateTap(s.options, &queues);
            *result = std::move(queues);
            return failure;
          },
          [&](LinkIndicesStep& s) {
            Bytes indices;
            const Failure failure = LinkIndices(s.names, &indices);
            if (!failure) *result = std::move(indices);
            return failure;
          },
          [&](CloseFdsStep& s) {
            for (const int fd : s.fds) close(fd);
            return Failure{};
          },
          [&](SpawnStep& s) {
            SpawnResult spawned;
            const Failure failure = Spawn(s.file, s.argv, s.env, s.timeout_ms, stopping(), &spawned);
            *result = std::move(spawned);
            return failure;
          },
          [&](TerminateStep& s) {
            const char* outcome = "";
            const Failure failure = Terminate(s.pid, s.match, s.timeout_ms, stopping(), &outcome);
            *result = outcome;
            return failure;
          },
          [&](BindNetnsStep& s) { return BindNetns(s.path); },
          [&](UnbindNetnsStep& s) { return UnbindNetns(s.path); },
          [&](WatchStep& s) {
            EventSocket socket;
            const Failure failure = socket.Open(s.protocol, s.groups, s.receive_buffer);
            *result = std::move(socket);
            return failure;
          },
      },
      step->body);
}

Failure HostThread::RunNetlink(NetlinkStep* step, StepResult* result) {
  held_[step->protocol] += step->hold;
  const Failure failure = Exchange(step, result);
  // What the socket owns goes with it, at once.
  if (step->hold < 0 && held_[step->protocol] <= 0) sockets_.erase(step->protocol);
  return failure;
}

Failure HostThread::Exchange(NetlinkStep* step, StepResult* result) {
  NetlinkSocket& socket = sockets_[step->protocol];
  if (!socket.is_open()) {
    if (const Failure failure = socket.Open(step->protocol)) return failure;
  }
  Bytes reply;
  int refused = 0;
  if (const Failure failure = socket.Request(&step->messages, step->atomic, step->partial, &reply, &refused))
    return failure;
  *result = std::move(reply);
  return Failure{refused, "netlink"};
}

// Polls instead of blocking in flock(2), so that the end of the environment can end the wait.
Failure HostThread::RunLock(const LockStep& step) {
  if (locks_.count(step.path) != 0) return Failure{EDEADLK, "lock"};
  Fd lock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(step.timeout_ms);
  for (;;) {
    const Failure failure = TryLock(step.path, &lock);
    if (!failure) {
      locks_[step.path] = std::move(lock);
      return {};
    }
    if (failure.error != EWOULDBLOCK && failure.error != EINTR) return failure;
    if (group_->stopping()) return Failure{ECANCELED, "lock"};
    if (Clock::now() >= deadline) return Failure{ETIMEDOUT, "lock"};
    std::unique_lock<std::mutex> guard(mutex_);
    wake_.wait_for(guard, kLockPoll, [this] { return group_->stopping(); });
  }
}

}  // namespace virbr
