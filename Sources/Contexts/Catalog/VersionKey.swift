internal import Inventory
internal import Kernel
internal import Storage

/// Which version of which resource.
struct VersionKey: Hashable, Sendable {
  var resource: ResourceID
  var version: Int

  init(resource: ResourceID, version: Int) {
    self.resource = resource
    self.version = version
  }

  init(_ resource: Resource) { self.init(resource: resource.id, version: resource.version) }

  /// These as the rows of `wanted`, to be joined: SQLite finds no index for pairs in a list.
  static func wanted(_ keys: ArraySlice<VersionKey>) -> SQL {
    // PostgreSQL takes a value without a type for text.
    let rows = keys.map { "(\($0.resource), CAST(\($0.version) AS BIGINT))" as SQL }
    return "WITH wanted (resource, version) AS (VALUES \(padded(rows)))"
  }
}

/// A name in the form in which it is an entry's alone in its office.
struct NameKey: Hashable, Sendable {
  var provider: OrganisationID
  var folded: String

  init(provider: OrganisationID, folded: String) {
    self.provider = provider
    self.folded = folded
  }

  init(_ resource: Resource) {
    self.init(provider: resource.provider, folded: foldedForSearch(resource.metadata.name))
  }

  /// These as the rows of `wanted`, to be joined.
  static func wanted(_ keys: ArraySlice<NameKey>) -> SQL {
    "WITH wanted (provider, folded_name) AS (VALUES \(padded(keys.map { "(\($0.provider), \($0.folded))" })))"
  }
}

/// Rows of two values, with empty ones up to a power of two: lists come in a few lengths, so that statements stay prepared.
private func padded(_ rows: [SQL]) -> SQL {
  var rows = rows
  while rows.count & (rows.count - 1) != 0 { rows.append("(\(nil as String?), \(nil as String?))") }
  return SQL(parts: Array(rows.map(\.parts).joined(separator: [.text(", ")])))
}

/// A list in parts that one statement can hold.
func parts<Element>(of all: [Element]) -> [ArraySlice<Element>] {
  stride(from: 0, to: all.count, by: 512).map { all[$0..<min($0 + 512, all.count)] }
}
