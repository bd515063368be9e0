// SPDX-License-Identifier: MIT
// Flags of io_uring that are newer than liburing 2.3 knows, with the values of the kernel's own
// header. Each says since which kernel it is taken.
#pragma once

namespace spate::io::uring {

// 6.6: no array between the submission queue and its entries; one load less for each.
inline constexpr unsigned setup_no_sqarray = 1U << 16;

}  // namespace spate::io::uring
