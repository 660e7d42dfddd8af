#include "environment.h"

#include <system_error>
#include <utility>

#include "libvirt/library.h"
#include "watch.h"

namespace virbr {

namespace {

constexpr size_t kLeastSpare = 64 << 10;
constexpr size_t kMostSpare = 8 << 20;

}  // namespace

Environment::Environment(Napi::Env env)
    : mailbox_(std::make_shared<Mailbox>(env)),
      watcher_(std::make_shared<Watcher>(
          group_, [mailbox = mailbox_](uint64_t id) { mailbox->Post([id](Napi::Env e) { Watch::Deliver(e, id); }); })) {
  libvirt::Library::EnterEnvironment();
  // Hooks run last in, first out, and before anything of this environment is torn down.
  env.AddCleanupHook([](Environment* self) { self->Stop(); }, this);
}

Environment::~Environment() = default;

std::shared_ptr<HostThread> Environment::NewThread(NetnsSource source) {
  auto thread = std::make_shared<HostThread>(group_, std::move(source));
  threads_.insert(thread.get());
  return thread;
}

Environment::Call Environment::Begin(Napi::Env env, Napi::Object owner) {
  const uint64_t id = NextId();
  Waiting waiting{Napi::Promise::Deferred::New(env),
                  owner.IsEmpty() ? Napi::ObjectReference() : Napi::Persistent(owner)};
  const Napi::Promise promise = waiting.deferred.Promise();
  calls_.emplace(id, std::move(waiting));
  mailbox_->Ref();
  return {id, promise};
}

void Environment::Settle(uint64_t id, const std::function<Napi::Value()>& value) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const Waiting call = std::move(found->second);
  calls_.erase(found);
  mailbox_->Unref();
  try {
    call.deferred.Resolve(value());
  } catch (const Napi::Error& error) {
    try {
      call.deferred.Reject(error.Value());
    } catch (const Napi::Error&) {
      // A worker that is being terminated runs no JavaScript any more.
    }
  }
}

Napi::Promise Environment::Submit(HostThread& thread, std::unique_ptr<Job> job, Napi::Object owner, Convert convert) {
  const Napi::Env env = owner.Env();
  const Call call = Begin(env, owner);
  job->done = [id = call.id, mailbox = mailbox_, convert = std::move(convert)](std::unique_ptr<Job> finished) {
    mailbox->Post([id, convert, done = std::move(finished)](Napi::Env e) {
      Of(e).KeepSpare(done.get());
      Of(e).Settle(id, [&] { return convert(e, *done); });
    });
  };
  try {
    thread.Add(std::move(job));
  } catch (const std::system_error& error) {
    const std::string message = std::string("cannot start a thread: ") + error.what();
    Settle(call.id, [&]() -> Napi::Value { throw Napi::Error::New(env, message); });
  }
  return call.promise;
}

void Environment::KeepSpare(Job* job) {
  for (Step& step : job->steps) {
    auto* const netlink = std::get_if<NetlinkStep>(&step.body);
    if (netlink == nullptr) continue;
    const size_t size = netlink->messages.capacity();
    if (size >= kLeastSpare && size <= kMostSpare && size > spare_.capacity()) spare_ = std::move(netlink->messages);
  }
}

uint64_t Environment::Keep(const Napi::Function& function) {
  const uint64_t id = NextId();
  functions_.emplace(id, Napi::Persistent(function));
  return id;
}

Napi::Function Environment::Kept(uint64_t id) const {
  const auto found = functions_.find(id);
  return found == functions_.end() ? Napi::Function() : found->second.Value();
}

void Environment::Stop() {
  group_->RequestStop();
  for (HostThread* thread : threads_) thread->Wake();
  watcher_->Wake();
  group_->Wait();
  mailbox_->Close();
  libvirt::Library::LeaveEnvironment();
}

Napi::Object Environment::Stats(Napi::Env env) {
  Napi::Object stats = Napi::Object::New(env);
  stats.Set("hosts", static_cast<double>(threads_.size()));
  stats.Set("watches", static_cast<double>(watches.size()));
  stats.Set("threads", group_->live());
  return stats;
}

}  // namespace virbr
