package import Kernel

/// A database server on which the platform makes databases for departments (前置库), each with one account that may do everything in
/// its own database and is given nothing else. Everything here blocks, and everything can be called again: what is there already,
/// made for the same holder, is not made twice, and what is gone need not be removed.
package protocol DatabaseHost: Sendable {
  /// Connects and says what answered; throws what is wrong otherwise, also where the account may not make databases.
  func probe() throws(ConnectorError) -> ConnectorProbe
  /// Makes database and account, or gives the account of a database that was made for this holder this password. A database
  /// of this name that is somebody else's is a contract error and stays as it is.
  func make(_ database: HostedDatabase, password: String) throws(ConnectorError)
  /// Another password for what is there already: nothing is made. Throws `HostedDatabase.gone` where it is not.
  func renew(_ database: HostedDatabase, password: String) throws(ConnectorError)
  /// Nobody can sign in with the account any more, and who was is cut off. The data stays. Throws `HostedDatabase.gone` where there
  /// is no such account: whoever calls believes that there is one, and it may be on another server.
  func close(_ database: HostedDatabase) throws(ConnectorError)
  /// Removes the database with everything in it, and its account.
  func erase(_ database: HostedDatabase) throws(ConnectorError)
  /// What the server says of the databases of these names; those that are not there are left out.
  func measure(_ names: [String]) throws(ConnectorError) -> [String: HostedUse]
}

/// A database of a `DatabaseHost`.
package struct HostedDatabase: Hashable, Sendable {
  /// The database's name and its account's: small letters and digits, beginning with a letter, at most 32.
  package var name: String
  /// Whose it is, kept with it on the server: the platform's own id.
  package var holder: String

  package init(name: String, holder: String) {
    precondition(Self.isName(name), "not a name of a hosted database")
    precondition(holder.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x27 && $0 != 0x5C }, "not a holder's id")
    self.name = name
    self.holder = holder
  }

  /// Whether it can stand in a statement as it is, on every product.
  package static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, (0x61...0x7A).contains(first), name.utf8.count <= 32 else { return false }
    return name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
  }

  /// What stands beside it on the server.
  package var mark: String { "sanjiang \(holder)" }

  /// Nothing of it is there.
  package func gone() -> ConnectorError {
    .contract(
      "host.gone", "服务器上没有为此建立的库和账号“\(name)”，请核实服务器地址。",
      "The server has no database and account “\(name)” of this; look whether it is the right server.")
  }

  /// A database of this name is there, and not this holder's.
  package func taken() -> ConnectorError {
    .contract(
      "host.name-taken", "服务器上已有名为“\(name)”的库或账号，不是平台为此建立的，请先核实。",
      "The server has a database or an account named “\(name)” that was not made for this; look into it first.")
  }
}

/// What a hosted database takes of its server.
package struct HostedUse: Hashable, Sendable {
  package var bytes: Int64
  package var connections: Int

  package init(bytes: Int64, connections: Int) {
    self.bytes = bytes
    self.connections = connections
  }

  /// By the names, of rows of a name, its bytes and its connections as text.
  package static func named(_ rows: [[String?]]) -> [String: HostedUse] {
    var found: [String: HostedUse] = [:]
    for row in rows {
      guard let name = row[0], let bytes = row[1].flatMap({ Int64($0) }), let count = row[2].flatMap({ Int($0) }) else {
        continue
      }
      found[name] = HostedUse(bytes: bytes, connections: count)
    }
    return found
  }
}

/// How a sort of connector makes databases on a server.
package struct DatabaseHosting: Sendable {
  /// What a person must fill in for the server, with an account that may make databases.
  package var serverSettings: [ConnectorKind.Setting]
  /// What is wrong with the server's settings, found without connecting.
  package var check: @Sendable (_ server: [String: String]) -> [(setting: String, message: Text)]
  package var open: @Sendable (_ settings: [String: String]) throws(ConnectorError) -> any DatabaseHost
  /// The kind's settings for the hosted database itself, its account's password among them. `server` are the server's.
  package var settings:
    @Sendable (_ server: [String: String], _ name: String, _ password: String) throws(ConnectorError) -> [String:
      String]
  /// Host and port that the server's settings lead to, for people; nil where they name none.
  package var place: @Sendable (_ server: [String: String]) -> String?

  package init(
    serverSettings: [ConnectorKind.Setting],
    check: @escaping @Sendable (_ server: [String: String]) -> [(setting: String, message: Text)],
    open: @escaping @Sendable (_ settings: [String: String]) throws(ConnectorError) -> any DatabaseHost,
    settings:
      @escaping @Sendable (_ server: [String: String], _ name: String, _ password: String) throws(ConnectorError) ->
      [String: String],
    place: @escaping @Sendable (_ server: [String: String]) -> String?
  ) {
    self.serverSettings = serverSettings
    self.check = check
    self.open = open
    self.settings = settings
    self.place = place
  }
}
