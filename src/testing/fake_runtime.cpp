// SPDX-License-Identifier: MIT
#include <spate/testing/fake_runtime.hpp>

namespace spate::testing {

FakeRuntime::FakeRuntime() : root_(*this) {
  // A start well above zero, so that subtracting a duration stays a valid time.
  set_now(TimePoint(std::chrono::hours(24)));
  set_current(this);
  coro::current_context = &root_;
}

FakeRuntime::~FakeRuntime() {
  while (coro::Job* job = first_job_) {
    first_job_ = job->next;
    job->drop();
  }
  coro::current_context = nullptr;
  set_current(nullptr);
}

bool FakeRuntime::run_jobs() {
  bool any = false;
  while (coro::Job* job = first_job_) {
    first_job_ = job->next;
    if (first_job_ == nullptr) last_job_ = nullptr;
    ++jobs_run_;
    job->run();
    any = true;
  }
  return any;
}

void FakeRuntime::run() {
  do {
    run_ready();
    coro::current_context = &root_;
  } while (run_jobs() || has_ready());
}

void FakeRuntime::advance(Duration duration) {
  const TimePoint target = now() + duration;
  run();
  while (auto next = next_timer()) {
    if (*next > target) break;
    if (*next > now()) set_now(*next);
    run_timers();
    run();
  }
  set_now(target);
}

void FakeRuntime::run_until_idle() {
  run();
  while (auto next = next_timer()) {
    if (*next > now()) set_now(*next);
    run_timers();
    run();
  }
}

void FakeRuntime::drive(bool (*done)(const void*) noexcept, const void* task) {
  run();
  while (!done(task)) {
    const auto next = next_timer();
    if (!next) {
      throw ErrorException(
          Error(Errc::timeout, "deadlock: nothing can wake these waits\n" + describe_waits(root_)));
    }
    if (*next > now()) set_now(*next);
    run_timers();
    run();
  }
}

bool FakeRuntime::offload(coro::Job& job) noexcept {
  if (refuse_) return false;
  hand_back(job);
  return true;
}

bool FakeRuntime::post_to(unsigned, coro::Job& job) noexcept { return offload(job); }

void FakeRuntime::hand_back(coro::Job& job) noexcept {
  job.next = nullptr;
  (last_job_ == nullptr ? first_job_ : last_job_->next) = &job;
  last_job_ = &job;
}

namespace {

void append_frame(std::string& text, const AsyncFrame& frame) {
  std::string_view file = frame.where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  text.append(frame.where.function_name()).append(" at ").append(file).append(":");
  text.append(std::to_string(frame.where.line()));
}

void append_waits(std::string& text, const coro::TaskContext& context, std::size_t depth) {
  for (const coro::Waiter* wait = context.first_waiter(); wait != nullptr;
       wait = wait->next_waiting()) {
    std::size_t indent = depth;
    for (const AsyncFrame* frame = wait->frame(); frame != nullptr; frame = frame->awaited_by) {
      text.append(indent * 2, ' ').append(indent == depth ? "waits in " : "awaited by ");
      append_frame(text, *frame);
      text.push_back('\n');
      ++indent;
    }
  }
  for (const coro::TaskContext* child = context.first_child(); child != nullptr;
       child = child->next_sibling()) {
    append_waits(text, *child, depth + 1);
  }
}

}  // namespace

std::string describe_waits(const coro::TaskContext& context) {
  std::string text;
  append_waits(text, context, 1);
  if (text.empty()) text = "  (no wait is pending)\n";
  return text;
}

}  // namespace spate::testing
