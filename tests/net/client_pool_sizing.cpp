#include <callboard/net/client_pool_sizing.hpp>

#include <cmath>
#include <limits>

#include "support/test.hpp"

using namespace callboard;

namespace {

bool near(double x, double y, double tolerance) {
  return std::abs(x - y) <= tolerance;
}

net::pool_load load_of(double rate, double service_s) {
  net::pool_load x;
  x.rate = rate;
  x.service_s = service_s;
  x.size_max = net::pool_size_max;
  return x;
}

} // namespace

// Gross and Harris, Fundamentals of Queueing Theory, the M/M/c queue of an eye
// clinic: 6 patients an hour, 3 doctors who take 20 minutes each. An empty
// clinic has probability 1/9, 8/9 patients wait on average; from these follow
// C(3, 2) = 4/9, and a wait of 8/54 hours.
CAF_TEST(the clinic of Gross and Harris) {
  CAF_CHECK(near(net::erlang_c(3, 2), 4.0 / 9, 1e-12));
  auto load = load_of(6.0 / 3600, 1200);
  load.size_min = load.size_max = 3;
  auto x = net::size_pool(load);
  CAF_CHECK(near(x.wait_mean_s, 8.0 / 54 * 3600, 1e-6));
  CAF_CHECK(near(x.utilisation, 2.0 / 3, 1e-12));
}

// Mitan's description of Erlang C, the example of a call centre: 360 calls in
// half an hour, 240 s each, 55 agents. 23.9 % of the calls wait, 8.2 s on
// average; 100 * (1 - 0.239 * exp(-7 * 15 / 240)) = 84.6 % at most 15 s.
CAF_TEST(the call centre of Mitan) {
  auto share = net::erlang_c(55, 48);
  CAF_CHECK(near(share, 0.239, 0.0005));
  auto load = load_of(360.0 / 1800, 240);
  load.size_min = load.size_max = 55;
  auto x = net::size_pool(load);
  CAF_CHECK(near(x.wait_share, 0.239, 0.0005));
  CAF_CHECK(near(x.wait_mean_s, 8.2, 0.05));
  CAF_CHECK(near(1 - share * std::exp(-7.0 * 15 / 240), 0.846, 0.0005));
}

// The traffic tables of formula B, as every textbook of teletraffic has them:
// the load in erlangs that so many lines bear where 1 % is lost.
CAF_TEST(the tables of formula B) {
  struct {
    size_t lines;
    double erlangs;
  } rows[] = {{1, 0.0101}, {2, 0.153},  {5, 1.361},  {10, 4.461},
              {20, 12.03}, {50, 37.90}, {100, 84.06}};
  for (auto& row : rows)
    CAF_CHECK(near(net::erlang_b(row.lines, row.erlangs), 0.01, 1e-4));
}

CAF_TEST(small queues are as by hand) {
  CAF_CHECK_EQUAL(net::erlang_b(0, 5), 1.0);
  CAF_CHECK_EQUAL(net::erlang_b(3, 0), 0.0);
  CAF_CHECK(near(net::erlang_b(2, 1), 0.2, 1e-15));
  // One server: the share that waits is the utilisation.
  CAF_CHECK(near(net::erlang_c(1, 0.5), 0.5, 1e-15));
  CAF_CHECK(near(net::erlang_c(2, 1), 1.0 / 3, 1e-15));
  CAF_CHECK_EQUAL(net::erlang_c(3, 0), 0.0);
  CAF_CHECK_EQUAL(net::erlang_c(2, 2), 1.0);
  CAF_CHECK_EQUAL(net::erlang_c(2, 100), 1.0);
}

