internal import Inbox
internal import Kernel
internal import Storage

extension CatalogPath {
  /// What a department's task leads to.
  static let moved = "/catalog/moved"
  static let runs = "/catalog/moving-in"
  static let sendExport = "/catalog/moving-in/new"
  static func sent(_ key: String) -> String { "/catalog/moving-in/sent/\(key)" }
  static func sentReport(_ key: String) -> String { "/catalog/moving-in/sent/\(key)/report.xlsx" }
  static func mapping(_ name: String) -> String { "/catalog/moving-in/mappings/\(name)" }
  static func run(_ id: MoveRunID) -> String { "/catalog/moving-in/\(id)" }
}

extension Cataloguing {
  static let movePage = 50

  /// The movings in of this platform, the latest first: for its operator.
  func moveRuns(_ principal: Principal) async throws -> [MoveStore.Run] {
    try principal.require(.reviewCatalog)
    return try await db.read { try MoveStore.runs(in: $0) }
  }

  /// One of them with a page of what did not fit.
  func moveRun(
    _ principal: Principal, _ id: MoveRunID, after position: Int, limit: Int = movePage + 1
  ) async throws -> (run: MoveStore.Run, findings: [(position: Int, finding: MoveFinding)]) {
    try principal.require(.reviewCatalog)
    return try await db.read { tx in
      guard let run = try MoveStore.run(id, in: tx) else { throw Refusal.notFound(Text("迁入记录", "moving in")) }
      return (run, try MoveStore.findings(of: id, after: position, limit: limit, in: tx))
    }
  }

  /// The department's entries that still stand as they were moved in, with something to mend.
  func movedOpen(_ principal: Principal, after: ResourceID?) async throws -> [MoveStore.Open] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [] }
    return try await db.read { try MoveStore.open(of: office, after: after, limit: Self.movePage + 1, in: $0) }
  }

  /// Ends the department's tasks of moving in, once nothing is left to mend.
  func movedDone(_ principal: Principal) async throws {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { throw Refusal.forbidden(.compileCatalog) }
    let now = clock.now()
    try await db.write { tx in
      guard try MoveStore.open(of: office, after: nil, limit: 1, in: tx).isEmpty else {
        throw Refusal(
          .conflict, "catalog.move.open",
          Text(
            "还有迁入的目录没有整改。每条编制新版本后，它就不再列出。",
            "Some entries are still as they were moved in; each leaves the list with its new version."))
      }
      for source in Set(try MoveStore.runs(in: tx).map(\.source)).sorted() {
        try Inbox.close(subject: "catalog-move", "\(source)/\(office)", by: principal, at: now, in: tx)
      }
    }
  }
}
