// SPDX-License-Identifier: MIT
// Everything about tasks and waiting in one include.
#pragma once

#include <spate/coro/cancel.hpp>
#include <spate/coro/deadline.hpp>
#include <spate/coro/remote_call.hpp>
#include <spate/coro/scope.hpp>
#include <spate/coro/sleep.hpp>
#include <spate/coro/task.hpp>
#include <spate/coro/when.hpp>
