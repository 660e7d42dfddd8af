// virTypedParameter: lists of named values of several types.
#include <cstring>

#include "call.h"
#include "exports.h"

namespace virbr::libvirt {

namespace {

// virTypedParameterType
enum Type { kInt = 1, kUint = 2, kLlong = 3, kUllong = 4, kDouble = 5, kBoolean = 6, kString = 7 };

constexpr const char* kAccepted = "an array of { field, type, value }, with values of their types";
constexpr size_t kFieldSize = sizeof(virTypedParameter::field);

Type TypeNamed(const std::string& name, const Position& at) {
  static constexpr std::pair<const char*, Type> kNames[] = {
      {"int", kInt},       {"uint", kUint},       {"llong", kLlong},  {"ullong", kUllong},
      {"double", kDouble}, {"boolean", kBoolean}, {"string", kString}};
  for (const auto& [known, type] : kNames) {
    if (name == known) return type;
  }
  at.Refuse(kAccepted);
}

// Given as { field, type, value }.
struct Parameter {
  std::string field;
  Type type;
  std::string text;
  virTypedParameter value{};

  Parameter(const Napi::Value& given, const Position& at) {
    if (!given.IsObject()) at.Refuse(kAccepted);
    const auto object = given.As<Napi::Object>();
    const Napi::Value name = object.Get("field");
    const Napi::Value type_name = object.Get("type");
    if (!name.IsString() || !type_name.IsString()) at.Refuse(kAccepted);
    field = name.As<Napi::String>().Utf8Value();
    if (field.empty() || field.size() >= kFieldSize || field.find('\0') != std::string::npos) at.Refuse(kAccepted);
    type = TypeNamed(type_name.As<Napi::String>().Utf8Value(), at);
    std::memcpy(value.field, field.c_str(), field.size() + 1);
    value.type = type;
    Read(object.Get("value"), at);
  }

  void Read(const Napi::Value& from, const Position& at) {
    bool exact = true;
    switch (type) {
      case kBoolean:
        exact = from.IsBoolean();
        if (exact) value.value.b = from.As<Napi::Boolean>().Value() ? 1 : 0;
        break;
      case kString:
        exact = from.IsString();
        if (exact) text = from.As<Napi::String>().Utf8Value();
        exact = exact && text.find('\0') == std::string::npos;
        break;
      case kDouble:
        exact = from.IsNumber();
        if (exact) value.value.d = from.As<Napi::Number>().DoubleValue();
        break;
      case kUllong:
        value.value.ul = Unsigned(from, &exact);
        break;
      case kUint:
        value.value.ui = static_cast<unsigned int>(Whole(from, 0, UINT32_MAX, &exact));
        break;
      case kInt:
        value.value.i = static_cast<int>(Whole(from, INT32_MIN, INT32_MAX, &exact));
        break;
      case kLlong:
        value.value.l = Whole(from, -kExact, kExact, &exact);
        break;
    }
    if (!exact) at.Refuse(kAccepted);
  }

  // Up to where a number of JavaScript's is exact.
  static constexpr double kExact = 9007199254740991;

  static long long Whole(const Napi::Value& from, double low, double high, bool* exact) {
    const double number = from.IsNumber() ? from.As<Napi::Number>().DoubleValue() : low - 1;
    *exact = number >= low && number <= high && number == static_cast<double>(static_cast<long long>(number));
    return *exact ? static_cast<long long>(number) : 0;
  }

