#include "kepco/json_text.hpp"

#include <string>
#include <vector>

namespace dr::kepco {

namespace {

using nlohmann::json;

/// Builds the document from the parser's events; returning false stops the parser.
class builder final : public nlohmann::json_sax<json> {
public:
  explicit builder(std::size_t max_depth) : max_depth_(max_depth) {}
  json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override { return put(text); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
  json* insert(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    auto& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // KEPCO's quarter hours come in the order of their names.
    auto& fields = parent.get_ref<json::object_t&>();
    auto& slot = fields.emplace_hint(fields.end(), std::move(key_), nullptr)->second;
    slot = std::move(value); // of a repeated name the last one counts
    return &slot;
  }
  bool put(json value) {
    insert(std::move(value));
    return true;
  }
  bool open(json container) {
    if (open_.size() >= max_depth_) return false;
    open_.push_back(insert(std::move(container)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  json root_;
  std::string key_;
  std::vector<json*> open_; ///< the containers being filled; a parent does not grow while a child is open
};

} // namespace

std::optional<json> parse_json_text(std::string_view body, std::size_t max_depth) {
  builder events(max_depth);
  if (!json::sax_parse(body.begin(), body.end(), &events)) return std::nullopt;
  return events.take();
}

} // namespace dr::kepco
