#include "storage/postgres/parameters.hpp"

#include <cctype>

namespace dr::storage {

void array_literal::separate() {
  if (text_.size() > 1) text_ += ',';
}

array_literal& array_literal::add(std::int64_t value) {
  separate();
  text_ += std::to_string(value);
  return *this;
}

array_literal& array_literal::add(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) throw unstorable_text{};
  separate();
  text_ += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

array_literal& array_literal::add_flag(bool value) {
  separate();
  text_ += value ? 't' : 'f';
  return *this;
}

array_literal& array_literal::add_null() {
  separate();
  text_ += "NULL";
  return *this;
}

std::string array_literal::take() { return std::move(text_) + "}"; }

std::string replace_placeholders(std::string_view sql, const std::function<std::string(std::size_t number)>& by) {
  std::string out;
  for (std::size_t i = 0; i < sql.size();) {
    if (sql[i] != '$') {
      out += sql[i++];
      continue;
    }
    std::size_t number = 0;
    for (++i; i < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i])); ++i)
      number = number * 10 + static_cast<std::size_t>(sql[i] - '0');
    out += by(number);
  }
  return out;
}

parameters& parameters::add(std::int64_t value) {
  values_.emplace_back(std::to_string(value));
  return *this;
}

parameters& parameters::add(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) throw unstorable_text{};
  values_.emplace_back(std::string{text});
  return *this;
}

parameters& parameters::add_flag(bool value) {
  values_.emplace_back(value ? "t" : "f");
  return *this;
}

parameters& parameters::add_null() {
  values_.emplace_back(std::nullopt);
  return *this;
}

parameters& parameters::add(array_literal& array) {
  values_.emplace_back(array.take());
  return *this;
}

parameters& parameters::append(parameters others) {
  for (auto& value : others.values_) values_.push_back(std::move(value));
  return *this;
}

std::vector<const char*> parameters::pointers() const {
  std::vector<const char*> out;
  out.reserve(values_.size());
  for (const auto& value : values_) out.push_back(value ? value->c_str() : nullptr);
  return out;
}

} // namespace dr::storage
