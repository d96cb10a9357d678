import Kernel
import NationalCrypto
import Storage

/// A person's authenticator, its secret sealed under the node's key and bound to the person.
enum SecondFactor {
  static let secretLength = 20

  /// Whether the code is right now and was not used before; a right one is used up.
  static func accept(_ code: String, of person: PersonID, key: [UInt8], at now: Instant, in tx: any Transaction) throws
    -> Bool
  {
    guard let row = try tx.row("SELECT totp_secret, totp_last FROM identity_person WHERE id = \(person)"),
      let sealed = try row.blobOrNil("totp_secret")
    else { return false }
    let secret = try Sealed.open(sealed, key: key, context: "totp \(person)")
    let last = try row.intOrNil("totp_last").map(Int64.init)
    guard let step = TOTP.accept(code, secret: secret, seconds: now.milliseconds / 1000, lastUsed: last) else {
      return false
    }
    try tx.run("UPDATE identity_person SET totp_last = \(step) WHERE id = \(person)")
    return true
  }

  /// Keeps the secret once a code of it shows that the authenticator has it. One that is set up already is only replaced
  /// after an administrator has taken it off: whoever finds an open browser must not bring his own.
  static func enrol(
    _ secret: [UInt8], _ code: String, for person: Person, key: [UInt8], at now: Instant, in tx: any Transaction
  ) throws {
    guard !person.hasSecondFactor else {
      throw Refusal(
        .conflict, "identity.second-factor.set",
        Text("第二因素已启用；更换时请安全管理员先取消。", "A second factor is in use; a security administrator takes it off first."))
    }
    let typed = code.filter { !$0.isWhitespace }
    guard secret.count == secretLength,
      let step = TOTP.accept(typed, secret: secret, seconds: now.milliseconds / 1000, lastUsed: nil)
    else {
      throw Refusal.invalid(
        "identity.second-factor", "code",
        Text("验证码不对，请核对手机时间后再试。", "Wrong code; check the phone's time and try again."))
    }
    let sealed = Sealed.seal(secret, key: key, context: "totp \(person.id)")
    try tx.run("UPDATE identity_person SET totp_secret = \(sealed), totp_last = \(step) WHERE id = \(person.id)")
  }

  /// The key as people type it: in groups of four.
  static func grouped(_ text: String) -> String {
    stride(from: 0, to: text.count, by: 4).map { String(text.dropFirst($0).prefix(4)) }.joined(separator: " ")
  }

  /// What an authenticator takes from a link or a picture (Key Uri Format).
  static func address(secret: String, login: String) -> String {
    "otpauth://totp/Sanjiang:\(login)?secret=\(secret)&issuer=Sanjiang&algorithm=SHA1&digits=6&period=30"
  }
}
