// SPDX-License-Identifier: MIT
// A typed JSON interface: what comes in and goes out are plain structs, and the answer to a wrong
// request points at the member that is wrong.
//   curl -H 'content-type: application/json' -d '{"text":"milk"}' http://127.0.0.1:8080/notes
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <spate/spate.hpp>
#include <string>
#include <vector>

namespace {

struct NewNote {
  std::string text;
  std::optional<std::vector<std::string>> tags;  // the only kind of member that may be missing

  spate::Result<> validate() const {
    if (text.empty()) return spate::problem(422, "a note needs a text");
    return {};
  }
};

struct Note {
  std::int64_t id;
  std::string text;
  std::vector<std::string> tags;
};

// Handlers run on all workers at once, so what they share guards itself.
struct Notes {
  std::mutex mutex;
  std::map<std::int64_t, Note> by_id;
};

spate::Created<Note> add(spate::Json<NewNote> in, spate::State<Notes> notes) {
  const std::lock_guard lock(notes->mutex);
  const auto id = static_cast<std::int64_t>(notes->by_id.size()) + 1;
  const Note& note =
      notes->by_id[id] = {id, in->text, in->tags.value_or(std::vector<std::string>())};
  return spate::Created(note).at("/notes/" + std::to_string(id));
}

spate::Result<Note> show(spate::Path<"id", std::int64_t> id, spate::State<Notes> notes) {
  const std::lock_guard lock(notes->mutex);
  const auto found = notes->by_id.find(*id);
  if (found == notes->by_id.end()) return spate::problem(404, "there is no such note");
  return found->second;
}

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.state(std::make_shared<Notes>());
  server.post("/notes", add).get<"/notes/{id:int}">(show);
  return server.main(argc, argv);
}
