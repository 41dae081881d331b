// Accept and Content-Type.
#pragma once

#include "http/server/request.hpp"

#include <span>
#include <string_view>

namespace dr::http {

inline constexpr std::string_view hal_type = "application/hal+json";
inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view csv_type = "text/csv; charset=utf-8";
inline constexpr std::string_view yaml_type = "application/yaml";

/// The weight (0 … 1000) that an Accept header gives to a media type; 1000 without a header.
int acceptance(const request_context& request, std::string_view media_type);
/// True when the body's Content-Type is one of these media types, or absent.
bool has_content_type(const request_context& request, std::span<const std::string_view> media_types);
/// False when the body's Content-Type names a charset that is neither UTF-8 nor a part of it.
bool has_utf8_charset(const request_context& request);
/// True when the body is encoded in some way besides.
bool is_compressed(const request_context& request);

} // namespace dr::http
