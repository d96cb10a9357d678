import NationalCrypto

/// The cookies of the site. Over TLS their names carry `__Host-`, which ties them to this very host and to `/`.
struct Cookies: Sendable {
  enum Name: String {
    case session = "sid"
    /// The token of forms for those who are not signed in.
    case anonymous = "pre"
    case flash
    case language = "lang"
    /// Who was signed in with this browser before, so that a stranger's guessing does not slow him down here.
    case device
  }

  let secure: Bool

  func name(_ name: Name) -> String { secure && name != .language ? "__Host-" + name.rawValue : name.rawValue }

  /// The value of a `Set-Cookie` header; nil clears, no `maxAge` means until the browser is closed.
  func set(_ name: Name, _ value: String?, maxAge: Int? = nil) -> String {
    var header = "\(self.name(name))=\(value ?? ""); Path=/; HttpOnly; SameSite=Lax"
    if secure { header += "; Secure" }
    if let age = value == nil ? 0 : maxAge { header += "; Max-Age=\(age)" }
    return header
  }

  /// Reads one cookie; a name that comes twice is not believed, since only one of them can be ours.
  func read(_ name: Name, from header: String?) -> String? {
    guard let header else { return nil }
    let wanted = self.name(name)
    let values = header.split(separator: ";").compactMap { part -> String? in
      let trimmed = part.drop { $0 == " " }
      guard let equals = trimmed.firstIndex(of: "="), trimmed[..<equals] == wanted else { return nil }
      return String(trimmed[trimmed.index(after: equals)...])
    }
    return values.count == 1 && values[0].utf8.count <= 4000 ? values[0] : nil
  }
}

/// What the site signs for itself: tokens of visitors without a session, and messages shown once.
struct Seal: Sendable {
  private let key: [UInt8]

  init(key: [UInt8]? = nil) { self.key = key ?? SecureRandom.bytes(32) }

  func sign(_ text: String, as use: String) -> String {
    HMAC.authenticate(Array("\(use)\u{0}\(text)".utf8), key: key).prefix(16).hex
  }

  /// `text.signature` → text.
  func open(_ sealed: String, as use: String) -> String? {
    guard let dot = sealed.lastIndex(of: ".") else { return nil }
    let text = String(sealed[..<dot])
    let given = Array(sealed[sealed.index(after: dot)...].utf8)
    return constantTimeEqual(given, Array(sign(text, as: use).utf8)) ? text : nil
  }

  func seal(_ text: String, as use: String) -> String { "\(text).\(sign(text, as: use))" }
}

func sameText(_ a: String, _ b: String) -> Bool { constantTimeEqual(Array(a.utf8), Array(b.utf8)) }

func randomHex(_ bytes: Int) -> String { SecureRandom.bytes(bytes).hex }
