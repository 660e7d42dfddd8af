// Opening a connection, with somebody to ask for credentials.
#include <condition_variable>
#include <cstring>

#include "call.h"
#include "event_loop.h"
#include "exports.h"

namespace virbr::libvirt {

namespace {

struct Credential {
  int type;
  std::string prompt;
  std::optional<std::string> challenge;
  std::optional<std::string> default_result;
};
using Answers = std::vector<std::string>;

// One question, asked in a worker and answered on the JavaScript thread. Whatever becomes of the function that is to
// answer (never called, collected, the environment ended), the worker goes on: the last holder gone is a refusal.
class Question {
 public:
  explicit Question(size_t size) : size_(size) {}

  void Answer(std::optional<Answers> answers) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (answered_) return;
    answered_ = true;
    if (answers && answers->size() == size_) answers_ = std::move(answers);
    ready_.notify_all();
  }
  std::optional<Answers> Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_.wait(lock, [this] { return answered_; });
    return std::move(answers_);
  }

 private:
  const size_t size_;
  std::mutex mutex_;
  std::condition_variable ready_;
  bool answered_ = false;
  std::optional<Answers> answers_;
};

class Answerer {
 public:
  explicit Answerer(std::shared_ptr<Question> question) : question_(std::move(question)) {}
  ~Answerer() { question_->Answer(std::nullopt); }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  void Answer(const Napi::Value& given) const {
    if (!given.IsArray()) return question_->Answer(std::nullopt);
    const auto array = given.As<Napi::Array>();
    Answers answers;
    for (uint32_t i = 0; i < array.Length(); i++) {
      const Napi::Value each = array.Get(i);
      if (!each.IsString()) return question_->Answer(std::nullopt);
      answers.push_back(each.As<Napi::String>().Utf8Value());
    }
    question_->Answer(std::move(answers));
  }

 private:
  const std::shared_ptr<Question> question_;
};

Napi::Value TextOrUndefined(Napi::Env env, const std::optional<std::string>& text) {
  return text ? Napi::Value(Napi::String::New(env, *text)) : env.Undefined();
}

void Ask(Napi::Env env, uint64_t callback, const std::vector<Credential>& credentials,
         std::shared_ptr<Answerer> answerer) {
  const Napi::Function function = Environment::Of(env).Kept(callback);
  if (function.IsEmpty()) return;
  Napi::Array list = Napi::Array::New(env, credentials.size());
  for (uint32_t i = 0; i < credentials.size(); i++) {
    Napi::Object credential = Napi::Object::New(env);
    credential.Set("type", credentials[i].type);
    credential.Set("prompt", Napi::String::New(env, credentials[i].prompt));
    credential.Set("challenge", TextOrUndefined(env, credentials[i].challenge));
    credential.Set("defaultResult", TextOrUndefined(env, credentials[i].default_result));
    list.Set(i, credential);
  }
  const auto respond =
      Napi::Function::New(env, [answerer](const Napi::CallbackInfo& info) { answerer->Answer(info[0]); }, "respond");
  try {
    function.Call({list, respond});
  } catch (const Napi::Error&) {
    answerer->Answer(env.Null());
  }
}

// How credentials are asked for while one connection is opened.
struct Auth {
  std::shared_ptr<Mailbox> mailbox;
  uint64_t callback;
  std::vector<int> types;

  // In a worker.
  int operator()(virConnectCredentialPtr credentials, unsigned int count) const {
    std::vector<Credential> copies;
    for (unsigned int i = 0; i < count; i++) {
      const _virConnectCredential& from = credentials[i];
      copies.push_back({from.type, from.prompt == nullptr ? "" : from.prompt, std::nullopt, std::nullopt});
      if (from.challenge != nullptr) copies.back().challenge = from.challenge;
      if (from.defresult != nullptr) copies.back().default_result = from.defresult;
    }
    const auto question = std::make_shared<Question>(count);
    mailbox->Post([id = callback, copies = std::move(copies),
                   answerer = std::make_shared<Answerer>(question)](Napi::Env env) { Ask(env, id, copies, answerer); });
    const std::optional<Answers> answers = question->Wait();
    if (!answers) return -1;
    for (unsigned int i = 0; i < count; i++) {
      credentials[i].result = strdup((*answers)[i].c_str());
      credentials[i].resultlen = static_cast<unsigned int>((*answers)[i].size());
    }
    return 0;
  }
};

int OnAuth(virConnectCredentialPtr credentials, unsigned int count, void* auth) {
  return (*static_cast<const Auth*>(auth))(credentials, count);
}

struct AuthArgument {
  explicit AuthArgument(const Position& at) {
    if (at.value().IsUndefined() || at.value().IsNull()) return;
    static constexpr const char* kAccepted = "{ types, callback }, or undefined";
    if (!at.value().IsObject()) at.Refuse(kAccepted);
    const auto object = at.value().As<Napi::Object>();
    const Napi::Value types = object.Get("types");
    const Napi::Value callback = object.Get("callback");
    if (!types.IsArray() || !callback.IsFunction()) at.Refuse(kAccepted);
    Environment& environment = Environment::Of(at.info.Env());
    auth = std::make_shared<Auth>();
    const auto list = types.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); i++) {
      const Napi::Value type = list.Get(i);
      if (!type.IsNumber()) at.Refuse(kAccepted);
      auth->types.push_back(type.As<Napi::Number>().Int32Value());
    }
    auth->mailbox = environment.mailbox();
    auth->callback = environment.Keep(callback.As<Napi::Function>());
  }
  std::shared_ptr<Auth> auth;
};

Napi::Value Open(const Napi::CallbackInfo& info) {
  try {
    const FunctionInfo& function = about::virConnectOpenAuth;
    const Argument<const char*> uri(Position{info, function, 0});
    const AuthArgument auth(Position{info, function, 1});
    const Argument<unsigned int> flags(Position{info, function, 2});
    return Submit(info.Env(), nullptr, [uri, auth = auth.auth, flags] {
      const Library& library = Library::Get();
      const auto open = VIRBR_NEED(library, virConnectOpenAuth);
      VIRBR_NEED(library, virConnectClose);
      EventLoop::Get().Start(library);
      _virConnectAuth with{};
      if (auth) with = {auth->types.data(), static_cast<unsigned int>(auth->types.size()), OnAuth, auth.get()};
      const virConnectPtr connection = open(uri.Get(), auth ? &with : nullptr, flags.Get());
      const CallFailed reason = connection == nullptr ? library.LastError() : CallFailed{};
      if (auth) {
        auth->mailbox->Post([callback = auth->callback](Napi::Env env) { Environment::Of(env).Forget(callback); });
      }
      if (connection == nullptr) throw reason;
      return Object::Adopt(connection, std::make_shared<Link>(library, connection));
    });
  } catch (const Napi::Error& error) {
    return Rejected(error);
  }
}

Napi::Value GetVersion(const Napi::CallbackInfo& info) {
  return Submit(info.Env(), nullptr, [] {
    const Library& library = Library::Get();
    unsigned long version = 0;
    if (VIRBR_NEED(library, virGetVersion)(&version, nullptr, nullptr) < 0) throw library.LastError();
    return version;
  });
}

}  // namespace

void ExportConnection(Exports& exports) {
  exports.Add(about::virConnectOpenAuth, Open);
  exports.Add(about::virGetVersion, GetVersion);
}

}  // namespace virbr::libvirt
