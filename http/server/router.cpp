// The route table as a tree of path segments.
#include "http/server/router.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

namespace dr::http {

namespace {

constexpr std::size_t method_count = 7;

constexpr method_set bit(method verb) noexcept { return static_cast<method_set>(1U << static_cast<unsigned>(verb)); }

struct named_place {
  std::size_t segment;
  std::string name;
};

struct entry {
  const route* row = nullptr;
  std::vector<named_place> params;
  std::size_t rest_from = 0; // "{name*}": the first segment of the rest; its name is the last of `params`
  bool takes_rest = false;
};

using entries = std::array<entry, method_count>;

enum class piece_kind : unsigned char { literal, param, rest };

struct piece {
  piece_kind kind;
  std::string text;
};

[[noreturn]] void refuse(const std::string& pattern, const char* why) {
  throw std::invalid_argument("route " + pattern + ": " + why);
}

piece classify(const std::string& pattern, std::string_view text, bool last) {
  if (!text.starts_with('{')) {
    if (text.empty() || text.find_first_of("{}%") != text.npos) refuse(pattern, "malformed segment");
    return {piece_kind::literal, std::string(text)};
  }
  if (text.size() < 3 || !text.ends_with('}')) refuse(pattern, "malformed parameter");
  text = text.substr(1, text.size() - 2);
  if (!text.ends_with('*')) return {piece_kind::param, std::string(text)};
  if (!last || text.size() < 2) refuse(pattern, "only the last segment takes the rest");
  return {piece_kind::rest, std::string(text.substr(0, text.size() - 1))};
}

std::vector<piece> split(const std::string& pattern) {
  if (!pattern.starts_with('/')) refuse(pattern, "must start with '/'");
  std::vector<piece> pieces;
  auto rest = std::string_view(pattern).substr(1);
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    pieces.push_back(classify(pattern, rest.substr(0, slash), slash == rest.npos));
    if (slash == rest.npos) break;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) refuse(pattern, "must not end with '/'");
  }
  if (pieces.size() >= request_context::max_segments) refuse(pattern, "too many segments");
  return pieces;
}

/// A look-up under way.
struct search {
  request_context& request;
  method_set allowed = 0;
  const entry* found = nullptr;

  bool consider(const entries& here) {
    for (const auto& each : here) {
      if (!each.row) continue;
      allowed |= bit(each.row->verb);
      if (each.row->verb == method::get) allowed |= bit(method::head);
    }
    const auto* hit = &here[static_cast<std::size_t>(request.verb)];
    if (!hit->row && request.verb == method::head) hit = &here[static_cast<std::size_t>(method::get)];
    if (hit->row) found = hit;
    return found != nullptr;
  }
};

} // namespace

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> param;
  entries here;
  entries rest;

  node& child(const piece& step) {
    if (step.kind == piece_kind::param) {
      if (!param) param = std::make_unique<node>();
      return *param;
    }
    for (auto& [text, next] : literals)
      if (text == step.text) return *next;
    return *literals.emplace_back(step.text, std::make_unique<node>()).second;
  }

  bool walk(search& looking, std::size_t depth) const {
    const auto segments = looking.request.segments();
    if (depth == segments.size()) return looking.consider(here);
    for (const auto& [text, next] : literals)
      if (text == segments[depth] && next->walk(looking, depth + 1)) return true;
    if (param && !segments[depth].empty() && param->walk(looking, depth + 1)) return true;
    return looking.consider(rest);
  }
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

router& router::add(route row) {
  if (row.upgrade ? row.verb != method::get : !row.handle) refuse(row.pattern, "has no handler for its method");
  const auto pieces = split(row.pattern);
  auto stored = std::make_unique<const route>(std::move(row));
  entry made;
  made.row = stored.get();
  node* at = root_.get();
  for (std::size_t depth = 0; depth < pieces.size(); ++depth) {
    const auto& step = pieces[depth];
    if (step.kind != piece_kind::literal) made.params.push_back({depth, step.text});
    if (step.kind == piece_kind::rest) {
      made.takes_rest = true;
      made.rest_from = depth;
    } else {
      at = &at->child(step);
    }
  }
  if (made.params.size() > request_context::max_params) refuse(stored->pattern, "too many parameters");
  auto& place = (made.takes_rest ? at->rest : at->here)[static_cast<std::size_t>(stored->verb)];
  if (place.row) refuse(stored->pattern, "is there already");
  place = std::move(made);
  rows_.push_back(std::move(stored));
  return *this;
}

router& router::add(method verb, std::string pattern, handler handle, std::any tag) {
  route row;
  row.verb = verb;
  row.pattern = std::move(pattern);
  row.handle = std::move(handle);
  row.tag = std::move(tag);
  return add(std::move(row));
}

router::match router::find(request_context& request) const {
  search looking{request};
  request.clear_params();
  root_->walk(looking, 0);
  if (!looking.found) return {nullptr, looking.allowed};
  for (const auto& [segment, name] : looking.found->params) {
    const bool rest = looking.found->takes_rest && segment == looking.found->rest_from;
    request.set_param(name, rest ? request.tail(segment) : request.segments()[segment]);
  }
  return {looking.found->row, looking.allowed};
}

std::string allow_header(method_set methods) {
  std::string list;
  methods |= bit(method::options);
  for (std::size_t at = 0; at < method_count; ++at) {
    const auto verb = static_cast<method>(at);
    if (!(methods & bit(verb))) continue;
    if (!list.empty()) list += ", ";
    list += to_string(verb);
  }
  return list;
}

} // namespace dr::http