  static unsigned long long Unsigned(const Napi::Value& from, bool* exact) {
    if (from.IsBigInt()) return from.As<Napi::BigInt>().Uint64Value(exact);
    return static_cast<unsigned long long>(Whole(from, 0, kExact, exact));
  }
};

struct ParametersArgument {
  explicit ParametersArgument(const Position& at) {
    if (!at.value().IsArray()) at.Refuse(kAccepted);
    const auto array = at.value().As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) list.emplace_back(array.Get(i), at);
  }
  // Valid as long as this is.
  std::vector<virTypedParameter> Get() {
    std::vector<virTypedParameter> values;
    for (Parameter& parameter : list) {
      if (parameter.type == kString) parameter.value.value.s = parameter.text.data();
      values.push_back(parameter.value);
    }
    return values;
  }
  std::vector<Parameter> list;
};

// Got from libvirt: a copy that is ours.
struct Got {
  std::string field;
  std::variant<long long, unsigned long long, double, bool, std::string> value;
};
struct GotList {
  std::vector<Got> list;
};

Napi::Value ValueToJs(Napi::Env env, const Got& got) {
  if (const auto* whole = std::get_if<long long>(&got.value)) {
    return Napi::Number::New(env, static_cast<double>(*whole));
  }
  if (const auto* positive = std::get_if<unsigned long long>(&got.value)) {
    const auto number = static_cast<double>(*positive);
    if (number > Parameter::kExact) return Napi::BigInt::New(env, static_cast<uint64_t>(*positive));
    return Napi::Number::New(env, number);
  }
  if (const auto* real = std::get_if<double>(&got.value)) return Napi::Number::New(env, *real);
  if (const auto* flag = std::get_if<bool>(&got.value)) return Napi::Boolean::New(env, *flag);
  return Napi::String::New(env, std::get<std::string>(got.value));
}

Napi::Value ToJs(Napi::Env env, const GotList& got) {
  Napi::Object object = Napi::Object::New(env);
  for (const Got& each : got.list) object.Set(each.field, ValueToJs(env, each));
  return object;
}

GotList Copy(const virTypedParameter* parameters, int count) {
  GotList copy;
  for (int i = 0; i < count; i++) {
    const virTypedParameter& from = parameters[i];
    Got got{from.field, 0LL};
    switch (from.type) {
      case kInt:
        got.value = static_cast<long long>(from.value.i);
        break;
      case kUint:
        got.value = static_cast<long long>(from.value.ui);
        break;
      case kLlong:
        got.value = from.value.l;
        break;
      case kUllong:
        got.value = from.value.ul;
        break;
      case kDouble:
        got.value = from.value.d;
        break;
      case kBoolean:
        got.value = from.value.b != 0;
        break;
      case kString:
        got.value = std::string(from.value.s == nullptr ? "" : from.value.s);
        break;
      default:
        continue;  // of a type that is not invented yet
    }
    copy.list.push_back(std::move(got));
  }
  return copy;
}

Napi::Value PortGetParameters(const Napi::CallbackInfo& info) {
  return Call<Argument<virNetworkPortPtr>, Argument<unsigned int>>(
      info, about::virNetworkPortGetParameters, [](const Library& library, auto& port, auto& flags) {
        virTypedParameterPtr parameters = nullptr;
        int count = 0;
        const auto release = VIRBR_NEED(library, virTypedParamsFree);
        if (VIRBR_NEED(library, virNetworkPortGetParameters)(port.Get(), &parameters, &count, flags.Get()) < 0) {
          throw library.LastError();
        }
        GotList copy = Copy(parameters, count);
        release(parameters, count);
        return copy;
      });
}

Napi::Value PortSetParameters(const Napi::CallbackInfo& info) {
  return Call<Argument<virNetworkPortPtr>, ParametersArgument, Argument<unsigned int>>(
      info, about::virNetworkPortSetParameters,
      [](const Library& library, auto& port, ParametersArgument& parameters, auto& flags) {
        std::vector<virTypedParameter> values = parameters.Get();
        const auto set = VIRBR_NEED(library, virNetworkPortSetParameters);
        const int count = static_cast<int>(values.size());
        return Take(library, set(port.Get(), values.data(), count, flags.Get()), port.object->link);
      });
}

Napi::Value DomainGetParameters(const Napi::CallbackInfo& info) {
  return Call<Argument<virDomainPtr>, Argument<const char*>, Argument<unsigned int>>(
      info, about::virDomainGetInterfaceParameters,
      [](const Library& library, auto& domain, auto& device, auto& flags) {
        const auto get = VIRBR_NEED(library, virDomainGetInterfaceParameters);
        const auto clear = VIRBR_NEED(library, virTypedParamsClear);
        int count = 0;
        // Without room for any it tells how many there are.
        if (get(domain.Get(), device.Get(), nullptr, &count, flags.Get()) < 0) throw library.LastError();
        std::vector<virTypedParameter> values(static_cast<size_t>(count));
        if (get(domain.Get(), device.Get(), values.data(), &count, flags.Get()) < 0) throw library.LastError();
        GotList copy = Copy(values.data(), count);
        clear(values.data(), count);
        return copy;
      });
}

Napi::Value DomainSetParameters(const Napi::CallbackInfo& info) {
  return Call<Argument<virDomainPtr>, Argument<const char*>, ParametersArgument, Argument<unsigned int>>(
      info, about::virDomainSetInterfaceParameters,
      [](const Library& library, auto& domain, auto& device, ParametersArgument& parameters, auto& flags) {
        std::vector<virTypedParameter> values = parameters.Get();
        const auto set = VIRBR_NEED(library, virDomainSetInterfaceParameters);
        const int count = static_cast<int>(values.size());
        return Take(library, set(domain.Get(), device.Get(), values.data(), count, flags.Get()), domain.object->link);
      });
}

Napi::Value SetIdentity(const Napi::CallbackInfo& info) {
  return Call<Argument<virConnectPtr>, ParametersArgument, Argument<unsigned int>>(
      info, about::virConnectSetIdentity,
      [](const Library& library, auto& connection, ParametersArgument& parameters, auto& flags) {
        std::vector<virTypedParameter> values = parameters.Get();
        const auto set = VIRBR_NEED(library, virConnectSetIdentity);
        const int count = static_cast<int>(values.size());
        return Take(library, set(connection.Get(), values.data(), count, flags.Get()), connection.object->link);
      });
}

}  // namespace

void ExportParameters(Exports& exports) {
  exports.Add(about::virNetworkPortGetParameters, PortGetParameters);
  exports.Add(about::virNetworkPortSetParameters, PortSetParameters);
  exports.Add(about::virDomainGetInterfaceParameters, DomainGetParameters);
  exports.Add(about::virDomainSetInterfaceParameters, DomainSetParameters);
  exports.Add(about::virConnectSetIdentity, SetIdentity);
}

}  // namespace virbr::libvirt
