// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace load {
namespace {

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void append(std::string& text, const char* form, ...) {
  char line[512];
  std::va_list arguments;
  va_start(arguments, form);
  std::vsnprintf(line, sizeof line, form, arguments);
  va_end(arguments);
  text += line;
}

using Count = unsigned long long;

double us(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-3; }

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::closed:
      return "closed";
    case Mode::constant:
      return "constant";
    case Mode::poisson:
      return "poisson";
  }
  return "";
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::valid:
      return "valid";
    case Verdict::errors:
      return "errors";
    case Verdict::generator_bound:
      return "generator_bound";
  }
  return "";
}

std::string quoted(std::string_view text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (made += '\\') += c;
    else if (static_cast<unsigned char>(c) < ' ')
      append(made, "\\u%04x", static_cast<unsigned>(c));
    else
      made += c;
  }
  return made + '"';
}

void append_quantiles(std::string& json, const Histogram& h) {
  append(json, R"({"p50":%.3f,"p90":%.3f,"p99":%.3f,"p999":%.3f,"max":%.3f,"mean":%.3f})",
         us(h.quantile(0.5)), us(h.quantile(0.9)), us(h.quantile(0.99)), us(h.quantile(0.999)),
         us(h.max()), h.mean() * 1e-3);
}

// [[nanoseconds, count], ...]: to be summed over processes.
void append_counts(std::string& json, const Histogram& h) {
  json += '[';
  bool first = true;
  for (std::size_t i = 0; i < Histogram::buckets; ++i) {
    if (h.count_in(i) == 0) continue;
    append(json, "%s[%llu,%llu]", first ? "" : ",", static_cast<Count>(Histogram::middle_of(i)),
           static_cast<Count>(h.count_in(i)));
    first = false;
  }
  json += ']';
}

}  // namespace

std::string to_text(const Options& options, const Result& r) {
  std::string text;
  const double seconds = static_cast<double>(r.window_ns) * 1e-9;
  append(text, "%s, %u connections", name_of(options.mode), options.connections);
  if (options.pipeline > 1) append(text, ", %u in flight on each", options.pipeline);
  if (options.reconnect > 0) append(text, ", new after %u requests", options.reconnect);
  if (options.short_share > 0) append(text, ", %.0f %% of them short", options.short_share * 100);
  if (options.is_open_loop()) append(text, ", %.0f requests a second offered", r.offered_per_s);
  append(text, ", %.2f s\n", seconds);
  if (r.hold) {
    append(text, "connections  %llu of %llu opened (%u in %.2f s), %llu alive, %llu lost\n",
           static_cast<Count>(r.hold->opened), static_cast<Count>(r.hold->asked),
           options.connections, r.hold->open_seconds, static_cast<Count>(r.hold->alive),
           static_cast<Count>(r.hold->lost));
  }
  const Errors& e = r.errors;
  append(text,
         "requests     %llu, answers %llu, errors %llu (connect %llu, reset %llu, timeout %llu, "
         "mismatch %llu, status %llu, cut %llu)\n",
         static_cast<Count>(r.requests), static_cast<Count>(r.responses),
         static_cast<Count>(e.sum()), static_cast<Count>(e.connect), static_cast<Count>(e.reset),
         static_cast<Count>(e.timeout), static_cast<Count>(e.mismatch),
         static_cast<Count>(e.status), static_cast<Count>(e.cut));
  for (const std::string& detail : r.details) text += "  " + detail + "\n";
  append(text, "rate         %.0f answers a second, in %.2f MB/s, out %.2f MB/s\n",
         r.achieved_per_s, seconds > 0 ? static_cast<double>(r.bytes_in) * 1e-6 / seconds : 0.0,
         seconds > 0 ? static_cast<double>(r.bytes_out) * 1e-6 / seconds : 0.0);
  append(text, "latency      p50 %.0f us, p90 %.0f us, p99 %.0f us, p99.9 %.0f us, max %.0f us\n",
         us(r.latency.quantile(0.5)), us(r.latency.quantile(0.9)), us(r.latency.quantile(0.99)),
         us(r.latency.quantile(0.999)), us(r.latency.max()));
  append(text, "connect      %llu, p50 %.0f us, p99 %.0f us, max %.0f us\n",
         static_cast<Count>(r.connect.count()), us(r.connect.quantile(0.5)),
         us(r.connect.quantile(0.99)), us(r.connect.max()));
  append(text, "generator    %.1f %% of its core, waited for it %.1f %% of the time",
         r.own_share() * 100,
         seconds > 0 ? static_cast<double>(r.own.waited_ns) * 1e-7 / seconds : 0.0);
  if (options.is_open_loop()) {
    append(text, ", took requests up %.0f us late (p99; max %.0f us)", us(r.lag.quantile(0.99)),
           us(r.lag.max()));
  }
  text += "\n";
  if (r.watched) {
    append(text, "server       %.1f %% of a core, %.3f us a request, %llu involuntary switches\n",
           seconds > 0 ? static_cast<double>(r.watched->cpu_ns) * 1e-7 / seconds : 0.0,
           r.answered > 0 ? us(r.watched->cpu_ns) / static_cast<double>(r.answered) : 0.0,
           static_cast<Count>(r.watched->involuntary_switches));
  }
  for (std::size_t i = 0; i < r.windows.size(); ++i) {
    const Window& w = r.windows[i];
    append(text, "window %-5zu %llu answers, %llu errors, p50 %.0f us, p99 %.0f us, max %.0f us\n",
           i, static_cast<Count>(w.responses), static_cast<Count>(w.errors),
           us(w.latency.quantile(0.5)), us(w.latency.quantile(0.99)), us(w.latency.max()));
  }
  if (r.generator_busy) {
    text +=
        "note: the generator was busy all the time; it may have been the bottleneck of this closed "
        "loop\n";
  }
  if (r.verdict == Verdict::generator_bound) {
    text +=
        "no verdict: the generator was the bottleneck; offer less with --rate, or use more of "
        "them\n";
  }
  return text;
}

