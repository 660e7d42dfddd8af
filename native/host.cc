#include "host.h"

#include <string>
#include <utility>

#include "environment.h"
#include "step_parser.h"

namespace virbr {

namespace {

// Strict: whatever is misread here as `{}` would give the caller's own namespace.
NetnsSource ParseSource(const Napi::Value& value) {
  const auto check = [&value](bool accepted, const char* message) {
    if (!accepted) throw Napi::TypeError::New(value.Env(), message);
  };
  check(value.IsObject(), "source must be an object");
  const auto object = value.As<Napi::Object>();
  const Napi::Value path = object.Get("path");
  const Napi::Value fd = object.Get("fd");
  const Napi::Value create = object.Get("create");
  NetnsSource source;
  if (!path.IsUndefined()) {
    check(path.IsString(), "source.path must be a string");
    source.path = path.As<Napi::String>().Utf8Value();
    check(source.path->find('\0') == std::string::npos, "source.path must be a string without NUL");
  }
  if (!fd.IsUndefined()) {
    const double number = fd.IsNumber() ? fd.As<Napi::Number>().DoubleValue() : -1;
    check(number >= 0 && number <= INT32_MAX && number == static_cast<int>(number), "source.fd must be a descriptor");
    source.fd = static_cast<int>(number);
  }
  check(create.IsUndefined() || create.IsBoolean(), "source.create must be true or false");
  source.create = create.ToBoolean();
  check(source.path.has_value() + source.fd.has_value() + source.create <= 1,
        "source must be a path, an fd or a create");
  return source;
}

[[noreturn]] void Throw(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, std::string(failure.call) + " failed");
  error.Set("errno", Napi::Number::New(env, failure.error));
  error.Set("call", Napi::String::New(env, failure.call));
  throw error;
}

Napi::Promise Rejected(Napi::Env env, const Napi::Error& error) {
  auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(error.Value());
  return deferred.Promise();
}

Napi::Value OutcomeToJs(Napi::Env env, Job& job) {
  Napi::Object outcome = Napi::Object::New(env);
  Napi::Array results = Napi::Array::New(env, job.results.size());
  for (uint32_t i = 0; i < job.results.size(); i++) results.Set(i, StepResultToJs(env, job.results[i]));
  outcome.Set("results", results);
  if (job.failed) {
    Napi::Object failed = FailureToJs(env, job.failed->failure);
    failed.Set("step", static_cast<double>(job.failed->step));
    outcome.Set("failed", failed);
  }
  return outcome;
}

}  // namespace

Napi::Function Host::Define(Napi::Env env) {
  return DefineClass(env, "NativeHost",
                     {
                         InstanceMethod<&Host::Exec>("exec"),
                         InstanceMethod<&Host::Close>("close"),
                         InstanceAccessor<&Host::NetnsFd>("netnsFd"),
                         InstanceAccessor<&Host::NetnsDevice>("netnsDevice"),
                         InstanceAccessor<&Host::NetnsInode>("netnsInode"),
                     });
}

Napi::Value Host::Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Environment& environment = Environment::Of(env);
  NetnsSource source;
  try {
    source = ParseSource(info[0]);
  } catch (const Napi::Error& error) {
    return Rejected(env, error);
  }
  const Napi::Object object = environment.host_constructor.New({});
  Host* host = Unwrap(object);
  host->thread_ = environment.NewThread(std::move(source));
  auto job = std::make_unique<Job>();
  job->kind = Job::Kind::kOpen;
  return environment.Submit(*host->thread_, std::move(job), object, [host](Napi::Env e, Job& done) -> Napi::Value {
    if (!done.failed) return host->Value();
    host->Release(e);
    Throw(e, done.failed->failure);
  });
}

Host::~Host() {
  if (!thread_) return;
  // Collected without close(). No call is under way, since each holds its Host.
  thread_->Abandon();
  if (Environment* environment = Napi::Env(Env()).GetInstanceData<Environment>()) environment->Forget(thread_.get());
}

void Host::Release(Napi::Env env) {
  closed_ = true;
  if (!thread_) return;
  thread_->Abandon();
  Environment::Of(env).Forget(thread_.get());
  thread_.reset();
}

Napi::Value Host::Exec(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  try {
    if (closed_ || !thread_) throw Napi::Error::New(env, "this Host is closed");
    auto job = std::make_unique<Job>();
    job->steps = ParseSteps(info[0]);
    return Environment::Of(env).Submit(*thread_, std::move(job), Value(), OutcomeToJs);
  } catch (const Napi::Error& error) {
    return Rejected(env, error);
  }
}

Napi::Value Host::Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (closed_ || !thread_) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Resolve(env.Undefined());
    return deferred.Promise();
  }
  closed_ = true;
  auto job = std::make_unique<Job>();
  job->kind = Job::Kind::kClose;
  return Environment::Of(env).Submit(*thread_, std::move(job), Value(), [this](Napi::Env e, Job&) -> Napi::Value {
    Release(e);
    return e.Undefined();
  });
}

Napi::Value Host::NetnsFd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), thread_ && !closed_ ? thread_->netns_fd() : -1);
}

Napi::Value Host::NetnsDevice(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), thread_ ? static_cast<double>(thread_->netns_id().device) : 0);
}

Napi::Value Host::NetnsInode(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), thread_ ? static_cast<double>(thread_->netns_id().inode) : 0);
}

}  // namespace virbr
