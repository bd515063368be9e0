// SPDX-License-Identifier: MIT
// The head scan itself, in terms of blocks of 32 bytes and masks with a bit for each of them. Not a
// header by itself: each variant includes it inside its own unnamed namespace, behind its own Block
// and the functions load_block, colons, controls, not_digits, not_in and begins_with.
// perf: one look at a name and mostly one at its value; a known name is one comparison, which
// proves its characters too.
#pragma once

// Bits for what is behind the end are shifted out, all 32 of them when nothing is left.
inline std::uint32_t shifted(std::uint32_t mask, std::size_t shift) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(mask) >> shift);
}

inline std::size_t first_bit(std::uint32_t mask) noexcept {
  return static_cast<std::size_t>(__builtin_ctz(mask));
}

// Everything below counts from `base`, where `stop` bytes are, at least a block. The last, partial
// block is looked at together with bytes before it.

// The first byte from `at` on that is not in the class, or `stop`.
inline std::size_t find_not_in(const CharClass& chars, const char* base, std::size_t at,
                               std::size_t stop) noexcept {
  for (; at + block_size <= stop; at += block_size) {
    std::uint32_t const mask = not_in(chars, load_block(base + at));
    if (mask != 0) return at + first_bit(mask);
  }
  std::uint32_t const mask =
      shifted(not_in(chars, load_block(base + stop - block_size)), at + block_size - stop);
  return mask != 0 ? at + first_bit(mask) : stop;
}

// Out of line, so that the loop over the fields keeps its registers.
[[gnu::noinline]] inline std::size_t find_long_name_end(const char* base, std::size_t at,
                                                        std::size_t stop) noexcept {
  return find_not_in(token_class, base, at, stop);
}

// The first control character from `at` on, a tab too. What is found behind `last` is no end of a
// value. `last_block` is a block before `last`.
inline std::size_t find_control(const char* base, std::size_t at, std::size_t last_block,
                                std::size_t stop) noexcept {
  for (; at <= last_block; at += block_size) {
    std::uint32_t const mask = controls(load_block(base + at));
    if (mask != 0) return at + first_bit(mask);
  }
  std::size_t const begin = std::min(at, stop - block_size);
  std::uint32_t const mask = shifted(controls(load_block(base + begin)), at - begin);
  return mask != 0 ? at + first_bit(mask) : stop;
}

// The first control character but a tab from `at` on, or `stop`. Out of line as above.
[[gnu::noinline]] inline std::size_t find_value_end(const char* base, std::size_t at,
                                                    std::size_t stop) noexcept {
  while (at != stop && base[at] == '\t') {
    at = find_control(base, at + 1, stop - block_size, stop);
  }
  return at;
}

// Whether it is a host without escapes, and perhaps a port: nearly every Host. If not,
// http::is_authority() has to say. Precondition: behind the text stands a byte that no host has.
[[gnu::always_inline]] inline bool is_plain_authority(const char* base, std::size_t at,
                                                      std::size_t size, std::size_t stop) noexcept {
  if (size >= block_size) return false;
  std::size_t const begin = std::min(at, stop - block_size);
  Block const block = load_block(base + begin);
  std::size_t const host_size = first_bit(shifted(not_in(host_class, block), at - begin));
  if (host_size == size) return size != 0;
  if (host_size == 0 || base[at + host_size] != ':') return false;
  std::uint32_t const rest = shifted(not_digits(block), at - begin) >> (host_size + 1);
  if (first_bit(rest) + host_size + 1 != size) return false;
  std::size_t const digits = size - host_size - 1;
  return digits < 5 || (digits == 5 && std::memcmp(base + at + host_size + 1, "65535", 5) <= 0);
}

inline bool is_keep_alive(std::string_view value) noexcept {
  constexpr std::uint64_t case_bits = 0x2020202020202020U;
  constexpr char lower[] = "keep-alive";
  return value.size() == 10 &&
         (load_word<std::uint64_t>(value.data()) | case_bits) == load_word<std::uint64_t>(lower) &&
         (load_word<std::uint16_t>(value.data() + 8) | 0x2020U) ==
             load_word<std::uint16_t>(lower + 8);
}

