#include "storage/postgres/postgres_database.hpp"

#include "storage/postgres/migrations.hpp"
#include "storage/postgres/pg_reader.hpp"
#include "storage/postgres/pg_writer.hpp"

#include <spdlog/spdlog.h>

namespace dr::storage {

namespace {

class postgres_database final : public database {
public:
  explicit postgres_database(postgres_options options) : options_(std::move(options)) {}

  result<std::vector<int>> migrate() override {
    connection over{options_, "migration", options_.bulk_statement_timeout, workload::bulk};
    return storage::migrate(over, known_migrations());
  }

  result<std::vector<int>> migrate_beside() override {
    connection over{options_, "migration", options_.bulk_statement_timeout, workload::bulk};
    return storage::migrate(over, known_migrations(), migration_scope::beside);
  }

  result<std::int64_t> take_lease(const std::string& holder) override {
    connection over{options_, "lease", options_.statement_timeout, workload::bulk};
    try {
      pqxx::work in{over.use()};
      auto taken = over.run(in, sql::take_lease, parameters{}.add(std::string_view{holder}));
      if (taken.empty()) throw unusable_database("the writer's row is missing: the schema is damaged");
      auto epoch = column_cursor{taken[0]}.number();
      in.commit();
      spdlog::info("storage: the writer lease is ours, epoch {}", epoch);
      return epoch;
    } catch (const std::exception& why) {
      // Taking it twice does no harm, so that an unknown outcome needs no care of its own.
      return outside_view(over.explain(why));
    }
  }

  std::unique_ptr<writer> open_writer(lane which, std::int64_t epoch) override {
    return std::make_unique<pg_writer>(options_, which, epoch);
  }
  std::unique_ptr<reader> open_reader() override { return std::make_unique<pg_reader>(options_); }

private:
  postgres_options options_;
};

} // namespace

std::unique_ptr<database> make_postgres_database(postgres_options options) {
  return std::make_unique<postgres_database>(std::move(options));
}

} // namespace dr::storage
