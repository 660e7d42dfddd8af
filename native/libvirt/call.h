// How a call gets from JavaScript into a worker and back: arguments are read here, libvirt is called there, the result
// becomes a value here again.
#pragma once

#include <napi.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../environment.h"
#include "handle.h"
#include "workers.h"

namespace virbr::libvirt {

// Calls that have not come back from libvirt, of the process.
inline std::atomic<int> calls_under_way{0};

// ---- Arguments: each type knows what it accepts, how it is read, and what libvirt gets of it.

struct Position {
  const Napi::CallbackInfo& info;
  const FunctionInfo& function;
  size_t index;

  Napi::Value value() const { return info[index]; }
  [[noreturn]] void Refuse(const char* accepted) const {
    throw ArgumentError(info.Env(), function.name, index, accepted);
  }
};

template <class T>
struct Argument;

template <class T>
struct IntegerArgument {
  explicit IntegerArgument(const Position& at, const char* accepted) {
    const double number = at.value().IsNumber() ? at.value().As<Napi::Number>().DoubleValue() : -0.5;
    constexpr auto low = static_cast<double>(std::numeric_limits<T>::min());
    constexpr auto high = static_cast<double>(std::numeric_limits<T>::max());
    // Written so that NaN is refused.
    if (!(number >= low && number <= high) || number != static_cast<double>(static_cast<T>(number))) {
      at.Refuse(accepted);
    }
    value = static_cast<T>(number);
  }
  T Get() const { return value; }
  T value = 0;
};

template <>
struct Argument<int> : IntegerArgument<int> {
  explicit Argument(const Position& at) : IntegerArgument(at, "an integer of 32 bits") {}
};
template <>
struct Argument<unsigned int> : IntegerArgument<unsigned int> {
  explicit Argument(const Position& at) : IntegerArgument(at, "an integer from 0 to 4294967295") {}
};

// Null stays null: libvirt says itself where that is not allowed.
template <>
struct Argument<const char*> {
  explicit Argument(const Position& at) {
    const Napi::Value given = at.value();
    if (given.IsNull() || given.IsUndefined()) return;
    if (given.IsString()) text = given.As<Napi::String>().Utf8Value();
    if (!text || text->find('\0') != std::string::npos) at.Refuse("a string without NUL, or null");
  }
  const char* Get() const { return text ? text->c_str() : nullptr; }
  std::optional<std::string> text;
};

inline std::shared_ptr<Object> ReadHandle(const Position& at, Kind kind) {
  const Handle* handle = Handle::Of(at.value());
  if (handle == nullptr || handle->kind() != kind)
    at.Refuse((std::string("a handle of kind ") + KindName(kind)).c_str());
  if (!handle->object()) throw ClosedError(at.info.Env(), KindName(kind));
  return handle->object();
}

template <class P>
struct HandleArgument {
  explicit HandleArgument(const Position& at) : object(ReadHandle(at, Reference<P>::kind)) {}
  P Get() const { return static_cast<P>(object->pointer); }
  std::shared_ptr<Object> object;
};
#define VIRBR_HANDLE_ARGUMENT(type)              \
  template <>                                    \
  struct Argument<type> : HandleArgument<type> { \
    using HandleArgument::HandleArgument;        \
  }
VIRBR_HANDLE_ARGUMENT(virConnectPtr);
VIRBR_HANDLE_ARGUMENT(virDomainPtr);
VIRBR_HANDLE_ARGUMENT(virNetworkPtr);
VIRBR_HANDLE_ARGUMENT(virNetworkPortPtr);
VIRBR_HANDLE_ARGUMENT(virInterfacePtr);
VIRBR_HANDLE_ARGUMENT(virNWFilterPtr);
VIRBR_HANDLE_ARGUMENT(virNWFilterBindingPtr);
#undef VIRBR_HANDLE_ARGUMENT

// A handle or null.
template <class P>
struct Optional {
  explicit Optional(const Position& at) {
    if (!at.value().IsNull() && !at.value().IsUndefined()) object = ReadHandle(at, Reference<P>::kind);
  }
  P Get() const { return object ? static_cast<P>(object->pointer) : nullptr; }
  std::shared_ptr<Object> object;
};

// ---- Results: taken from libvirt in the worker (or its error thrown), turned into a value here.

inline int Take(const Library& library, int result, const std::shared_ptr<Link>&) {
  if (result < 0) throw library.LastError();
  return result;
}
inline unsigned int Take(const Library&, unsigned int result, const std::shared_ptr<Link>&) { return result; }
inline std::string Take(const Library& library, const char* result, const std::shared_ptr<Link>&) {
  if (result == nullptr) throw library.LastError();
  return result;
}
// The caller's to free.
inline std::string Take(const Library& library, char* result, const std::shared_ptr<Link>&) {
  if (result == nullptr) throw library.LastError();
  std::string text = result;
  free(result);
  return text;
}
template <class P, Kind = Reference<P>::kind>
std::shared_ptr<Object> Take(const Library& library, P result, const std::shared_ptr<Link>& link) {
  if (result == nullptr) throw library.LastError();
  return Object::Adopt(result, link);
}

inline Napi::Value ToJs(Napi::Env env, int value) { return Napi::Number::New(env, value); }
inline Napi::Value ToJs(Napi::Env env, unsigned int value) { return Napi::Number::New(env, value); }
inline Napi::Value ToJs(Napi::Env env, unsigned long value) {
  return Napi::Number::New(env, static_cast<double>(value));
}
inline Napi::Value ToJs(Napi::Env env, const std::string& text) { return Napi::String::New(env, text); }
inline Napi::Value ToJs(Napi::Env env, std::shared_ptr<Object>& object) { return Handle::New(env, std::move(object)); }
template <class T>
Napi::Value ToJs(Napi::Env env, std::vector<T>& values) {
  const Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); i++) array.Set(i, ToJs(env, values[i]));
  return array;
}

