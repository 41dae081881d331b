// Which days a verification looks at.
#pragma once

#include "storage/store.hpp"

namespace dr::storage {

/// Both ends included.
struct day_range {
  korean_day first{};
  korean_day last{};
};

/// The first day that is given to a verification at first: generously more days than the longest look-back of the
/// campaign's baselines, which weekends, holidays and event days stretch.
korean_day usual_first_day(const campaign& of) noexcept;

/// From the material's first day to the event's last one.
day_range material_days(const check_material& of) noexcept;

/// Do the user's event days leave so few others that reference days may have to be looked for further back? Then the
/// first day is moved back and the neighbours are forgotten: read them again. Event days beyond the first day would
/// be taken for reference days.
bool look_further_back(check_material& of);

} // namespace dr::storage
