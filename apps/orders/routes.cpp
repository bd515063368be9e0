// SPDX-License-Identifier: MIT
#include "routes.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "csv.hpp"
#include "pages.hpp"

namespace orders {
namespace {

using namespace spate::literals;
using spate::offload;

constexpr std::size_t most_listed = 100;
constexpr std::size_t batch_rows = 1'000;
constexpr std::size_t longest_line = 16_KiB;
constexpr std::size_t most_bad_lines = 10;

// Takes as long for a wrong token as for the right one.
bool same_text(std::string_view a, std::string_view b) {
  unsigned difference = a.size() != b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ b[i % b.size()]);
  }
  return difference == 0;
}

spate::Task<> confirm(spate::State<Store> store, std::int64_t id) {
  co_await offload(&Store::confirm, store, id);
}

spate::Task<spate::Result<spate::Created<Order>>> place(spate::Context& ctx,
                                                        spate::Header<"idempotency-key"> key,
                                                        spate::Json<NewOrder> wanted,
                                                        spate::State<Store> store) {
  if (key->empty() || key->size() > 200) {
    co_return spate::problem(400, "Idempotency-Key must have 1 to 200 bytes");
  }
  Order order = co_await offload(&Store::place, store, std::string(*key), *wanted);
  // Should it be refused, the next roll-up confirms the order.
  static_cast<void>(ctx.after_response(confirm, store, order.id));
  const std::string path = "/orders/" + std::to_string(order.id);
  co_return spate::Created(std::move(order)).at(path);
}

spate::Task<OrderList> list(spate::Query<"after", std::optional<std::int64_t>> after,
                            spate::Query<"limit", std::optional<std::uint32_t>> limit,
                            spate::State<Store> store) {
  const std::size_t most = std::clamp<std::size_t>(limit->value_or(20), 1, most_listed);
  OrderList out;  // GCC 12 frees the members of a temporary twice: no co_await inside of { }
  out.orders = co_await offload(&Store::list, store, after->value_or(0), most);
  if (out.orders.size() == most) out.next = out.orders.back().id;
  co_return out;
}

spate::Task<spate::Result<Order>> detail(spate::Path<"id", std::int64_t> id,
                                         spate::State<Store> store) {
  auto order = co_await offload(&Store::find, store, *id);
  if (!order) co_return spate::problem(404, "no order " + std::to_string(*id));
  co_return std::move(*order);
}

spate::Task<spate::Html> index(spate::State<Store> store) {
  const auto totals = co_await offload(&Store::totals, store, std::size_t{20});
  const auto latest = co_await offload(&Store::latest, store, std::size_t{20});
  co_return index_page(totals, latest);
}

spate::Task<spate::Result<spate::Html>> page(spate::Path<"id", std::int64_t> id,
                                             spate::State<Store> store) {
  auto order = co_await offload(&Store::find, store, *id);
  if (!order) co_return spate::problem(404, "no order " + std::to_string(*id));
  co_return order_page(*order);
}

void take_line(const Line& line, std::vector<NewOrder>& batch, IngestReport& report) {
  if (line.text.empty() && !line.too_long) return;
  if (line.number == 1 && line.text.starts_with("customer,item,quantity")) return;
  if (auto order = parse_order(line)) {
    batch.push_back(std::move(*order));
  } else {
    ++report.bad;
    if (report.first_bad.size() < most_bad_lines) {
      report.first_bad.push_back({line.number, std::move(order.error().detail)});
    }
  }
}

// Every batch is kept once it is committed, whatever becomes of the rest of the upload.
spate::Task<> save(spate::State<Store> store, std::vector<NewOrder>& batch, IngestReport& report) {
  const std::size_t rows = batch.size();
  co_await offload(&Store::add_all, store, std::exchange(batch, {}));
  report.accepted += rows;
}

spate::Task<IngestReport> ingest(spate::Context& ctx, spate::State<Store> store) {
  IngestReport report;
  std::vector<NewOrder> batch;
  LineSplitter lines(longest_line);
  while (auto piece = co_await ctx.body().read()) {
    lines.feed(*piece);
    while (auto line = lines.next()) {
      take_line(*line, batch, report);
      if (batch.size() == batch_rows) co_await save(store, batch, report);
    }
  }
  if (auto line = lines.rest()) take_line(*line, batch, report);
  if (!batch.empty()) co_await save(store, batch, report);
  co_return report;
}

spate::Task<> keep_totals(std::shared_ptr<Store> store, spate::Duration every) {
  for (;;) {
    co_await spate::sleep(every);
    try {
      while (co_await offload(&Store::roll_up, store)) continue;
    } catch (const spate::ErrorException& failure) {
      std::fprintf(stderr, "roll-up put off: %s\n", failure.what());
    }
  }
}

}  // namespace

void add_routes(spate::Server& server, std::shared_ptr<Store> store, const Settings& settings) {
  server.options().offload_threads = 1;  // SQLite's own: calls take turns anyway
  server.state(store).background(keep_totals, store, settings.roll_up_every);
  server.get("/", index)
      .get("/orders", list)
      .get<"/orders/{id:int}">(detail)
      .get<"/orders/{id:int}/page">(page);
  const auto writers_only = [expected = "Bearer " +
                                        settings.token](spate::Context& ctx) -> spate::Verdict {
    if (same_text(ctx.header("authorization").value_or(""), expected)) return spate::pass;
    ctx.response().header("www-authenticate", "Bearer");
    return spate::problem(401, "this needs the header Authorization: Bearer TOKEN");
  };
  auto writers = server.group("").before(writers_only);
  writers.post("/orders", place).with(spate::body_limit(16_KiB));
  writers.post("/ingest", ingest);
}

}  // namespace orders
