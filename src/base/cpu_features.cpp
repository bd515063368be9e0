// SPDX-License-Identifier: MIT
#include "base/cpu_features.hpp"

namespace spate::base {

std::string_view to_string(SimdLevel level) noexcept {
  switch (level) {
    case SimdLevel::scalar:
      return "scalar";
    case SimdLevel::sse42:
      return "sse42";
    case SimdLevel::avx2:
      return "avx2";
  }
  return "";
}

SimdLevel best_simd_level() noexcept {
#if defined(__x86_64__) && defined(__SSE4_2__)
  __builtin_cpu_init();  // this may run before the constructors that would do it
  // They ask the operating system too, whether it keeps the wide registers.
  bool const avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  return avx2 ? SimdLevel::avx2 : SimdLevel::sse42;
#else
  return SimdLevel::scalar;
#endif
}

}  // namespace spate::base
