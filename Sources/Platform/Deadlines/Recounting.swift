extension WorkCalendar {
  /// Counts what waits until a day anew, in batches by key; answers how many days changed.
  ///
  /// `batch` reads what comes after a key, at most so many, in the order of the keys. `body` stores a day that moved: it is
  /// given what waits, its due date as it was, and as it is by this calendar.
  package func recount<Open, Key>(
    _ batch: (Key?, Int) throws -> [Open], key: (Open) -> Key, due: (Open) -> DueDate?,
    _ body: (Open, DueDate, DueDate) throws -> Void
  ) throws -> Int {
    let limit = 500
    var changed = 0
    var last: Key?
    while true {
      let found = try batch(last, limit)
      for open in found {
        guard let before = due(open), let after = before.moved(by: self) else { continue }
        try body(open, before, after)
        changed += 1
      }
      if found.count < limit { return changed }
      last = found.last.map(key)
    }
  }
}
