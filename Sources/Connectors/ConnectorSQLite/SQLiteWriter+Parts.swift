import Connecting

// A delivery in parts: each has a line of its own in `sj_offset`. One writes at a time here in any case.

extension SQLiteWriter {
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset? {
    try open(takes: { (writer) throws(ConnectorError) in
      let found = try writer.connection.rows(
        "SELECT fence, run, batch, state FROM sj_offset WHERE stream = ? AND target = ?",
        [writer.plan.whole ?? "", writer.plan.table.name])
      try admit(
        found.first.map { StoredOffset(line: $0) })
      return try writer.takeLine()
    })
  }

  func dropParts() throws(ConnectorError) {
    try begin()
    let prefix = WritePlan.partPrefix(of: plan.stream)
    let fences = try connection.rows(
      "SELECT fence FROM sj_offset WHERE substr(stream, 1, length(?1)) = ?1", [prefix])
    guard fences.allSatisfy({ $0[0].flatMap { Int64($0) } ?? 0 <= plan.fence }) else {
      rollback()
      throw .takenOver
    }
    for table in [WritePlan.offsetTable, WritePlan.batchTable] {
      _ = try connection.rows("DELETE FROM \(table) WHERE substr(stream, 1, length(?1)) = ?1", [prefix])
    }
  }

  func gatherParts(_ states: [String: String]) throws(ConnectorError) {
    try begin()
    var last: Int64 = 0
    for (stream, state) in states.sorted(by: { $0.key < $1.key }) {
      let found = try connection.rows("SELECT state, batch FROM sj_offset WHERE stream = ?", [stream])
      guard let line = found.first, line[0] == state else {
        rollback()
        throw .otherPart
      }
      last = max(last, line[1].flatMap { Int64($0) } ?? 0)
      _ = try connection.rows("DELETE FROM sj_offset WHERE stream = ?", [stream])
      _ = try connection.rows("UPDATE sj_batch SET stream = ?2 WHERE stream = ?1", [stream, plan.stream])
    }
    _ = try connection.rows("UPDATE sj_offset SET batch = max(batch, \(last)) WHERE stream = ?", [plan.stream])
  }
}
