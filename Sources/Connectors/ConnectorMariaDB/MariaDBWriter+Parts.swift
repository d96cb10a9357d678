import Connecting

// A delivery in parts: each has a line of its own in `sj_offset`. Whoever changes the whole holds its line first and the
// parts' after it, and so does a part that is opened.

extension MariaDBWriter {
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset? {
    try open(takes: { (writer) throws(ConnectorError) in
      let found = try writer.connection.run(
        """
        SELECT fence, run, batch, state FROM \(writer.target.offsets) WHERE stream = \(MariaDBQuote.text(writer.plan.whole ?? ""))
          AND target = \(MariaDBQuote.text(writer.plan.table.description)) FOR UPDATE
        """)
      try admit(
        found.first.map { StoredOffset(line: $0) })
      return try writer.takeLine()
    })
  }

  func dropParts() throws(ConnectorError) {
    try begin()
    try holdOwnLine()
    // As a range of the index, so that no other stream's line is locked on the way: `$` comes behind `#`.
    let prefix = WritePlan.partPrefix(of: plan.stream)
    let areParts =
      "stream > \(MariaDBQuote.text(prefix)) AND stream < \(MariaDBQuote.text(prefix.dropLast() + "$"))"
    let fences = try connection.run(
      "SELECT fence FROM \(target.offsets) WHERE \(areParts) ORDER BY stream FOR UPDATE")
    guard fences.allSatisfy({ $0[0].flatMap { Int64($0) } ?? 0 <= plan.fence }) else {
      rollback()
      throw .takenOver
    }
    for table in [target.offsets, target.batches] { try connection.run("DELETE FROM \(table) WHERE \(areParts)") }
  }

  func gatherParts(_ states: [String: String]) throws(ConnectorError) {
    try begin()
    try holdOwnLine()
    var last: Int64 = 0
    let whole = MariaDBQuote.text(plan.stream)
    for (name, state) in states.sorted(by: { $0.key < $1.key }) {
      let stream = MariaDBQuote.text(name)
      let found = try connection.run(
        "SELECT state, batch FROM \(target.offsets) WHERE stream = \(stream) FOR UPDATE")
      guard let line = found.first, line[0] == state else {
        rollback()
        throw .otherPart
      }
      last = max(last, line[1].flatMap { Int64($0) } ?? 0)
      try connection.run("DELETE FROM \(target.offsets) WHERE stream = \(stream)")
      try connection.run("UPDATE \(target.batches) SET stream = \(whole) WHERE stream = \(stream)")
    }
    try connection.run(
      "UPDATE \(target.offsets) SET batch = GREATEST(batch, \(last)) WHERE stream = \(whole)")
  }

  private func holdOwnLine() throws(ConnectorError) {
    try connection.run(
      "SELECT 1 FROM \(target.offsets) WHERE stream = \(MariaDBQuote.text(plan.stream)) FOR UPDATE")
  }
}
