// expect: spate: this enum has no fixed underlying type, so its values cannot be named;
// SPDX-License-Identifier: MIT
#include <spate/json/json.hpp>
#include <string>

#ifdef SPATE_REPAIRED
enum Colour : int { red, green };
#else
enum Colour { red, green };
#endif

struct Pixel {
  Colour colour;
};

std::string text(const Pixel& pixel) { return spate::to_json(pixel); }
