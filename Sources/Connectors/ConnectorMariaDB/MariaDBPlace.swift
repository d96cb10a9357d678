import Connecting

/// A place in one server's log: a file and an offset in it.
struct MariaDBSpot: Hashable, Comparable, Sendable {
  var file: String
  var offset: UInt64

  /// Files of one server are numbered: `binlog.000012`.
  var number: Int { Self.number(of: file) ?? 0 }

  static func number(of file: String) -> Int? {
    file.split(separator: ".", omittingEmptySubsequences: false).last.flatMap { digits in
      digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(digits) : nil
    }
  }

  static func < (a: MariaDBSpot, b: MariaDBSpot) -> Bool { (a.number, a.offset) < (b.number, b.offset) }
}

/// A transaction's name, the same on every server that has it.
struct MariaDBGTID: Hashable, Sendable {
  var domain: UInt32
  var server: UInt32
  var sequence: UInt64

  var written: String { "\(domain)-\(server)-\(sequence)" }

  init(domain: UInt32, server: UInt32, sequence: UInt64) {
    (self.domain, self.server, self.sequence) = (domain, server, sequence)
  }

  init?(_ written: some StringProtocol) {
    let parts = written.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let domain = UInt32(parts[0]), let server = UInt32(parts[1]),
      let sequence = UInt64(parts[2])
    else { return nil }
    self.init(domain: domain, server: server, sequence: sequence)
  }
}

/// What a server's log holds up to some place: the last transaction of each domain.
struct MariaDBGTIDState: Hashable, Sendable {
  var last: [UInt32: MariaDBGTID] = [:]

  var written: String { last.values.sorted { $0.domain < $1.domain }.map(\.written).joined(separator: ",") }

  init() {}

  init?(_ written: some StringProtocol) {
    for part in written.split(separator: ",") {
      guard let found = MariaDBGTID(part) else { return nil }
      last[found.domain] = found
    }
  }
}

/// Where a stream goes on.
///
/// The transactions that lie behind it (GTIDs) say so, and not a file and an offset: the server itself looks whether its
/// log has them all and what follows, also when it is another one that took over. File and offset are kept beside them to
/// notice a log that was begun anew (RESET MASTER) and has come to the same numbers again.
struct MariaDBPlace: Hashable, Sendable {
  /// Transactions that were prepared (XA) and are neither committed nor rolled back.
  struct Prepared: Hashable, Sendable {
    /// A digest of the transaction's own name.
    var name: UInt64
    /// Where it stands in the log, when it touched the table; nil when it did not.
    var found: Found?

    struct Found: Hashable, Sendable {
      var transaction: MariaDBGTID
      var spot: MariaDBSpot
    }
  }

  var server: UInt32
  var state: MariaDBGTIDState
  /// Behind the last transaction, in the files of `server`.
  var end: MariaDBSpot
  /// The transaction that follows, and how many of its changes were given.
  var within: MariaDBGTID?
  var changes: UInt64 = 0
  var prepared: [Prepared] = []

  /// A position has 4 KiB, and one of these at most 120 bytes of it.
  static let mostPrepared = 24
  /// Before everything: on a server that was not read yet.
  static let nowhere = MariaDBSpot(file: "none.0", offset: 0)
  private static let head = "binlog 1"

  init(server: UInt32, state: MariaDBGTIDState, end: MariaDBSpot) {
    (self.server, self.state, self.end) = (server, state, end)
  }

  var bytes: [UInt8] {
    var lines = [
      Self.head, "\(server)", state.written, end.file, "\(end.offset)", within?.written ?? "-", "\(changes)",
    ]
    for item in prepared {
      lines.append(
        "\(item.name)" + (item.found.map { " \($0.transaction.written) \($0.spot.offset) \($0.spot.file)" } ?? ""))
    }
    return Array(lines.joined(separator: "\n").utf8)
  }

  init?(_ bytes: [UInt8]) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 7, lines[0] == Self.head, let server = UInt32(lines[1]),
      let state = MariaDBGTIDState(lines[2]),
      MariaDBSpot.number(of: String(lines[3])) != nil, let offset = UInt64(lines[4]), let changes = UInt64(lines[6])
    else { return nil }
    self.init(server: server, state: state, end: MariaDBSpot(file: String(lines[3]), offset: offset))
    if lines[5] != "-" {
      guard let within = MariaDBGTID(lines[5]) else { return nil }
      self.within = within
    }
    self.changes = changes
    for line in lines[7...] {
      let parts = line.split(separator: " ", maxSplits: 3)
      guard let name = parts.first.flatMap({ UInt64($0) }) else { return nil }
      guard parts.count > 1 else {
        prepared.append(Prepared(name: name))
        continue
      }
      guard parts.count == 4, let transaction = MariaDBGTID(parts[1]), let offset = UInt64(parts[2]) else { return nil }
      let spot = MariaDBSpot(file: String(parts[3]), offset: offset)
      prepared.append(Prepared(name: name, found: .init(transaction: transaction, spot: spot)))
    }
  }
}
