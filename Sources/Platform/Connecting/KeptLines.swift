import Kernel

// How every target that is a database keeps what it remembers: the same columns, the same refusals.

extension StoredOffset {
  /// Of a line's columns `fence, run, batch, state` as text; what follows them is not looked at.
  package init(line: [String?]) {
    self.init(
      fence: line[0].flatMap { Int64($0) } ?? 0, run: line[1] ?? "", batch: line[2].flatMap { Int64($0) } ?? 0,
      state: line[3] ?? "")
  }
}

extension BatchRecord {
  /// Of a line's columns `batch, run, delivered, quarantined, bytes, digest` as text.
  package init(line: [String?]) {
    self.init(
      batch: line[0].flatMap { Int64($0) } ?? 0, run: line[1] ?? "", delivered: line[2].flatMap { Int($0) } ?? 0,
      quarantined: line[3].flatMap { Int($0) } ?? 0, bytes: line[4].flatMap { Int($0) } ?? 0, digest: line[5] ?? "")
  }
}

extension WritePlan {
  /// Another grant's line names this table.
  package var taken: ConnectorError {
    .contract("target-taken", "表“\(table)”已由另一个授权写入。", "The table “\(table)” is written by another grant.")
  }

  /// This grant's line names another table.
  package func moved(from other: String?) -> ConnectorError {
    .contract(
      "target-moved", "该授权已在写入另一张表“\(other ?? "")”。", "This grant already writes another table, “\(other ?? "")”.")
  }
}

extension ConnectorError {
  /// A newer run holds the target.
  package static let takenOver = ConnectorError(
    .fenced, "fenced", Text("另一个更新的任务已接管此次交付。", "A newer run has taken over this delivery."))
}
