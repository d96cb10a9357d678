import CLibPQ
import Foundation
import Storage

/// Where the server is: a `postgres://` URI or libpq's `key=value` form, several hosts allowed, read by libpq itself.
///
/// Never printed: it may hold a password. What may be shown is `display`.
package struct PostgresAddress: Sendable {
  private let settings: [(key: String, value: String)]
  /// What the address itself says, without the defaults below.
  private let given: [(key: String, value: String)]
  /// Keys that libpq marks as not to be shown.
  private let secrets: Set<String>

  /// What holds unless the address says otherwise: a dead server or a cut cable is noticed within a minute.
  private static let defaults: [(key: String, value: String)] = [
    ("connect_timeout", "10"), ("application_name", "sanjiang"), ("keepalives_idle", "30"),
    ("keepalives_interval", "10"), ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
  ]

  /// Throws `.unavailable` for an address that libpq cannot read. Its complaint is not repeated, because it quotes.
  package init(_ text: String) throws {
    guard let options = PQconninfoParse(text, nil) else {
      throw StorageError(.unavailable, "the database's address is not in a form that libpq reads")
    }
    defer { PQconninfoFree(options) }
    var found: [(key: String, value: String)] = []
    var secrets: Set<String> = []
    var option = options
    while let key = option.pointee.keyword {
      if let value = option.pointee.val { found.append((String(cString: key), String(cString: value))) }
      if let shown = option.pointee.dispchar, shown[0] == UInt8(ascii: "*") { secrets.insert(String(cString: key)) }
      option += 1
    }
    // Otherwise half of the password would be taken for a host and stand in a message.
    guard !found.contains(where: { $0.key == "host" && $0.value.contains("@") }) else {
      throw StorageError(.unavailable, "the database's address has more than one @: write a password's @ as %40")
    }
    let named = Set(found.map(\.key))
    given = found
    self.secrets = secrets
    settings =
      found.filter { $0.key != "client_encoding" } + Self.defaults.filter { !named.contains($0.key) }
      + [("client_encoding", "UTF8")]
  }

  /// Host and database, for people to read.
  package var display: String {
    func value(_ key: String) -> String? { given.last { $0.key == key && !$0.value.isEmpty }?.value }
    let host = value("host") ?? value("hostaddr") ?? value("service").map { "service \($0)" } ?? "localhost"
    let name = value("dbname") ?? value("user")
    return "PostgreSQL \(host)" + (name.map { " / \($0)" } ?? "")
  }

  /// The address for a program of PostgreSQL's own (`pg_dump`): what may stand in its arguments, where every user of the
  /// machine can read it, and apart from it the variables of its environment, which only its own user can.
  ///
  /// Throws `.unavailable` for a secret that can be handed over by argument only, such as `sslpassword`.
  package func forTools() throws -> (address: String, environment: [String: String]) {
    var environment: [String: String] = [:]
    var shown: [String] = []
    for (key, value) in given {
      guard secrets.contains(key) else {
        let quoted = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        shown.append("\(key)='\(quoted)'")
        continue
      }
      guard key == "password" else {
        throw StorageError(
          .unavailable,
          "the database's address has a \(key), which PostgreSQL's tools take in sight of every user only; leave it out"
        )
      }
      environment["PGPASSWORD"] = value
    }
    return (shown.joined(separator: " "), environment)
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
