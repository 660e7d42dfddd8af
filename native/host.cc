#include "host.h"

#include <string>
#include <utility>

#include "environment.h"
#include "step_parser.h"

namespace virbr {

namespace {

NetnsSource ParseSource(const Napi::CallbackInfo& info) {
  NetnsSource source;
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "source must be an object");
  const auto object = info[0].As<Napi::Object>();
  const Napi::Value path = object.Get("path");
  const Napi::Value fd = object.Get("fd");
  if (path.IsString()) source.path = path.As<Napi::String>().Utf8Value();
  if (fd.IsNumber()) source.fd = fd.As<Napi::Number>().Int32Value();
  source.create = object.Get("create").ToBoolean();
  return source;
}

[[noreturn]] void Throw(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, std::string(failure.call) + " failed");
  error.Set("errno", Napi::Number::New(env, failure.error));
  error.Set("call", Napi::String::New(env, failure.call));
  throw error;
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
  const Napi::Object object = environment.host_constructor.New({});
  Host* host = Unwrap(object);
  host->thread_ = environment.NewThread(ParseSource(info));
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
  auto deferred = Napi::Promise::Deferred::New(env);
  try {
    if (closed_ || !thread_) throw Napi::Error::New(env, "this Host is closed");
    auto job = std::make_unique<Job>();
    job->steps = ParseSteps(info[0]);
    return Environment::Of(env).Submit(*thread_, std::move(job), Value(), OutcomeToJs);
  } catch (const Napi::Error& error) {
    deferred.Reject(error.Value());
    return deferred.Promise();
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
