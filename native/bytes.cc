#include "bytes.h"

#include <memory>
#include <utility>

namespace virbr {

Napi::Value BytesToJs(Napi::Env env, Bytes& bytes) {
  // Below a page a copy costs less than a finalizer.
  if (bytes.size() < 4096) return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
  auto owned = std::make_unique<Bytes>(std::move(bytes));
  uint8_t* data = owned->data();
  const size_t size = owned->size();
  return Napi::Buffer<uint8_t>::NewOrCopy(
      env, data, size, [](Napi::Env, uint8_t*, Bytes* hint) { delete hint; }, owned.release());
}

}  // namespace virbr
