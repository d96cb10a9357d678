import CLibPQ
import Foundation
import Storage

/// Where the server is: a `postgres://` URI or libpq's `key=value` form, several hosts allowed, read by libpq itself.
///
/// Never printed: it may hold a password.
struct PostgresAddress: Sendable {
  private let settings: [(key: String, value: String)]

  /// What holds unless the address says otherwise: a dead server or a cut cable is noticed within a minute.
  private static let defaults: [(key: String, value: String)] = [
    ("connect_timeout", "10"), ("application_name", "sanjiang"), ("keepalives_idle", "30"),
    ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
  ]

  /// Throws `.unavailable` for an address that libpq cannot read. Its complaint is not repeated, because it quotes.
  init(_ text: String) throws {
    guard let options = PQconninfoParse(text, nil) else {
      throw StorageError(.unavailable, "the database's address is not in a form that libpq reads")
    }
    defer { PQconninfoFree(options) }
    var found: [(key: String, value: String)] = []
    var option = options
    while let key = option.pointee.keyword {
      if let value = option.pointee.val { found.append((String(cString: key), String(cString: value))) }
      option += 1
    }
    // Otherwise half of the password would be taken for a host and stand in a message.
    guard !found.contains(where: { $0.key == "host" && $0.value.contains("@") }) else {
      throw StorageError(.unavailable, "the database's address has more than one @: write a password's @ as %40")
    }
    let given = Set(found.map(\.key))
    settings =
      found.filter { $0.key != "client_encoding" } + Self.defaults.filter { !given.contains($0.key) }
      + [("client_encoding", "UTF8")]
  }

  /// Opens a connection, which may have failed: ask `PQstatus`. Nil when there is no memory for it.
  func connect() -> OpaquePointer? {
    let keys = settings.map { strdup($0.key) }
    let values = settings.map { strdup($0.value) }
    defer { (keys + values).forEach { free($0) } }
    return (keys.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { keys in
      (values.map { UnsafePointer($0) } + [nil]).withUnsafeBufferPointer { values in
        PQconnectdbParams(keys.baseAddress, values.baseAddress, 0)
      }
    }
  }
}
