// dr-bench-bare: a Beast server and nothing else, as the limit that the product is measured against. It serves the
// socket it inherits (descriptor 3).
#include "bench/bare/batcher.hpp"
#include "bench/bare/loop.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>

namespace dr::bench {
namespace {

/// The number behind the first "/name/" of a target; 0 when there is none.
std::int64_t id_in(std::string_view target) {
  const auto at = target.find('/', 1);
  std::int64_t id = 0;
  if (at != std::string_view::npos) std::from_chars(target.data() + at + 1, target.data() + target.size(), id);
  return id;
}

bare_answer read_answer(const std::string& file) {
  bare_answer answer;
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + " cannot be read");
  for (std::string line; std::getline(in, line) && !line.empty();) {
    const auto colon = line.find(": ");
    answer.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  answer.body.assign(std::istreambuf_iterator<char>(in), {});
  return answer;
}

struct arguments {
  std::string answer_file;
  std::string url;
  std::string sql = "writer";
  int threads = 2;
  std::size_t batch_max = 1000;
};

bare_handler fixed_answers() {
  return [](const bare_request&, reply_port reply) { reply.send(); };
}

bare_handler batched(const std::shared_ptr<batcher>& rows) {
  return [rows](const bare_request& request, reply_port reply) {
    bare_row row{id_in(request.target), request.target.ends_with("/accept"), std::string(request.key)};
    if (row.id == 0) return reply.send(); // /ready
    rows->push(std::move(row), std::move(reply));
  };
}

store_rows rows_of(const std::string& mode, const arguments& a) {
  if (mode == "withdrawals")
    return a.sql == "lean" ? withdrawals_by_one_statement(a.url) : withdrawals_by_the_writer(a.url);
  return a.sql == "lean" ? answers_by_one_statement(a.url) : answers_by_the_writer(a.url);
}

void serve(const std::string& mode, const arguments& a) {
  const auto answer = a.answer_file.empty() ? bare_answer{} : read_answer(a.answer_file);
  auto handler = fixed_answers();
  if (mode == "answers" || mode == "withdrawals")
    handler = batched(std::make_shared<batcher>(rows_of(mode, a), a.batch_max));
  run_loops(a.threads, answer, handler);
}

} // namespace
} // namespace dr::bench

int main(int argc, char** argv) {
  using namespace dr::bench;
  arguments a;
  std::string mode;
  CLI::App app("A bare Beast server on the inherited socket.");
  app.add_option("mode", mode,
                 "fixed: the same answer to every request; answers: PUT /responses/{id}/accept|deny; withdrawals: POST "
                 "/users/{id}/withdraw; broadcast: WebSockets, and POST /broadcast/{bytes} sends all of them a frame")
      ->required()
      ->check(CLI::IsMember({"fixed", "answers", "withdrawals", "broadcast"}));
  app.add_option("--answer", a.answer_file, "the answer to give: header fields, an empty line, the body");
  app.add_option("--database", a.url, "where rows go");
  app.add_option("--sql", a.sql, "rows by the product's writer, or by one lean statement")
      ->check(CLI::IsMember({"writer", "lean"}));
  app.add_option("--threads", a.threads, "that serve connections")->check(CLI::Range(1, 64));
  app.add_option("--batch-max", a.batch_max, "rows in one transaction")->check(CLI::Range(1, 5000));
  CLI11_PARSE(app, argc, argv);
  try {
    serve(mode, a);
    return 0;
  } catch (const std::exception& why) {
    std::cerr << "dr-bench-bare: " << why.what() << '\n';
    return 1;
  }
}
