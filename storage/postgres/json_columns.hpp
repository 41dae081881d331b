// The codec of the few columns that are documents.
#pragma once

#include "domain/check.hpp"
#include "domain/programme.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace dr::storage {

std::string encode_terms(const programme_terms& terms);
programme_terms decode_terms(std::string_view text);
std::string encode_texts(const std::vector<std::string>& texts);
std::vector<std::string> decode_texts(std::string_view text);
/// [[milliseconds, Wh], …]
std::string encode_spread(const std::vector<credited_quarter>& spread);
std::vector<credited_quarter> decode_spread(std::string_view text);

} // namespace dr::storage
