#include "storage/postgres/postgres_database.hpp"

#include "storage/postgres/migrations.hpp"
#include "storage/postgres/pg_reader.hpp"
#include "storage/postgres/pg_writer.hpp"

#include <spdlog/spdlog.h>

#include <libpq-fe.h>

namespace dr::storage {

namespace {

class postgres_database final : public database {
public:
  explicit postgres_database(postgres_options options)
      : options_(std::move(options)), at_start_(options_, "start", options_.bulk_statement_timeout, workload::bulk) {}

  result<std::vector<int>> migrate() override { return bring_up_to_date(migration_scope::all); }
  result<std::vector<int>> migrate_beside() override { return bring_up_to_date(migration_scope::beside); }

  result<std::int64_t> take_lease(const std::string& holder) override {
    auto& over = at_start_;
    const closed_behind closed{over};
    try {
      over.begin_call();
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
  /// It is used at the start only, and says only once what is wrong while that is tried again and again.
  struct closed_behind {
    connection& of;
    ~closed_behind() { of.drop(); }
  };

  result<std::vector<int>> bring_up_to_date(migration_scope scope) {
    const closed_behind closed{at_start_};
    return storage::migrate(at_start_, known_migrations(), scope);
  }

  postgres_options options_;
  connection at_start_;
};

} // namespace

std::optional<std::string> wrong_address(const std::string& url) {
  char* said = nullptr; // it may quote the password
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed{PQconninfoParse(url.c_str(), &said),
                                                                            &PQconninfoFree};
  PQfreemem(said);
  if (parsed) return std::nullopt;
  return "cannot be read; it is like postgresql://user:password@host:5432/name, with %40 for @, %2F for / and %25 for "
         "% in a password, or host=… dbname=… user=… password=…";
}

std::unique_ptr<database> make_postgres_database(postgres_options options) {
  return std::make_unique<postgres_database>(std::move(options));
}

} // namespace dr::storage
