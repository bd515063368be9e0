// SPDX-License-Identifier: MIT
#include <spate/server.hpp>
#include <utility>

#include "spate/server_internals.hpp"
#include "spate/server_parts.hpp"

namespace spate {

// --- a running server ---

ServerControl::ServerControl(std::unique_ptr<server::ServerCore> core) noexcept
    : core_(std::move(core)) {}
ServerControl::ServerControl(ServerControl&&) noexcept = default;
ServerControl& ServerControl::operator=(ServerControl&& other) noexcept {
  ServerControl ended(std::exchange(core_, std::move(other.core_)));
  return *this;
}

ServerControl::~ServerControl() {
  if (!core_) return;
  core_->drain();
  core_->wait();
}

const std::vector<std::string>& ServerControl::addresses() const noexcept {
  return core_->addresses();
}

std::string ServerControl::url() const {
  std::string address = core_->addresses().front();
  const std::size_t colon = address.rfind(':');
  if (address.starts_with("0.0.0.0:")) address = "127.0.0.1" + address.substr(colon);
  if (address.starts_with("[::]:")) address = "localhost" + address.substr(colon);
  return "http://" + address;
}

std::string_view ServerControl::engine() const noexcept { return core_->engine(); }
std::string_view ServerControl::engine_reason() const noexcept { return core_->engine_reason(); }
unsigned ServerControl::workers() const noexcept { return core_->workers(); }
Snapshot ServerControl::snapshot() const noexcept { return core_->snapshot(); }
bool ServerControl::is_ready() const noexcept { return core_->is_ready(); }
void ServerControl::drain() { core_->drain(); }
void ServerControl::stop() { core_->cut(); }
void ServerControl::wait() { core_->wait(); }
bool ServerControl::wait_for(std::chrono::milliseconds most) { return core_->wait_for(most); }
bool ServerControl::post_job(unsigned index, coro::Job& job) noexcept {
  return core_->post_to(index, job);
}

// --- a server in the making ---

Server::Server() : parts_(std::make_unique<Parts>()) {}
Server::Server(ServerOptions options) : Server() {
  parts_->options = std::move(options);
  parts_->has_own_address = true;
}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

ServerOptions& Server::options() noexcept { return parts_->options; }

Server& Server::listen(std::string address) {
  if (!std::exchange(parts_->has_own_address, true)) parts_->options.listen.clear();
  parts_->options.listen.push_back(std::move(address));
  return *this;
}

Server& Server::workers(unsigned count) {
  parts_->options.workers = count;
  return *this;
}

Server& Server::limits(const Limits& limits) {
  parts_->options.limits = limits;
  return *this;
}

Server& Server::log(std::unique_ptr<LogSink> sink) {
  parts_->sink = std::move(sink);
  return *this;
}

void Server::add_background(std::unique_ptr<Background> work) {
  parts_->background.push_back(std::move(work));
}

app::Registrar Server::registrar() noexcept { return parts_->app.registrar(); }
std::vector<RouteListing> Server::routes() const { return parts_->app.routes(); }

Result<> Server::Parts::seal() {
  if (sealed) return {};
  Result<> result = app.seal(options.limits);
  sealed = result.has_value();
  return result;
}

void Server::Parts::start(Scope& services) {
  for (const auto& work : background) work->start(services);
}

Result<ServerControl> Server::start() {
  if (Result<> sealed = parts_->seal(); !sealed) return std::unexpected(std::move(sealed.error()));
  auto core = server::ServerCore::start(parts_->options, std::move(parts_->sink),
                                        parts_->app.service(), parts_.get());
  if (!core) return std::unexpected(std::move(core.error()));
  return ServerControl(std::move(*core));
}

Result<ServerInternals> ServerInternals::open(Server& server) {
  if (Result<> sealed = server.parts_->seal(); !sealed) {
    return std::unexpected(std::move(sealed.error()));
  }
  ServerInternals internals;
  internals.service = &server.parts_->app.service();
  internals.limits = server.parts_->options.limits;
  internals.shows_details = server.parts_->options.show_details;
  internals.server = &server;
  return internals;
}

void ServerInternals::start_background(Scope& services) const { server->parts_->start(services); }

}  // namespace spate
