#include "http/codecs/json_reader.hpp"

#include "http/codecs/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace dr::http {

namespace {

using json_kind = json_value::kind;

/// Builds the value from the parser's events. A pointer into a vector that grows would dangle, so open containers are
/// kept on a stack of their own and moved into their parent when they close.
class builder final : public nlohmann::json_sax<nlohmann::json> {
public:
  json_value root;
  std::string complaint;

  bool null() override { return add({}); }
  bool boolean(bool truth) override {
    json_value v;
    v.type = json_kind::boolean;
    v.truth = truth;
    return add(std::move(v));
  }
  bool number_integer(number_integer_t number) override { return add_number(std::to_string(number)); }
  bool number_unsigned(number_unsigned_t number) override { return add_number(std::to_string(number)); }
  bool number_float(number_float_t, const string_t& text) override { return add_number(text); }
  bool string(string_t& text) override {
    json_value v;
    v.type = json_kind::string;
    v.text = std::move(text);
    return add(std::move(v));
  }
  bool binary(binary_t&) override { return refuse("holds binary data"); }
  bool start_object(std::size_t) override { return open(json_kind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json_kind::array); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto& members = open_.back().members;
    if (members.size() >= max_json_members) return refuse("has too many fields in one object");
    for (const auto& known : members)
      if (known.name == name) return refuse("has the field \"" + shortened(name) + "\" twice");
    members.push_back({std::move(name), json_value{}});
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("cannot be read as JSON near byte " + std::to_string(position));
  }

private:
  bool refuse(std::string why) {
    if (complaint.empty()) complaint = std::move(why);
    return false;
  }
  bool add_number(std::string text) {
    json_value v;
    v.type = json_kind::number;
    v.text = std::move(text);
    return add(std::move(v));
  }
  bool add(json_value v) {
    if (open_.empty()) {
      root = std::move(v);
      return true;
    }
    auto& parent = open_.back();
    if (parent.is(json_kind::object)) {
      parent.members.back().value = std::move(v);
      return true;
    }
    if (parent.items.size() >= max_json_members) return refuse("has too many elements in one array");
    parent.items.push_back(std::move(v));
    return true;
  }
  bool open(json_kind type) {
    if (open_.size() >= max_json_depth) return refuse("is nested too deeply");
    open_.emplace_back().type = type;
    return true;
  }
  bool close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    return add(std::move(done));
  }

  std::vector<json_value> open_;
};

} // namespace

const json_value* json_value::find(std::string_view name) const noexcept {
  const auto at = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.name == name; });
  return at == members.end() ? nullptr : &at->value;
}

result<json_value> parse_json(std::string_view text) {
  // To the library a NUL is the end, whatever comes behind it. JSON never holds one.
  if (const auto at = text.find('\0'); at != text.npos)
    return fail(errc::malformed, "The body cannot be read as JSON near byte " + std::to_string(at + 1) + ".");
  builder made;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &made))
    return fail(errc::malformed, "The body " + (made.complaint.empty() ? "is not JSON" : made.complaint) + ".");
  return std::move(made.root);
}

result<json_value> parse_json_object(std::string_view text) {
  if (text.empty()) return fail(errc::malformed, "The body is empty; send a JSON object.");
  auto value = parse_json(text);
  if (value && !value->is(json_kind::object)) return fail(errc::malformed, "The body must be a JSON object.");
  return value;
}

} // namespace dr::http
