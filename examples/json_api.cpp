// SPDX-License-Identifier: MIT
// Typed JSON: plain structs come in and go out; a refusal points at the member that is wrong.
//   curl -H 'content-type: application/json' -d '{"text":"milk"}' http://127.0.0.1:8080/notes
//     {"id":1,"text":"milk","tag":null}
//   curl -H 'content-type: application/json' -d '{"text":7}' http://127.0.0.1:8080/notes
//     "pointer":"/text"
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <spate/spate.hpp>
#include <string>

namespace {

// [notes]
struct NewNote {
  std::string text;
  std::optional<std::string> tag;  // the only kind of member that may be missing
  spate::Result<> validate() const {
    if (text.empty()) return spate::problem(422, "a note needs a text");
    return {};
  }
};

struct Note {
  std::int64_t id;
  std::string text;
  std::optional<std::string> tag;
};

// Handlers run on all workers at once, so what they share guards itself.
struct Notes {
  std::mutex mutex;
  std::map<std::int64_t, Note> by_id;
};

spate::Created<Note> add(spate::Json<NewNote> in, spate::State<Notes> notes) {
  const std::lock_guard lock(notes->mutex);
  const auto id = static_cast<std::int64_t>(notes->by_id.size()) + 1;
  const Note& note = notes->by_id[id] = {id, in->text, in->tag};
  return spate::Created(note).at("/notes/" + std::to_string(id));
}
// [/notes]

spate::Result<Note> show(spate::Path<"id", std::int64_t> id, spate::State<Notes> notes) {
  const std::lock_guard lock(notes->mutex);
  const auto found = notes->by_id.find(*id);
  if (found == notes->by_id.end()) return spate::problem(404, "there is no such note");
  return found->second;
}

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.state(std::make_shared<Notes>()).post("/notes", add).get<"/notes/{id:int}">(show);
  return server.main(argc, argv);
}
