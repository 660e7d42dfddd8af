#pragma once

#include <napi.h>

#include "framing.h"

namespace virbr {

// A Buffer of them, which takes them over if they are many.
Napi::Value BytesToJs(Napi::Env env, Bytes& bytes);

}  // namespace virbr
