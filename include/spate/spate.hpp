// SPDX-License-Identifier: MIT
// All of Spate for an application, in one include.
#pragma once

#include <spate/app/context.hpp>
#include <spate/app/cookie.hpp>
#include <spate/app/extract.hpp>
#include <spate/app/html.hpp>
#include <spate/app/per_worker.hpp>
#include <spate/app/problem.hpp>
#include <spate/app/stream.hpp>
#include <spate/base/units.hpp>
#include <spate/coro/coro.hpp>
#include <spate/server.hpp>
