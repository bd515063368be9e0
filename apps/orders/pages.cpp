// SPDX-License-Identifier: MIT
#include "pages.hpp"

namespace orders {
namespace {

spate::Html page(std::string_view title, const spate::Html& content) {
  return spate::html(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n"
      "<style>body { font: 1rem sans-serif; margin: 2rem } td, th { padding: .2rem .8rem; "
      "text-align: left }</style></head>\n<body><h1>{}</h1>\n{}</body></html>\n",
      title, title, content);
}

}  // namespace

spate::Html index_page(const std::vector<Total>& totals, const std::vector<Order>& latest) {
  spate::Html sums;
  for (const Total& total : totals) {
    sums += spate::html("<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n", total.item, total.orders,
                        total.quantity);
  }
  spate::Html rows;
  for (const Order& order : latest) {
    rows += spate::html(
        "<tr><td><a href=\"/orders/{}/page\">{}</a></td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        order.id, order.id, order.customer, order.item, order.quantity);
  }
  return page("Orders", spate::html("<h2>Latest</h2>\n<table>\n{}</table>\n"
                                    "<h2>Totals</h2>\n<table>\n{}</table>\n",
                                    rows, sums));
}

spate::Html order_page(const Order& order) {
  return page("Order " + std::to_string(order.id),
              spate::html("<p>{} x {} for {}, placed {}</p>\n<p>{}</p>\n<p><a href=\"/\">all "
                          "orders</a></p>\n",
                          order.quantity, order.item, order.customer, order.placed,
                          order.note.value_or("no note")));
}

}  // namespace orders
