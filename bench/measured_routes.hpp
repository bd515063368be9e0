// SPDX-License-Identifier: MIT
// Routes of the measured server that only need to be many, or heavy: 200 with a parameter, and
// handlers that burn processor time. Called once, before the server starts.
#pragma once

#include <spate/server.hpp>

namespace measured {

// /shelf000/{id} to /shelf199/{id} answer with the id.
void add_shelves(spate::Server& server);

// /burn and /burn-offload keep a thread busy for 20 ms, the worker's or one of the pool; /worker
// says which worker has the connection.
void add_burners(spate::Server& server);

}  // namespace measured
