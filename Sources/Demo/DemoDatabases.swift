#if canImport(Glibc)
  import Glibc
#endif

internal import CSQLite
package import Kernel

/// The two departments' own databases, as SQLite files: what stands for 市场监督管理局's register and for 民政厅's
/// checking database. The platform reaches them through connectors only.
package struct DemoDatabases: Sendable {
  package let providerPath: String
  package let consumerPath: String
  package let generator: LegalPersonGenerator

  /// Credit codes of the two offices, after which their folders are called.
  package static let providerCode = "11630000PDY000642N"
  package static let consumerCode = "11630000PDY0003866"

  package init(folder: String, generator: LegalPersonGenerator) {
    providerPath = folder + "/" + Self.providerCode + "/register.sqlite"
    consumerPath = folder + "/" + Self.consumerCode + "/checking.sqlite"
    self.generator = generator
  }

  /// Makes the register with all its rows, and an empty checking database. Existing files are replaced.
  package func make(progress: (Int) -> Void = { _ in }) throws {
    for path in [providerPath, consumerPath] {
      let folder = path.split(separator: "/").dropLast()
      for length in 1...folder.count { mkdir("/" + folder.prefix(length).joined(separator: "/"), 0o700) }
      for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
    }
    let provider = try SQLiteFile(providerPath)
    try provider.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; " + Self.schema + "; BEGIN")
    let insert = try provider.prepare("INSERT INTO legal_person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    for index in 0..<generator.count {
      try insert.run(Self.values(generator.row(index)))
      if index % 20_000 == 19_999 { progress(index + 1) }
    }
    // As a database's keeper does now and then: from this come the estimates of rows.
    try provider.execute("COMMIT; PRAGMA synchronous = FULL; ANALYZE")
    let consumer = try SQLiteFile(consumerPath)
    try consumer.execute(
      "PRAGMA journal_mode = WAL; CREATE TABLE applicant (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
  }

  /// What the register says after a day's work, in numbers that can be asserted.
  package struct Changes: Sendable, Hashable {
    package var inserted = 0
    package var updated = 0
    /// Good rows that became wrong: the consumer keeps their last good version, flagged.
    package var turnedBad = 0
    /// Wrong rows that were mended.
    package var mended = 0
    /// Rows written after the first delivery with a time before its end: found inside the overlap window.
    package var late = 0
    package init() {}

    /// What an incremental delivery should write.
    package var deliverable: Int { inserted + updated + mended + late }
  }

  /// A day at the register: new companies, changed addresses at one equal time, a mended row, two that turned bad, and
  /// rows whose transaction was slow to commit. `read` is when the first delivery read the register, `now` the
  /// register's own clock.
  package func change(read: Instant, now: Instant) throws -> Changes {
    var changes = Changes()
    let provider = try SQLiteFile(providerPath)
    try provider.execute("BEGIN IMMEDIATE")
    let insert = try provider.prepare("INSERT INTO legal_person VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    let touch = try provider.prepare("UPDATE legal_person SET address = ?, updated_at = ? WHERE uscc = ?")
    let same = now.description
    let late = [5, 12, 19]
    let spoilt = [26, 33]
    let fresh = LegalPersonGenerator(seed: generator.seed, count: .max)
    for offset in 0..<max(10, generator.count / 500) {
      let index = generator.count + offset
      guard fresh.flaw(of: index) == nil else { continue }
      var row = fresh.row(index)
      row.updatedAt = same
      try insert.run(Self.values(row))
      changes.inserted += 1
    }
    let step = max(7, generator.count / 300)
    for index in stride(from: 3, to: generator.count, by: step)
    where generator.flaw(of: index) == nil && !late.contains(index) && !spoilt.contains(index) {
      try touch.run([generator.row(index).address + "（变更）", same, generator.row(index).creditCode!])
      changes.updated += 1
    }
    // Committed only now, with a time shortly before the first delivery read: inside the overlap window.
    for index in late where index < generator.count {
      try touch.run([
        generator.row(index).address + "（补登）", (read - .seconds(2)).description, generator.row(index).creditCode!,
      ])
      changes.late += 1
    }
    let spoil = try provider.prepare(
      "UPDATE legal_person SET established = '2019-13-01', updated_at = ? WHERE uscc = ?")
    for index in spoilt where index < generator.count {
      try spoil.run([same, generator.row(index).creditCode!])
      changes.turnedBad += 1
    }
    let mend = try provider.prepare("UPDATE legal_person SET established = ?, updated_at = ? WHERE uscc = ?")
    for index in stride(from: 3617, to: generator.count, by: 4000) where generator.flaw(of: index) == .impossibleDate {
      let sound = generator.sound(index)
      try mend.run([sound.established, same, sound.creditCode!])
      changes.mended += 1
      break
    }
    try provider.execute("COMMIT")
    return changes
  }

  private static let schema = """
    CREATE TABLE legal_person (
      uscc VARCHAR(18) PRIMARY KEY,
      name VARCHAR(100) NOT NULL,
      kind VARCHAR(40) NOT NULL,
      representative VARCHAR(40),
      representative_id VARCHAR(18),
      capital DECIMAL(16,2),
      established DATE,
      status VARCHAR(10) NOT NULL,
      industry VARCHAR(8),
      division VARCHAR(6),
      address VARCHAR(200),
      phone VARCHAR(20),
      updated_at TIMESTAMP NOT NULL);
    CREATE INDEX legal_person_updated_at ON legal_person (updated_at, uscc)
    """

  private static func values(_ row: LegalPerson) -> [String?] {
    [
      row.creditCode, row.name, row.kind, row.representative, row.representativeID, row.capital, row.established,
      row.status,
      row.industry, row.division, row.address, row.phone, row.updatedAt,
    ]
  }
}
