internal import NationalCrypto
package import Kernel

package typealias SourceID = ID<DataSource>

/// A connection to the database (or files) of a system: the kind of connector and its settings. Secret settings are
/// sealed under the node's key; nothing shows them again.
package struct DataSource: Hashable, Sendable {
  package var id: SourceID
  package var system: SystemID
  package var owner: OrganisationID
  /// As people call it: `企业登记库`.
  package var name: String
  /// A connector's name: `sqlite`, `postgresql`, `mariadb`, `csv`.
  package var kind: String
  /// What is not secret, by the connector's own setting names.
  package var settings: [String: String]
  /// Names of the secret settings that are kept, never their values.
  package var secrets: [String]
  package var lastProbe: Probe?
  package var madeAt: Instant
  /// Since when nobody reaches it any more: a front-end database that was given back. Its secrets are gone.
  package var closedAt: Instant?

  /// What the last try to connect found.
  package struct Probe: Hashable, Sendable {
    package var at: Instant
    /// `PostgreSQL 15.20`; nil when it failed.
    package var product: String?
    /// Why it failed; never a value of a row or a setting.
    package var failure: Text?
    package var isProtected: Bool
    package var isReadOnly: Bool

    package init(at: Instant, product: String?, failure: Text?, isProtected: Bool, isReadOnly: Bool) {
      self.at = at
      self.product = product
      self.failure = failure
      self.isProtected = isProtected
      self.isReadOnly = isReadOnly
    }
  }

  /// The settings in one line, for lists: `file=/srv/gsj.db`.
  package var location: String {
    settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}

/// What opens a source, secrets included. Never stored, shown or logged: its description says the kind only.
package struct SourceAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  package var kind: String
  package var settings: [String: String]

  package init(kind: String, settings: [String: String]) {
    self.kind = kind
    self.settings = settings
  }

  package var description: String { "a source of kind \(kind)" }
  package var debugDescription: String { description }
}

/// Seals the secrets of sources. `App` fills it in with the node's key.
package struct SourceSeal: Sendable {
  /// The bytes to keep. `context` ties them to their place: sealed for one source, they do not open for another.
  package var seal: @Sendable (_ secret: [UInt8], _ context: String) throws -> [UInt8]
  package var open: @Sendable (_ sealed: [UInt8], _ context: String) throws -> [UInt8]

  package init(
    seal: @escaping @Sendable (_ secret: [UInt8], _ context: String) throws -> [UInt8],
    open: @escaping @Sendable (_ sealed: [UInt8], _ context: String) throws -> [UInt8]
  ) {
    self.seal = seal
    self.open = open
  }
}

extension SourceSeal {
  /// Sealed under the node's key of 32 bytes.
  package static func under(key: [UInt8]) -> SourceSeal {
    SourceSeal(
      seal: { secret, context in Sealed.seal(secret, key: key, context: "inventory/\(context)") },
      open: { sealed, context in try Sealed.open(sealed, key: key, context: "inventory/\(context)") })
  }
}
