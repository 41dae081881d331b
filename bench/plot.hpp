// A plot as SVG: points in series, joined by lines, over axes that are linear or logarithmic. No scripts, no fonts from
// elsewhere, its own background, readable in a light and in a dark page.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace dr::bench {

struct axis {
  std::string title;
  bool logarithmic = false; ///< to base 10; else linear, and zero is on it
};

struct plot_series {
  std::string name;
  std::vector<std::pair<double, double>> points; ///< x and y, joined in this order
  bool limit = false;                            ///< what the others are measured against: dashed
};

struct plot {
  std::string title;
  axis x;
  axis y;
  std::vector<plot_series> all = {};
};

/// Where values of one axis are drawn.
class scale {
public:
  /// Covers `low` … `high`, widened to whole ticks, from pixel `from` to pixel `to`.
  /// Throws std::invalid_argument unless both are finite and, on a logarithmic axis, above zero; on a linear one they
  /// are not negative.
  scale(double low, double high, bool logarithmic, double from, double to);
  /// The pixel of a value.
  double at(double value) const;
  const std::vector<double>& ticks() const noexcept { return ticks_; }

private:
  bool logarithmic_;
  double from_;
  double to_;
  std::vector<double> ticks_; ///< ascending; the first and the last are the ends of the axis
};

/// A value of a tick or a table: 0.5, 20, 1.5k, 1M. Three significant digits.
std::string short_number(double value);

/// Throws std::invalid_argument when there is no series, a series has no points, or a value cannot be on its axis.
std::string to_svg(const plot& of);

} // namespace dr::bench
