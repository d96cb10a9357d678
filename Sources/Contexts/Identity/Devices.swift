import Kernel
import NationalCrypto

/// Browsers in which somebody was signed in before: a cookie says so, and nothing is stored for it.
///
/// A mark is `number.seconds.mac`: a number of its own, when it was made, and an HMAC over both, the person and what is
/// kept of his password, under a key of the node. So it is worth something for that person only, not after his password was
/// changed or reset, and not for longer than `memory`. It opens nothing: with it a try is only judged by itself
/// (`SignInThrottle`). A counter's computer serves several people, so a cookie holds a few marks.
enum Devices {
  static let memory: Duration = .seconds(180 * 86_400)
  static let most = 5

  /// The number of the mark that this cookie holds for this person, or nil.
  static func number(
    in cookie: String?, of person: PersonID, password hash: String, key: [UInt8], at now: Instant
  ) -> String? {
    marks(cookie).lazy.compactMap { mark in
      number(mark, of: person, password: hash, key: key, at: now)
    }.first
  }

  /// The cookie with a new mark for this person in front; his older one goes, others' stay.
  static func adding(
    _ person: PersonID, password hash: String, to cookie: String?, key: [UInt8], at now: Instant
  ) -> String {
    let made = [SecureRandom.bytes(12).hex, String(now.milliseconds / 1000)]
    let fresh = (made + [mac(made, person, hash, key)]).joined(separator: ".")
    let others = marks(cookie).filter { number($0, of: person, password: hash, key: key, at: now) == nil }
    return ([fresh] + others.map { $0.joined(separator: ".") }.prefix(most - 1)).joined(separator: "~")
  }

  private static func marks(_ cookie: String?) -> [[String]] {
    guard let cookie, cookie.utf8.count <= 1000 else { return [] }
    return cookie.split(separator: "~").prefix(most)
      .map { $0.split(separator: ".", omittingEmptySubsequences: false).map(String.init) }
      // What others' marks are worth cannot be told here, but what is none is not carried on.
      .filter { $0.count == 3 && $0.allSatisfy { (1...40).contains($0.utf8.count) && $0.utf8.allSatisfy(isPlain) } }
  }

  private static func isPlain(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

  private static func number(
    _ mark: [String], of person: PersonID, password hash: String, key: [UInt8], at now: Instant
  ) -> String? {
    let right = mac(Array(mark.prefix(2)), person, hash, key)
    guard constantTimeEqual(Array(mark[2].utf8), Array(right.utf8)), let seconds = Int64(mark[1]) else { return nil }
    let age = now.milliseconds / 1000 - seconds
    return age >= 0 && .seconds(age) < memory ? mark[0] : nil
  }

  private static func mac(_ made: [String], _ person: PersonID, _ hash: String, _ key: [UInt8]) -> String {
    let text = (made + [person.text, hash]).joined(separator: "\u{0}")
    return HMAC.authenticate(Array(text.utf8), key: deriveKey(from: key, use: "sanjiang device")).prefix(16).hex
  }
}