std::string to_json(const Options& options, const Result& r) {
  std::string json;
  append(
      json,
      R"({"version":1,"mode":"%s","connections":%u,"pipeline":%u,"reconnect":%u,"short_share":%g,"duration_s":%g,)",
      name_of(options.mode), options.connections, options.pipeline, options.reconnect,
      options.short_share, options.holds() ? options.hold : options.duration);
  append(json, R"("requests":%llu,"responses":%llu,"answered_in_window":%llu,"idle_closes":%llu,)",
         static_cast<Count>(r.requests), static_cast<Count>(r.responses),
         static_cast<Count>(r.answered), static_cast<Count>(r.idle_closes));
  const Errors& e = r.errors;
  append(
      json,
      R"("errors":{"connect":%llu,"reset":%llu,"timeout":%llu,"mismatch":%llu,"status":%llu,"cut":%llu},)",
      static_cast<Count>(e.connect), static_cast<Count>(e.reset), static_cast<Count>(e.timeout),
      static_cast<Count>(e.mismatch), static_cast<Count>(e.status), static_cast<Count>(e.cut));
  append(json, R"("bytes_in":%llu,"bytes_out":%llu,"offered_per_s":%.3f,"achieved_per_s":%.3f,)",
         static_cast<Count>(r.bytes_in), static_cast<Count>(r.bytes_out), r.offered_per_s,
         r.achieved_per_s);
  json += R"("latency_us":)";
  append_quantiles(json, r.latency);
  json += R"(,"connect_us":)";
  append_quantiles(json, r.connect);
  append(json, R"(,"connects":%llu,"lag_us":)", static_cast<Count>(r.connect.count()));
  append_quantiles(json, r.lag);
  append(
      json,
      R"(,"own_cpu_ns":%llu,"own_cpu_share":%.4f,"own_waited_ns":%llu,"involuntary_switches":%llu,)",
      static_cast<Count>(r.own.cpu_ns), r.own_share(), static_cast<Count>(r.own.waited_ns),
      static_cast<Count>(r.own.involuntary_switches));
  if (r.watched) {
    append(json,
           R"("server_cpu_ns":%llu,"server_waited_ns":%llu,"server_involuntary_switches":%llu,)",
           static_cast<Count>(r.watched->cpu_ns), static_cast<Count>(r.watched->waited_ns),
           static_cast<Count>(r.watched->involuntary_switches));
  } else {
    json += R"("server_cpu_ns":null,)";
  }
  append(json, R"("window_ns":%llu,"generator_busy":%s,"verdict":"%s","details":[)",
         static_cast<Count>(r.window_ns), r.generator_busy ? "true" : "false", name_of(r.verdict));
  for (std::size_t i = 0; i < r.details.size(); ++i) {
    json += (i == 0 ? "" : ",") + quoted(r.details[i]);
  }
  json += "]";
  if (r.hold) {
    append(json,
           R"(,"hold":{"asked":%llu,"opened":%llu,"alive":%llu,"lost":%llu,"open_seconds":%.3f})",
           static_cast<Count>(r.hold->asked), static_cast<Count>(r.hold->opened),
           static_cast<Count>(r.hold->alive), static_cast<Count>(r.hold->lost),
           r.hold->open_seconds);
  }
  json += R"(,"windows":[)";
  for (std::size_t i = 0; i < r.windows.size(); ++i) {
    const Window& w = r.windows[i];
    append(json, R"(%s{"responses":%llu,"errors":%llu,"latency_us":)", i == 0 ? "" : ",",
           static_cast<Count>(w.responses), static_cast<Count>(w.errors));
    append_quantiles(json, w.latency);
    if (options.histograms) {
      json += R"(,"histogram":)";
      append_counts(json, w.latency);
    }
    json += "}";
  }
  return json + "]}\n";
}

}  // namespace load
