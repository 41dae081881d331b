#include "bench/histogram.hpp"

#include <catch2/catch.hpp>

using dr::bench::histogram;
using namespace std::chrono_literals;

TEST_CASE("a histogram keeps times from a microsecond to an hour within one percent", "[bench]") {
  for (const std::int64_t us : {1L, 127L, 128L, 129L, 255L, 256L, 1000L, 33333L, 1000000L, 60000000L, 3600000000L}) {
    histogram one;
    one.add(std::chrono::microseconds(us));
    one.add(2h); // so that the highest value does not cap the answer
    CHECK(one.quantile_ms(0.5) * 1000 == Approx(static_cast<double>(us)).epsilon(0.01));
  }
}

TEST_CASE("quantiles of a histogram are those of the values", "[bench]") {
  histogram all;
  for (int ms = 1; ms <= 1000; ++ms) all.add(std::chrono::milliseconds(ms));
  CHECK(all.count() == 1000);
  CHECK(all.quantile_ms(0.5) == Approx(500).epsilon(0.01));
  CHECK(all.quantile_ms(0.99) == Approx(990).epsilon(0.01));
  CHECK(all.quantile_ms(1) == Approx(1000));
  CHECK(all.max_ms() == Approx(1000));
  CHECK(histogram{}.quantile_ms(0.99) == 0);
}

TEST_CASE("histograms of several rounds add up", "[bench]") {
  histogram first, second;
  for (int i = 0; i < 99; ++i) first.add(1ms);
  second.add(500ms);
  first.add(second);
  CHECK(first.count() == 100);
  CHECK(first.quantile_ms(0.5) == Approx(1).epsilon(0.01));
  CHECK(first.max_ms() == Approx(500));
}
