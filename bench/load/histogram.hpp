// SPDX-License-Identifier: MIT
// Counts of nanoseconds in a log-linear table: 128 buckets for each power of two, so that a value
// is known to 0.4 % from one nanosecond to eighteen minutes. Fixed size (35 KB), no allocation
// after it is made; values beyond the end are counted in the last bucket, and the true maximum and
// sum are kept beside the buckets. thread: one owner.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace load {

class Histogram {
 public:
  static constexpr unsigned sub_bits = 7;
  static constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bits;
  static constexpr unsigned value_bits = 40;
  static constexpr std::size_t buckets = (value_bits - sub_bits + 1) * sub_buckets;

  void record(std::uint64_t value) noexcept {
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ += value;
    max_ = std::max(max_, value);
  }

  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
  }

  void reset() noexcept { *this = Histogram(); }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }
  double mean() const noexcept {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }
  std::uint64_t count_in(std::size_t bucket) const noexcept { return counts_[bucket]; }

  // The value that `share` (0 to 1) of all values do not exceed: the middle of its bucket, never
  // above the maximum. 0 when nothing was counted.
  std::uint64_t quantile(double share) const noexcept {
    if (count_ == 0) return 0;
    const double wanted = share * static_cast<double>(count_);
    std::uint64_t rank = static_cast<std::uint64_t>(wanted);
    if (static_cast<double>(rank) < wanted) ++rank;
    rank = std::clamp<std::uint64_t>(rank, 1, count_);
    if (rank == count_) return max_;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
      seen += counts_[i];
      if (seen >= rank) return std::min(middle_of(i), max_);
    }
    return max_;
  }

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < sub_buckets) return static_cast<std::size_t>(value);
    value = std::min(value, (std::uint64_t{1} << value_bits) - 1);
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - sub_bits;
    return static_cast<std::size_t>((shift + 1) * sub_buckets + ((value >> shift) - sub_buckets));
  }
  static constexpr std::uint64_t lowest_of(std::size_t bucket) noexcept {
    if (bucket < sub_buckets) return bucket;
    return (sub_buckets + bucket % sub_buckets) << (bucket / sub_buckets - 1);
  }
  static constexpr std::uint64_t middle_of(std::size_t bucket) noexcept {
    if (bucket < sub_buckets) return bucket;
    return lowest_of(bucket) + ((std::uint64_t{1} << (bucket / sub_buckets - 1)) >> 1);
  }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace load
