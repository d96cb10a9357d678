import Connecting

// A delivery in parts: each has a line of its own in `sj_offset`. Whoever changes the whole holds its line first and the
// parts' after it, and so does a part that is opened, so that nobody waits in a circle.

extension PostgreSQLWriter {
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset? {
    try target.prepare()
    try begin()
    do {
      let found = try connection.run(
        "SELECT fence, run, batch, state FROM \(target.offsets) WHERE stream = $1 AND target = $2 FOR UPDATE",
        [plan.whole, plan.table.description])
      try admit(
        found.first.map { StoredOffset(line: $0) })
      return try take()
    } catch {
      rollback()
      throw error
    }
  }

  func dropParts() throws(ConnectorError) {
    try begin()
    try holdOwnLine()
    let prefix = WritePlan.partPrefix(of: plan.stream)
    let fences = try connection.run(
      "SELECT fence FROM \(target.offsets) WHERE starts_with(stream, $1) ORDER BY stream FOR UPDATE", [prefix]
    ).compactMap { $0[0].flatMap { Int64($0) } }
    guard fences.allSatisfy({ $0 <= plan.fence }) else {
      rollback()
      throw .takenOver
    }
    try connection.run("DELETE FROM \(target.offsets) WHERE starts_with(stream, $1)", [prefix])
    try connection.run("DELETE FROM \(target.batches) WHERE starts_with(stream, $1)", [prefix])
  }

  func gatherParts(_ states: [String: String]) throws(ConnectorError) {
    try begin()
    try holdOwnLine()
    var last: Int64 = 0
    for (stream, state) in states.sorted(by: { $0.key < $1.key }) {
      let found = try connection.run(
        "SELECT state, batch FROM \(target.offsets) WHERE stream = $1 FOR UPDATE", [stream])
      guard let line = found.first, line[0] == state else {
        rollback()
        throw .otherPart
      }
      last = max(last, line[1].flatMap { Int64($0) } ?? 0)
      try connection.run("DELETE FROM \(target.offsets) WHERE stream = $1", [stream])
      try connection.run("UPDATE \(target.batches) SET stream = $2 WHERE stream = $1", [stream, plan.stream])
    }
    try connection.run(
      "UPDATE \(target.offsets) SET batch = greatest(batch, $2::int8) WHERE stream = $1", [plan.stream, "\(last)"])
  }

  private func holdOwnLine() throws(ConnectorError) {
    try connection.run("SELECT 1 FROM \(target.offsets) WHERE stream = $1 FOR UPDATE", [plan.stream])
  }
}
