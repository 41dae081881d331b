// Readers of single values; each takes the whole text or fails.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dr {

std::optional<std::int64_t> parse_whole(std::string_view text);
/// A decimal number, finite.
std::optional<double> parse_decimal(std::string_view text);
/// true/false, on/off, yes/no, 1/0.
std::optional<bool> parse_switch(std::string_view text);
/// Elements separated by commas, blanks around them dropped, empty ones skipped.
std::vector<std::string> split_list(std::string_view text);
/// An IPv4 or IPv6 address, or a network as address/prefix.
bool is_network(const std::string& text);
/// scheme://host[:port] with http or https, and nothing more.
bool is_origin(const std::string& text);
/// An http or https URL without credentials, query and fragment; the trailing slashes are dropped. `host` gets its
/// host.
std::optional<std::string> parse_base_url(std::string_view text, std::string& host);
/// Shortest text that reads back as the same number: "50", "0.2".
std::string decimal_text(double value);

} // namespace dr
