#include "storage/memory/memory_writer.hpp"

#include <algorithm>

namespace dr::storage {

namespace {

/// Collects one page out of rows that come by ascending id.
template <class T> class page_maker {
public:
  explicit page_maker(const page_request& at) : at_(at) {
    skip_ = at.after > 0 ? 0 : at.number * at.size;
    if (at.after == 0) page_.total = 0;
  }
  /// True while rows are wanted (a total wants them all).
  bool offer(std::int64_t id, const std::function<T()>& make) {
    if (at_.after > 0 && id <= at_.after) return true;
    if (page_.total) ++*page_.total;
    if (skip_ > 0) {
      --skip_;
    } else if (static_cast<int>(page_.items.size()) < at_.size) {
      page_.items.push_back(make());
    } else {
      page_.more = true;
    }
    return page_.total || !page_.more;
  }
  page<T> take() { return std::move(page_); }

private:
  page_request at_;
  std::int64_t skip_ = 0;
  page<T> page_;
};

bool is_part_of(memory_state& s, user_id user, campaign_id campaign) {
  return std::ranges::any_of(s.responses_of_user[user],
                             [&](response_id one) { return s.responses.at(one).campaign == campaign; });
}

std::string lower_ascii(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

class memory_reader final : public reader {
public:
  memory_reader(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults)
      : state_(std::move(state)), faults_(std::move(faults)) {}

  result<user> find_user(user_id id) override {
    return read<user>([&](memory_state& s) -> result<user> {
      auto at = s.users.find(id);
      if (at == s.users.end()) return fail(errc::not_found, "there is no such user");
      return at->second.user;
    });
  }

  result<page<user>> users(const user_filter& filter, const page_request& at) override {
    return read<page<user>>([&](memory_state& s) -> result<page<user>> {
      page_maker<user> out{at};
      auto prefix = lower_ascii(filter.name_prefix);
      for (const auto& [id, row] : s.users) {
        if (filter.enrolled && *filter.enrolled != row.user.enrolled) continue;
        if (!lower_ascii(row.user.name).starts_with(prefix)) continue;
        if (!out.offer(id.value, [&row = row] { return row.user; })) break;
      }
      return out.take();
    });
  }

  result<campaign> find_campaign(campaign_id id) override {
    return read<campaign>([&](memory_state& s) -> result<campaign> {
      auto at = s.campaigns.find(id);
      if (at == s.campaigns.end()) return fail(errc::not_found, "there is no such campaign");
      return at->second;
    });
  }

  result<page<campaign>> campaigns(const campaign_filter& filter, const page_request& at) override {
    return read<page<campaign>>([&](memory_state& s) -> result<page<campaign>> {
      page_maker<campaign> out{at};
      for (const auto& [id, c] : s.campaigns) {
        if (filter.status && *filter.status != c.status) continue;
        if (!filter.type.empty() && filter.type != c.type) continue;
        if (filter.user && !is_part_of(s, filter.user, id)) continue;
        if (!out.offer(id.value, [&c = c] { return c; })) break;
      }
      return out.take();
    });
  }

  result<std::vector<campaign>> unfinished_campaigns() override {
    return read<std::vector<campaign>>([&](memory_state& s) -> result<std::vector<campaign>> {
      std::vector<campaign> out;
      for (const auto& [id, c] : s.campaigns) {
        bool unfrozen = c.status == campaign_status::end && !c.frozen;
        if (c.open() || unfrozen || c.settlement == settlement_status::verifying) out.push_back(c);
      }
      return out;
    });
  }

  result<campaign_response> find_response(response_id id) override {
    return read<campaign_response>([&](memory_state& s) -> result<campaign_response> {
      auto at = s.responses.find(id);
      if (at == s.responses.end()) return fail(errc::not_found, "there is no such response");
      return campaign_response{s.campaigns.at(at->second.campaign), s.seen(at->second)};
    });
  }

  result<page_end> each_response(const response_filter& filter, const page_request& at,
                                 const std::function<void(response)>& take) override {
    return read<page_end>([&](memory_state& s) -> result<page_end> {
      page_maker<response> out{at};
      for (const auto& [id, r] : s.responses) {
        if (filter.campaign && filter.campaign != r.campaign) continue;
        if (filter.user && filter.user != r.user) continue;
        if (filter.answer && *filter.answer != r.answer) continue;
        if (!out.offer(id.value, [&s, &r = r] { return s.seen(r); })) break;
      }
      auto page = out.take();
      for (auto& one : page.items) take(std::move(one));
      return page_end{page.total, page.more};
    });
  }

  result<std::vector<campaign_response>> open_responses(user_id id) override {
    return read<std::vector<campaign_response>>([&](memory_state& s) -> result<std::vector<campaign_response>> {
      std::vector<campaign_response> out;
      for (auto one : s.responses_of_user[id]) {
        const auto& r = s.responses.at(one);
        const auto& c = s.campaigns.at(r.campaign);
        if (c.open()) out.push_back({c, s.seen(r)});
      }
      return out;
    });
  }

  result<std::vector<user_id>> part_of(campaign_id id, std::span<const user_id> users) override {
    return read<std::vector<user_id>>([&](memory_state& s) -> result<std::vector<user_id>> {
      std::vector<user_id> out;
      for (const auto user : users)
        if (is_part_of(s, user, id)) out.push_back(user);
      return out;
    });
  }

  result<std::vector<dispatched_response>> dispatched(campaign_id id, response_id after, int limit) override {
    using list = std::vector<dispatched_response>;
    return read<list>([&](memory_state& s) -> result<list> {
      list out;
      auto c = s.campaigns.find(id);
      if (c == s.campaigns.end()) return out;
      const auto& all = s.responses_of_campaign[id];
      for (auto at = std::upper_bound(all.begin(), all.end(), after); at != all.end(); ++at) {
        if (static_cast<int>(out.size()) >= limit) break;
        if (!c->second.open() && !s.queue.contains(*at)) continue;
        auto r = s.seen(s.responses.at(*at));
        out.push_back({r.id, r.user, r.capacity_w, r.answer, r.version, r.answered_at, r.delivered_at});
      }
      return out;
    });
  }

  result<reduction_check> find_check(check_id id) override {
    return read<reduction_check>([&](memory_state& s) -> result<reduction_check> {
      auto at = s.checks.find(id);
      if (at == s.checks.end()) return fail(errc::not_found, "there is no such reduction check");
      return s.seen(at->second);
    });
  }

  result<page<reduction_check>> checks(const check_filter& filter, const page_request& at) override {
    return read<page<reduction_check>>([&](memory_state& s) -> result<page<reduction_check>> {
      page_maker<reduction_check> out{at};
      for (const auto& [id, c] : s.checks) {
        if (filter.campaign && filter.campaign != c.campaign) continue;
        if (filter.user && filter.user != c.user) continue;
        if (!out.offer(id.value, [&s, &c = c] { return s.seen(c); })) break;
      }
      return out.take();
    });
  }

  result<page<ledger_entry>> ledger(user_id id, const page_request& at) override {
    return read<page<ledger_entry>>([&](memory_state& s) -> result<page<ledger_entry>> {
      page_maker<ledger_entry> out{{0, at.number, at.size}};
      page<ledger_entry> older;
      const auto& all = s.ledger_of[id];
      if (at.after == 0) {
        for (auto e = all.rbegin(); e != all.rend(); ++e)
          out.offer(e->value, [&s, e] { return s.ledger[static_cast<std::size_t>(e->value - 1)]; });
        return out.take();
      }
      for (auto e = all.rbegin(); e != all.rend(); ++e) {
        if (e->value >= at.after) continue;
        if (static_cast<int>(older.items.size()) == at.size) {
          older.more = true;
          break;
        }
        older.items.push_back(s.ledger[static_cast<std::size_t>(e->value - 1)]);
      }
      return older;
    });
  }

  result<std::vector<event>> events(const event_filter& filter) override {
    return read<std::vector<event>>([&](memory_state& s) -> result<std::vector<event>> {
      std::vector<event> out;
      for (auto i = static_cast<std::size_t>(std::max<std::int64_t>(filter.after, 0)); i < s.events.size(); ++i) {
        const auto& e = s.events[i];
        if (static_cast<int>(out.size()) >= filter.limit) break;
        if (filter.campaign && filter.campaign != e.campaign) continue;
        if (filter.user && filter.user != e.user) continue;
        if (!filter.type.empty() && filter.type != e.type) continue;
        out.push_back(e);
      }
      return out;
    });
  }

  result<std::vector<event>> last_events(int limit) override {
    return read<std::vector<event>>([&](memory_state& s) -> result<std::vector<event>> {
      auto count = std::min<std::size_t>(static_cast<std::size_t>(limit), s.events.size());
      return std::vector<event>(s.events.end() - static_cast<std::ptrdiff_t>(count), s.events.end());
    });
  }

  result<std::vector<statement_row>> statement(campaign_id id, response_id after, int limit) override {
    return read<std::vector<statement_row>>([&](memory_state& s) -> result<std::vector<statement_row>> {
      std::vector<statement_row> out;
      const auto& all = s.responses_of_campaign[id];
      for (auto at = std::upper_bound(all.begin(), all.end(), after); at != all.end(); ++at) {
        if (static_cast<int>(out.size()) >= limit) break;
        const auto& r = s.responses.at(*at);
        statement_row row{s.seen(r), s.users.at(r.user).user.cust_no, {}};
        if (auto check = s.check_of.find(r.id); check != s.check_of.end())
          row.check = s.seen(s.checks.at(check->second));
        out.push_back(std::move(row));
      }
      return out;
    });
  }

  result<user_id> user_of_token(const std::string& token_hash) override {
    return read<user_id>([&](memory_state& s) -> result<user_id> {
      for (const auto& [id, row] : s.users)
        if (!token_hash.empty() && row.token_hash == token_hash) return id;
      return fail(errc::not_found, "nobody has this token");
    });
  }

  result<std::optional<keyed_answer>> find_keyed(const std::string& principal, const std::string& method,
                                                 const std::string& path, const std::string& key,
                                                 time_point now) override {
    using maybe = std::optional<keyed_answer>;
    return read<maybe>([&](memory_state& s) -> result<maybe> {
      auto at = s.requests.find({principal, method, path, key});
      if (at == s.requests.end() || now - at->second.created_at >= key_lifetime) return maybe{};
      return maybe{at->second.kept};
    });
  }

  result<std::vector<due_check>> due_checks(time_point now, int limit) override {
    return read<std::vector<due_check>>([&](memory_state& s) -> result<std::vector<due_check>> {
      std::vector<const queued_check*> due;
      for (const auto& [id, job] : s.queue)
        if (!job.parked && job.next_try_at <= now) due.push_back(&job);
      std::stable_sort(due.begin(), due.end(), [](auto* a, auto* b) { return a->next_try_at < b->next_try_at; });
      std::vector<due_check> out;
      for (const auto* job : due) {
        if (static_cast<int>(out.size()) >= limit) break;
        out.push_back({job->response, job->attempts});
      }
      return out;
    });
  }

  result<std::vector<due_check>> expired_parked(time_point ended_before, int limit) override {
    return read<std::vector<due_check>>([&](memory_state& s) -> result<std::vector<due_check>> {
      std::vector<due_check> out;
      for (const auto& [id, job] : s.queue) {
        if (std::ssize(out) >= limit) break;
        auto ended = s.campaigns.at(job.campaign).ended_at;
        if (job.parked && job.revision == 1 && ended && *ended <= ended_before) out.push_back({id, job.attempts});
      }
      return out;
    });
  }

  result<std::optional<time_point>> next_check_due() override {
    using maybe = std::optional<time_point>;
    return read<maybe>([&](memory_state& s) -> result<maybe> {
      maybe next;
      for (const auto& [id, job] : s.queue)
        if (!job.parked && (!next || job.next_try_at < *next)) next = job.next_try_at;
      return next;
    });
  }

  result<std::vector<check_material>> check_materials(std::span<const response_id> ids) override {
    return read<std::vector<check_material>>([&](memory_state& s) -> result<std::vector<check_material>> {
      std::vector<check_material> out;
      for (auto id : ids) {
        if (faults_->material_is_broken(id)) return fail(errc::internal, "what is stored cannot be read");
        if (auto job = s.queue.find(id); job != s.queue.end()) out.push_back(material_of(s, job->second));
      }
      return out;
    });
  }

  result<std::vector<history_state>> history(user_id after, int limit, korean_day from, korean_day to) override {
    return read<std::vector<history_state>>([&](memory_state& s) -> result<std::vector<history_state>> {
      std::vector<history_state> out;
      for (auto at = s.users.upper_bound(after); at != s.users.end(); ++at) {
        const auto& u = at->second.user;
        if (static_cast<int>(out.size()) >= limit) break;
        if (!u.enrolled || u.cust_no.empty()) continue;
        history_state state{u.id, u.cust_no, {}, {}};
        for (auto day = s.days.lower_bound({u.cust_no, from}); day != s.days.end(); ++day) {
          if (day->first.first != u.cust_no || day->first.second > to) break;
          if (day->second.closed)
            state.closed.insert(day->first.second);
          else
            state.noted.emplace(day->first.second, day->second.fetched_at);
        }
        out.push_back(std::move(state));
      }
      return out;
    });
  }

  result<overview_counts> overview() override {
    return read<overview_counts>([&](memory_state& s) -> result<overview_counts> {
      overview_counts counts;
      for (const auto& [id, row] : s.users) counts.enrolled += row.user.enrolled;
      for (const auto& [id, job] : s.queue) ++(job.parked ? counts.checks_parked : counts.checks_pending);
      return counts;
    });
  }

  result<std::vector<parked_check>> parked_checks(int limit) override {
    return read<std::vector<parked_check>>([&](memory_state& s) -> result<std::vector<parked_check>> {
      std::vector<parked_check> out;
      for (const auto& [id, job] : s.queue)
        if (job.parked)
          out.push_back(
              {id, job.campaign, job.user, s.users.at(job.user).user.name, job.next_try_at, job.attempts, job.reason});
      std::ranges::stable_sort(out, {}, &parked_check::since);
      if (std::ssize(out) > limit) out.resize(static_cast<std::size_t>(limit));
      return out;
    });
  }

  result<check_queue> queue_of_checks() override {
    return read<check_queue>([](memory_state& s) -> result<check_queue> {
      check_queue out;
      std::map<campaign_id, check_queue::parked_of> parked;
      for (const auto& [id, job] : s.queue) {
        if (!job.parked) {
          out.oldest_due = std::min(out.oldest_due.value_or(job.next_try_at), job.next_try_at);
          continue;
        }
        auto& of =
            parked.try_emplace(job.campaign, check_queue::parked_of{job.campaign, 0, job.next_try_at}).first->second;
        ++of.count;
        of.since = std::min(of.since, job.next_try_at);
      }
      for (const auto& [id, of] : parked) out.parked.push_back(of);
      return out;
    });
  }

  result<void> ping() override {
    return read<void>([](memory_state&) -> result<void> { return {}; });
  }

  outage last_outage() const override { return outage_; }
  void abort() noexcept override { ++faults_->aborts; }

private:
  template <class T, class Action> result<T> read(const Action& action) {
    ++faults_->reads;
    outage_ = {};
    if (faults_->next_read_fails()) {
      outage_ = {outage_cause::unreachable, "the memory store was told to fail"};
      return fail(errc::store_unavailable, "the store cannot be reached");
    }
    std::scoped_lock lock{state_->mutex};
    return action(*state_);
  }

  std::shared_ptr<memory_state> state_;
  std::shared_ptr<memory_faults> faults_;
  outage outage_;
};

} // namespace

std::unique_ptr<reader> make_memory_reader(std::shared_ptr<memory_state> state, std::shared_ptr<memory_faults> faults) {
  return std::make_unique<memory_reader>(std::move(state), std::move(faults));
}

} // namespace dr::storage
