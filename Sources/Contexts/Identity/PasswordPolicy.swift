import Kernel
import NationalCrypto

/// What a password must be: long enough, and not one that everybody tries. Where an inspection asks for kinds of characters
/// (等保), `kinds` says how many of the four; by itself that makes no password better.
package struct PasswordPolicy: Sendable, Hashable {
  package var lengths = 10...128
  /// Of lower case, upper case, digits and others: how many must occur; 0 asks for none.
  package var kinds = 0

  package static let staff = PasswordPolicy()

  package init(lengths: ClosedRange<Int> = 10...128, kinds: Int = 0) {
    precondition(lengths.lowerBound >= 8 && lengths.upperBound >= 64, "passwords of 8 to at least 64 characters")
    self.lengths = lengths
    self.kinds = kinds
  }

  /// A character may be several bytes, but not a page of them.
  static let mostBytes = 1024

  func check(_ password: String, login: String, field: String = "password") throws {
    guard lengths.contains(PlainText.length(password)), password.utf8.count <= Self.mostBytes else {
      throw Refusal.invalid(
        "identity.password.length", field,
        Text(
          "密码应有 \(lengths.lowerBound) 到 \(lengths.upperBound) 个字符。",
          "A password has \(lengths.lowerBound) to \(lengths.upperBound) characters."))
    }
    guard Self.kinds(in: password) >= kinds else {
      throw Refusal.invalid(
        "identity.password.kinds", field,
        Text(
          "密码应含小写字母、大写字母、数字、其他字符中的至少 \(kinds) 类。",
          "A password has at least \(kinds) of: lower case, upper case, digits, other characters."))
    }
    if Self.isCommon(password, login: login) {
      throw Refusal.invalid(
        "identity.password.common", field, Text("这个密码太容易猜到，请换一个。", "This password is easy to guess; choose another."))
    }
  }

  private static func kinds(in password: String) -> Int {
    var kinds: Set<Int> = []
    for byte in password.utf8 {
      switch byte {
      case 97...122: kinds.insert(0)
      case 65...90: kinds.insert(1)
      case 48...57: kinds.insert(2)
      default: kinds.insert(3)
      }
    }
    return kinds.count
  }

  /// What is tried first: few different characters, runs of the keyboard or the alphabet, a common word or the own name with
  /// little around it.
  static func isCommon(_ password: String, login: String) -> Bool {
    let plain = password.lowercased()
    if Set(plain).count < 4 { return true }
    let words = tried + [login.lowercased()]
    if words.contains(where: { plain.contains($0) && plain.count < $0.count + 6 }) { return true }
    return runs.contains { run in
      [run, String(run.reversed())].contains { $0.contains(plain) || plain.hasPrefix($0.prefix(8)) && plain.count < 13 }
    }
  }

  private static let runs = [
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmikolp", "1a2b3c4d5e6f7g8h9i0j",
  ]

  /// The heads of the published lists of leaked passwords, those of ten characters or that others are built on, and the
  /// words of this place.
  private static let tried = [
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "qwerty123", "iloveyou", "5201314", "1314520", "woaini",
    "administrator",
    "admin123", "letmein", "welcome", "monkey123", "dragon123", "football", "baseball", "princess", "sunshine",
    "superman",
    "trustno1", "whatever", "starwars", "michael", "changeme", "default", "111111", "123123", "123321", "147258369",
    "112233", "a123456", "abc123", "aa123456", "123qwe", "1q2w3e", "zxcvbnm", "asdfghjkl", "1qaz2wsx", "qwertyuiop",
    "sanjiang", "qinghai", "xining", "zhengwu", "shuju", "huawei", "taobao", "tencent", "beijing", "zhongguo",
    "root1234",
    "test1234", "guest1234", "system123", "888888", "666666", "000000", "99999999", "12345678",
  ]

  /// Readable and long enough: five groups of four, without letters that look alike. 99 bits.
  static func oneTime() -> String {
    let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
    let letters = SecureRandom.bytes(64).filter { $0 < 248 }.prefix(20).map { alphabet[Int($0) % 31] }
    return stride(from: 0, to: 20, by: 4).map { String(letters[$0..<$0 + 4]) }.joined(separator: "-")
  }
}
