#include "bench/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace dr::bench {
namespace {

// In pixels of the picture.
constexpr double width = 760;
constexpr double height = 380;
constexpr double left = 70;
constexpr double right = 530; ///< the legend is beyond
constexpr double top = 45;
constexpr double bottom = 315;
constexpr double legend_line = 22;

/// Told apart also by people who see colours otherwise (Okabe and Ito), on white and on black.
constexpr std::array<const char*, 6> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"};

constexpr const char* style = R"(<style>
.back { fill: #ffffff } .ink { fill: #24292f } .line { stroke: #24292f } .grid { stroke: #d0d7de }
@media (prefers-color-scheme: dark) {
.back { fill: #0d1117 } .ink { fill: #e6edf3 } .line { stroke: #e6edf3 } .grid { stroke: #30363d }
}
text { font: 13px sans-serif } .head { font-weight: bold }
</style>
)";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += c;
    }
  }
  return out;
}

void require(bool fine, const std::string& what) {
  if (!fine) throw std::invalid_argument(what);
}

/// Whole decades around both; within less than two of them also their doubles and fives.
std::vector<double> ticks_of_decades(double low, double high) {
  std::vector<double> ticks;
  const auto first = static_cast<int>(std::floor(std::log10(low)));
  const auto last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(high))));
  const bool fine = last - first <= 2;
  for (int decade = first; decade <= last; ++decade)
    for (const int step : {1, 2, 5})
      if (step == 1 || (fine && decade < last)) ticks.push_back(step * std::pow(10, decade));
  return ticks;
}

/// From zero in about five steps of 1, 2 or 5 times a power of ten.
std::vector<double> ticks_from_zero(double high) {
  const double about = (high > 0 ? high : 1) / 5;
  const double decade = std::pow(10, std::floor(std::log10(about)));
  double step = 10 * decade;
  for (const int of_decade : {5, 2, 1})
    if (of_decade * decade >= about) step = of_decade * decade;
  std::vector<double> ticks;
  for (int i = 0; ticks.empty() || ticks.back() < high || ticks.size() < 2; ++i) ticks.push_back(i * step);
  return ticks;
}

scale scale_of(const plot& of, bool horizontal) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto& one : of.all)
    for (const auto& [x, y] : one.points) {
      const double value = horizontal ? x : y;
      require(std::isfinite(value), "a value of \"" + one.name + "\" is no number");
      low = std::min(low, value);
      high = std::max(high, value);
    }
  return horizontal ? scale(low, high, of.x.logarithmic, left, right) : scale(low, high, of.y.logarithmic, bottom, top);
}

template <class... Values> void add(std::string& out, fmt::format_string<Values...> text, Values&&... values) {
  fmt::format_to(std::back_inserter(out), text, std::forward<Values>(values)...);
}

void add_axes(std::string& out, const plot& of, const scale& x, const scale& y) {
  for (const double tick : y.ticks()) {
    add(out, "<line class=\"grid\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>\n", left, y.at(tick), right,
        y.at(tick));
    add(out, "<text class=\"ink\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 8, y.at(tick) + 4,
        short_number(tick));
  }
  for (const double tick : x.ticks()) {
    add(out, "<line class=\"grid\" x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\"/>\n", x.at(tick), top, x.at(tick),
        bottom);
    add(out, "<text class=\"ink\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x.at(tick), bottom + 20,
        short_number(tick));
  }
  add(out, "<path class=\"line\" d=\"M{} {}V{}H{}\" fill=\"none\"/>\n", left, top, bottom, right);
  add(out, "<text class=\"ink\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (left + right) / 2, bottom + 45,
      escaped(of.x.title));
  add(out, "<text class=\"ink\" transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      (top + bottom) / 2, escaped(of.y.title));
}

void add_series(std::string& out, const plot_series& one, std::size_t index, const scale& x, const scale& y) {
  const char* colour = colours.at(index % colours.size());
  const char* dash = one.limit ? " stroke-dasharray=\"6 4\"" : "";
  out += "<polyline points=\"";
  for (const auto& [at, value] : one.points) add(out, "{:.1f},{:.1f} ", x.at(at), y.at(value));
  add(out, "\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", colour, dash);
  for (const auto& [at, value] : one.points)
    add(out, "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"/>\n", x.at(at), y.at(value), colour);
  const double line = top + 10 + legend_line * static_cast<double>(index);
  add(out, "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"2\"{}/>\n", right + 20, line,
      right + 48, line, colour, dash);
  add(out, "<text class=\"ink\" x=\"{}\" y=\"{}\">{}</text>\n", right + 56, line + 4, escaped(one.name));
}

} // namespace

scale::scale(double low, double high, bool logarithmic, double from, double to)
    : logarithmic_(logarithmic), from_(from), to_(to) {
  require(std::isfinite(low) && std::isfinite(high), "an axis needs finite values");
  require(!logarithmic || low > 0, "a logarithmic axis takes values above zero only");
  require(low >= 0, "an axis takes no negative values");
  ticks_ = logarithmic ? ticks_of_decades(low, high) : ticks_from_zero(high);
}

double scale::at(double value) const {
  const auto place = [this](double v) { return logarithmic_ ? std::log10(v) : v; };
  const double first = place(ticks_.front());
  return from_ + (to_ - from_) * (place(value) - first) / (place(ticks_.back()) - first);
}

std::string short_number(double value) {
  if (value >= 999'500) return fmt::format("{:.3g}M", value / 1e6);
  if (value >= 999.5) return fmt::format("{:.3g}k", value / 1e3);
  return fmt::format("{:.3g}", value);
}

std::string to_svg(const plot& of) {
  require(!of.all.empty(), "the plot \"" + of.title + "\" has no series");
  for (const auto& one : of.all) require(!one.points.empty(), "the series \"" + one.name + "\" has no points");
  const auto x = scale_of(of, true);
  const auto y = scale_of(of, false);
  std::string out;
  add(out,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n",
      width, height);
  add(out, "<title>{}</title>\n", escaped(of.title));
  out += style;
  add(out, "<rect class=\"back\" width=\"{}\" height=\"{}\"/>\n", width, height);
  add(out, "<text class=\"ink head\" x=\"{}\" y=\"25\">{}</text>\n", left, escaped(of.title));
  add_axes(out, of, x, y);
  for (std::size_t i = 0; i < of.all.size(); ++i) add_series(out, of.all[i], i, x, y);
  out += "</svg>\n";
  return out;
}

} // namespace dr::bench