CAF_TEST(large queues stay within bounds) {
  // a^c / c! would be far beyond a double.
  auto b = net::erlang_b(100'000, 99'000);
  CAF_CHECK(std::isfinite(b) && b > 0 && b < 1);
  auto c = net::erlang_c(100'000, 99'000);
  CAF_CHECK(std::isfinite(c) && c > b && c < 1);
  CAF_CHECK(net::erlang_b(100'000, 1) >= 0);
}

CAF_TEST(the mean of a p99) {
  // Of an exponential time with this mean, one in a hundred is longer than 1.
  auto mean = net::mean_of_p99(1);
  CAF_CHECK(near(std::exp(-1 / mean), 0.01, 1e-12));
}

CAF_TEST(the size keeps to the utilisation and one less does not ) {
  // 17 erlangs at 0.85 are 20 connections.
  auto load = load_of(1700, 0.01);
  auto x = net::size_pool(load);
  CAF_CHECK_EQUAL(x.size, 20u);
  CAF_CHECK(!x.too_small && !x.cores_short);
  CAF_CHECK(near(x.utilisation, 0.85, 1e-9));
  load.rate = 1700.1;
  CAF_CHECK_EQUAL(net::size_pool(load).size, 21u);
  load.rate = 0;
  CAF_CHECK_EQUAL(net::size_pool(load).size, 1u);
}

CAF_TEST(the size keeps to the wait and one less does not ) {
  auto load = load_of(1700, 0.01);
  load.wait_p99_max_s = 0.001;
  auto x = net::size_pool(load);
  CAF_CHECK(x.size > 20);
  CAF_CHECK(x.wait_p99_s <= 0.001);
  load.size_min = load.size_max = x.size - 1;
  auto y = net::size_pool(load);
  CAF_CHECK(y.wait_p99_s > 0.001);
  CAF_CHECK(y.too_small);
  // By the definition of the percentile: one in a hundred waits longer.
  auto longer = [&](double t) {
    auto spare = static_cast<double>(y.size) - y.erlangs;
    return y.wait_share * std::exp(-t * spare / load.service_s);
  };
  CAF_CHECK(near(longer(y.wait_p99_s), 0.01, 1e-9));
}

CAF_TEST(bounds are hard) {
  auto load = load_of(1700, 0.01);
  load.size_max = 20;
  CAF_CHECK(!net::size_pool(load).too_small);
  load.size_max = 19;
  auto x = net::size_pool(load);
  CAF_CHECK_EQUAL(x.size, 19u);
  CAF_CHECK(x.too_small);
  load.size_max = 17;
  x = net::size_pool(load);
  CAF_CHECK_EQUAL(x.size, 17u);
  CAF_CHECK_EQUAL(x.wait_share, 1.0);
  CAF_CHECK_EQUAL(x.wait_p99_s, std::numeric_limits<double>::infinity());
  load.size_max = 40;
  load.size_min = 30;
  CAF_CHECK_EQUAL(net::size_pool(load).size, 30u);
}

CAF_TEST(the cores bound the rate) {
  auto load = load_of(1700, 0.01);
  load.cores = 2;
  load.cpu_s = 0.001;
  // 2 cores at 0.85 do 1700 a second of this.
  auto x = net::size_pool(load);
  CAF_CHECK(!x.cores_short);
  CAF_CHECK_EQUAL(x.size, 20u);
  load.rate = 1701;
  x = net::size_pool(load);
  CAF_CHECK(x.cores_short);
  CAF_CHECK(near(x.rate, 1700, 1e-6));
  CAF_CHECK_EQUAL(x.size, 20u);
}

CAF_TEST(each bound of the input is checked) {
  auto good = load_of(1, 1);
  CAF_CHECK_EQUAL(net::check(good), "");
  auto wrong = [&good](auto change) {
    auto x = good;
    change(x);
    return net::check(x);
  };
  using load = net::pool_load;
  auto nan = std::numeric_limits<double>::quiet_NaN();
  CAF_CHECK_EQUAL(wrong([](load& x) { x.rate = 1e9; }), "");
  CAF_CHECK(wrong([](load& x) { x.rate = 1.1e9; }) != "");
  CAF_CHECK(wrong([](load& x) { x.rate = -1; }) != "");
  CAF_CHECK(wrong([nan](load& x) { x.rate = nan; }) != "");
  CAF_CHECK(wrong([](load& x) { x.service_s = 0; }) != "");
  CAF_CHECK_EQUAL(wrong([](load& x) { x.service_s = 86'400; }), "");
  CAF_CHECK(wrong([](load& x) { x.service_s = 86'401; }) != "");
  CAF_CHECK_EQUAL(wrong([](load& x) { x.utilisation_max = 0.99; }), "");
  CAF_CHECK(wrong([](load& x) { x.utilisation_max = 1; }) != "");
  CAF_CHECK(wrong([](load& x) { x.utilisation_max = 0; }) != "");
  CAF_CHECK(wrong([](load& x) { x.wait_p99_max_s = -1; }) != "");
  CAF_CHECK(wrong([](load& x) { x.cpu_s = -1; }) != "");
  CAF_CHECK(wrong([](load& x) { x.cores = 0; }) != "");
  CAF_CHECK(wrong([](load& x) { x.size_min = 0; }) != "");
  CAF_CHECK_EQUAL(wrong([](load& x) { x.size_min = 4096; }), "");
  CAF_CHECK(wrong([](load& x) { x.size_max = 4097; }) != "");
  CAF_CHECK(wrong([](load& x) {
              x.size_min = 3;
              x.size_max = 2;
            })
            != "");
}