inline std::size_t scan(http::RequestHead& head, std::string_view bytes, const HeadLimits& limits,
                        ConnectionOptions& options) noexcept {
  const char* const base = bytes.data();
  std::size_t const stop = std::min(bytes.size(), http::max_head_bytes);
  // A whole head ends in two line ends, so the end of a value has four bytes from itself on: a
  // block that ends before the last of those can be looked at without asking how many there are.
  if (stop < block_size + 4) return 0;
  std::size_t const last = stop - 4;
  std::size_t const last_block = last - block_size;
  head.begin(base);

  std::size_t at = 4;
  if (is_at(base, "GET ")) {
    head.set_method(Method::get, 0, 3);
  } else {
    std::uint32_t const mask = not_in(token_class, load_block(base));
    std::size_t const size = mask != 0 ? first_bit(mask) : 0;
    if (size == 0 || base[size] != ' ') return 0;
    Method const method = parse_method({base, size});
    if (method == Method::connect) return 0;
    head.set_method(method, 0, size);
    at = size + 1;
  }

  std::size_t const target = at;
  if (base[at] != '/') return 0;
  at = find_not_in(path_class, base, at, stop);
  head.set_path(target, at - target);
  if (at + 16 > stop) return 0;
  if (base[at] == '?') {
    std::size_t const query = ++at;
    at = find_not_in(target_class, base, at, stop);
    head.set_query(query, at - query);
    if (at + 16 > stop) return 0;
  }
  head.set_target(target, at - target);
  if (!is_at(base + at, " HTTP/1.")) return 0;
  if (!is_at(base + at + 7, ".1\r\n")) {
    if (!is_at(base + at + 7, ".0\r\n")) return 0;
    head.set_version_minor(0);
  }
  at += 11;
  if (at > limits.request_line) return 0;

  std::size_t const fields = at;
  std::size_t count = 0;
  std::uint64_t seen = 1;  // a bit for each known name; an unknown one is never the first

  do {
    if (count == http::RequestHead::max_fields) return 0;
    std::size_t const name = at;
    Block block;
    std::uint32_t mask;
    if (at <= last_block) [[likely]] {
      block = load_block(base + at);
      mask = colons(block);
    } else {
      if (at >= last) return 0;
      block = load_rest(base, at, stop);
      mask = colons(block) & ((1U << (last - at)) - 1);
    }
    KnownHeader id;
    if (mask != 0) [[likely]] {
      std::size_t const size = first_bit(mask);
      at += size;
      head.put_name(count, name, size);
      id = http::header_slots.header[http::header_slot(
          load_word<std::uint16_t>(base + name), load_word<std::uint16_t>(base + at - 2), size)];
      if (!begins_with(block, http::header_patterns[static_cast<std::size_t>(id)])) {
        if (first_bit(not_in(token_class, block)) != size || size == 0) return 0;
        id = KnownHeader::unknown;
      }
    } else {
      at = find_long_name_end(base, name, stop);
      if (at >= last || base[at] != ':') return 0;
      head.put_name(count, name, at - name);
      id = KnownHeader::unknown;
    }

    // Nearly always ": " and a visible character.
    at += 2;
    if (base[at - 1] != ' ' || static_cast<unsigned char>(base[at]) <= ' ') [[unlikely]] {
      --at;
      while (http::is_ows(base[at])) {
        if (++at > last) return 0;
      }
    }
    std::size_t const value = at;
    at = find_control(base, at, last_block, stop);
    if (at > last) return 0;
    if (load_word<std::uint16_t>(base + at) != end_of_line) [[unlikely]] {
      at = find_value_end(base, at, stop);
      if (at > last || load_word<std::uint16_t>(base + at) != end_of_line) return 0;
    }
    std::size_t size = at - value;
    if (static_cast<unsigned char>(base[at - 1]) <= ' ') [[unlikely]] {
      while (size != 0 && http::is_ows(base[value + size - 1])) --size;
    }
    head.put_value(count, id, value, size);
    std::uint64_t const before = seen;
    seen |= bit_of(id);
    if ((before & bit_of(id)) == 0) [[likely]] {
      head.put_first(id, count);
    } else if ((special_fields & bit_of(id)) != 0) {
      return 0;
    }
    at += 2;
    ++count;
  } while (load_word<std::uint16_t>(base + at) != end_of_line);
  at += 2;
  head.set_field_count(count);
  head.set_size(at);
  head.set_present(seen & ~std::uint64_t{1});
  if (count > limits.fields || at - fields > limits.header_bytes) return 0;

  std::uint64_t special = seen & special_fields;
  if ((special & bit_of(KnownHeader::host)) != 0) {
    http::FieldRef const host = head.field(head.first(KnownHeader::host));
    if (!is_plain_authority(base, host.value_offset, host.value_size, stop) &&
        !http::is_authority({base + host.value_offset, host.value_size}, http::Port::optional)) {
      return 0;
    }
    special &= ~bit_of(KnownHeader::host);
    if (head.version_minor() != 0) {
      if (special == bit_of(KnownHeader::connection) &&
          is_keep_alive(head.value(head.first(KnownHeader::connection)))) {
        special = 0;
      }
      if (special == 0) {
        head.set_authority(host.value_offset, host.value_size);
        head.keep_alive = true;
        return at;
      }
    }
  }
  return read_special_fields(head, special, options) ? at : 0;
}
