// SPDX-License-Identifier: MIT
// HTML with escaping: `html("<p>Hello {}</p>", name)`. Each `{}` takes one argument, escaped for
// element content and for attribute values in quotes; the compiler counts them. All other braces
// stand for themselves, so styles and scripts can be pasted (write `{ }` for an empty pair).
// An Html argument is taken as it is, so pages are put together from pieces. What escaping cannot
// do: put no argument into an unquoted attribute, a <script>, a <style>, or where a URL's scheme
// could come from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

class Context;

// Text that is HTML already. As a handler's result: text/html; charset=utf-8, with nosniff.
class Html {
 public:
  Html() = default;

  std::string_view view() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  // Joins pieces: rows into a table, and so on.
  Html& operator+=(const Html& more) {
    text_ += more.text_;
    return *this;
  }
  friend Html operator+(Html first, const Html& second) { return std::move(first += second); }

  void answer_to(Context& ctx) &&;

 private:
  explicit Html(std::string text) : text_(std::move(text)) {}
  friend Html raw_html(std::string text);

  std::string text_;
};

// Takes text for HTML without a look at it. Whatever of it came from people must be escaped.
inline Html raw_html(std::string text) { return Html(std::move(text)); }

// `text` with & < > " ' as character references.
std::string escape_html(std::string_view text);

namespace app {

// One argument of html(), without its type. lifetime: borrows text.
class HtmlPiece {
 public:
  HtmlPiece(const Html& html) noexcept : text_(html.view()), kind_(Kind::raw) {}
  template <class T>
    requires std::is_convertible_v<const T&, std::string_view>
  HtmlPiece(const T& text) noexcept : text_(text), kind_(Kind::text) {}
  template <class T>
    requires(std::is_integral_v<T> && std::is_signed_v<T> && !std::is_same_v<T, char>)
  HtmlPiece(T number) noexcept : signed_(number), kind_(Kind::signed_number) {}
  template <class T>
    requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>)
  HtmlPiece(T number) noexcept : unsigned_(number), kind_(Kind::unsigned_number) {}
  template <class T>
    requires std::is_floating_point_v<T>
  HtmlPiece(T number) noexcept : real_(static_cast<double>(number)), kind_(Kind::real) {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : std::uint8_t { raw, text, signed_number, unsigned_number, real };

  std::string_view text_;
  std::int64_t signed_ = 0;
  std::uint64_t unsigned_ = 0;
  double real_ = 0;
  Kind kind_;
};

// Not constexpr: reaching them while compiling is the error, and their names are its text.
void the_text_of_html_needs_one_argument_for_each_pair_of_braces();

template <class... A>
class HtmlText {
 public:
  // Not explicit: a literal must convert where html() is called.
  template <std::size_t N>
  consteval HtmlText(const char (&literal)[N]) : text_(literal, N - 1) {
    std::size_t places = 0;
    for (std::size_t i = 0; i + 2 < N; ++i) {
      if (literal[i] == '{' && literal[i + 1] == '}') ++places;
    }
    if (places != sizeof...(A)) the_text_of_html_needs_one_argument_for_each_pair_of_braces();
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

std::string fill_html(std::string_view text, const HtmlPiece* pieces, std::size_t count);

template <class T>
concept HtmlValue = std::is_constructible_v<HtmlPiece, const T&>;

}  // namespace app

// HTML from a literal; see above. Arguments: text, numbers, Html.
template <class... A>
Html html(app::HtmlText<std::type_identity_t<A>...> text, const A&... args) {
  static_assert((app::HtmlValue<A> && ...),
                "spate: an argument of html() is text, a number or Html; convert others first");
  if constexpr (sizeof...(A) == 0) {
    return raw_html(std::string(text.text()));
  } else {
    const app::HtmlPiece pieces[] = {app::HtmlPiece(args)...};
    return raw_html(app::fill_html(text.text(), pieces, sizeof...(A)));
  }
}

}  // namespace spate
