// How the figures grow: which results of a run make which plot, and the folder of plots and tables made of them.
#pragma once

#include "bench/plot.hpp"
#include "bench/report.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace dr::bench {

/// A plot with the name of its file, without the ending.
struct curve {
  std::string file;
  plot drawn;
};

/// The cases of the bench whose results the curves show.
std::vector<std::string> cases_of_curves();

/// The curves that can be drawn of these results: without points a series is left out, and a curve without series.
std::vector<curve> curves_of(const std::vector<case_result>& results);

/// All points as Markdown, a table below each plot. `run`: what to_json(results, …) gave.
std::string to_markdown(const std::vector<curve>& curves, const nlohmann::ordered_json& run);

/// Writes NAME.svg of each curve, figures.md (to_markdown), and curves.json: `run` and each curve's points. Makes the
/// folder. Throws std::runtime_error when a file cannot be written.
void write_curves(const std::filesystem::path& folder, const std::vector<case_result>& results,
                  nlohmann::ordered_json run);

/// Throws std::runtime_error when it cannot be written.
void write_file(const std::filesystem::path& file, const std::string& text);

} // namespace dr::bench
