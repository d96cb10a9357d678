package import Inventory
package import Kernel

package typealias FrontServerID = ID<FrontServer>

/// A database server on which the platform makes front-end databases by itself, with an account that may make databases.
package struct FrontServer: Hashable, Sendable {
  package var id: FrontServerID
  package var name: String
  /// A connector's name of those that can host.
  package var kind: String
  package var area: FrontNode.Area
  /// What is not secret, by the connector's own setting names.
  package var settings: [String: String]
  /// Where offices reach it, where that is not where the platform does.
  package var shownPlace: String?
  package var isClosed: Bool
  package var version: Int
  package var madeAt: Instant
  package var lastProbe: DataSource.Probe?
  /// Databases that are there now.
  package var nodes: Int
}

/// What an operator enters for a server; secrets left blank stay as they are.
package struct FrontServerDraft: Hashable, Sendable {
  package var name: String
  package var kind: String
  package var area: FrontNode.Area
  package var settings: [String: String]
  package var shownPlace: String
  package var isClosed: Bool

  package init(
    name: String, kind: String, area: FrontNode.Area, settings: [String: String], shownPlace: String = "",
    isClosed: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.area = area
    self.settings = settings
    self.shownPlace = shownPlace
    self.isClosed = isClosed
  }
}

extension PlainText {
  /// `10.1.2.3:5432`, `db.gov.example:3306`.
  static func isPlace(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let port = Int(parts[1]), (1...65_535).contains(port) else { return false }
    return (1...253).contains(parts[0].utf8.count)
      && parts[0].utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x2D
          || $0 == 0x2E
      }
  }
}
