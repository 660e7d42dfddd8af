// The simple functions, as VIRBR_SIMPLE_FUNCTIONS lists them.
#include "call.h"
#include "exports.h"

namespace virbr::libvirt {

namespace {

// One function that JavaScript sees, made from its pointer in the table: the types of its parameters say how each
// argument is read, the type of its result what is made of it.
template <auto member, const FunctionInfo& function>
struct Simple;

template <class R, class... P, R (*Library::*member)(P...), const FunctionInfo& function>
struct Simple<member, function> {
  static Napi::Value Js(const Napi::CallbackInfo& info) {
    return Call<Argument<P>...>(info, function, [](const Library& library, auto& first, auto&... others) {
      const auto call = library.Need(library.*member, function);
      return Take(library, call(first.Get(), others.Get()...), first.object->link);
    });
  }
};

}  // namespace

void ExportCalls(Exports& exports) {
#define VIRBR_EXPORT(result, name, parameters, major, minor, release) \
  exports.Add(about::name, Simple<&Library::name, about::name>::Js);
  VIRBR_SIMPLE_FUNCTIONS(VIRBR_EXPORT)
  VIRBR_NEWER_SIMPLE_FUNCTIONS(VIRBR_EXPORT)
#undef VIRBR_EXPORT
}

}  // namespace virbr::libvirt
