// SPDX-License-Identifier: MIT
// Work that no client waits for: behind an answer, and beside the server as long as it runs.
//   curl -X POST http://127.0.0.1:8080/order
//     ordered
#include <atomic>
#include <memory>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

// [after]
void send_mail(std::string customer) { (void)customer; }  // blocks for a while

spate::Task<> confirm(std::string customer) {  // its argument is its own: the request is gone
  co_await spate::sleep(5ms);
  co_await spate::offload(send_mail, customer);
}
std::string order(spate::Context& ctx) {
  if (!ctx.after_response(confirm, std::string("Ada"))) return "ordered; the mail comes later\n";
  return "ordered\n";
}
// [/after]

// [background]
spate::Task<> clean_up(std::shared_ptr<std::atomic<int>> rounds) {
  for (;;) {
    co_await spate::sleep(1min);  // throws Cancelled when the server ends: the way out
    ++*rounds;
  }
}
// [/background]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.background(clean_up, std::make_shared<std::atomic<int>>(0));
  server.post("/order", order);
  return server.main(argc, argv);
}
