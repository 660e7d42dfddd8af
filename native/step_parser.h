// Steps from JavaScript objects. All are read before any is run; a wrong form is a TypeError that names the field.
#pragma once

#include <napi.h>

#include <vector>

#include "steps.h"

namespace virbr {

std::vector<Step> ParseSteps(const Napi::Value& value);
Napi::Value StepResultToJs(Napi::Env env, StepResult& result);
Napi::Object FailureToJs(Napi::Env env, const Failure& failure);

}  // namespace virbr