// ---- The call.

inline Napi::Value Rejected(const Napi::Error& error) {
  const auto deferred = Napi::Promise::Deferred::New(error.Env());
  deferred.Reject(error.Value());
  return deferred.Promise();
}

// What runs in a worker never throws past it.
template <class Work>
auto Attempt(Work& work) -> std::variant<std::decay_t<decltype(work())>, CallFailed> {
  try {
    return work();
  } catch (CallFailed& failed) {
    return std::move(failed);
  } catch (const std::exception& error) {
    return CallFailed{LibvirtError{1, 0, 2, error.what(), {}, {}, {}, 0, 0}};
  }
}

// Runs `work()` in a worker (of `link`, if there is one yet) and settles a promise with what ToJs makes of its result.
template <class Work>
Napi::Value Submit(Napi::Env env, const std::shared_ptr<Link>& link, Work work) {
  Environment& environment = Environment::Of(env);
  const Environment::Call call = environment.Begin(env);
  auto run = [id = call.id, mailbox = environment.mailbox(), work = std::move(work)]() mutable {
    auto outcome = Attempt(work);
    calls_under_way--;
    mailbox->Post([id, outcome = std::move(outcome)](Napi::Env e) mutable {
      Environment::Of(e).Settle(id, [&]() -> Napi::Value {
        if (const auto* failed = std::get_if<CallFailed>(&outcome)) throw ToJs(e, *failed);
        return ToJs(e, std::get<0>(outcome));
      });
    });
  };
  calls_under_way++;
  try {
    if (link) {
      link->Run(std::move(run));
    } else {
      Workers::OfProcess().Run(std::move(run));
    }
  } catch (const std::system_error& error) {
    calls_under_way--;
    const std::string message = std::string("cannot start a thread: ") + error.what();
    environment.Settle(call.id, [&]() -> Napi::Value { throw Napi::Error::New(env, message); });
  }
  return call.promise;
}

// Reads the arguments `A…`, in order, then runs `work(library, arguments…)` in a worker of the first one's connection.
// What cannot be read rejects, before anything is called.
template <class... A, class Work>
Napi::Value Call(const Napi::CallbackInfo& info, const FunctionInfo& function, Work work) {
  try {
    size_t index = 0;
    // Braces: read from left to right.
    auto arguments = std::make_shared<std::tuple<A...>>(std::tuple<A...>{A(Position{info, function, index++})...});
    const std::shared_ptr<Link> link = std::get<0>(*arguments).object->link;
    return Submit(info.Env(), link, [arguments, work = std::move(work)] {
      const Library& library = std::get<0>(*arguments).object->link->library();
      return std::apply([&](auto&... each) { return work(library, each...); }, *arguments);
    });
  } catch (const Napi::Error& error) {
    return Rejected(error);
  }
}

}  // namespace virbr::libvirt
