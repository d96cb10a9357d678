import CArgon2
import Foundation
import Kernel
import NationalCrypto
import Synchronization

/// Argon2id (RFC 9106) at OWASP's first choice: 19 MiB, two passes, one lane. Each takes some 50 ms of a core and 19 MiB, so
/// they run on as many threads as half the cores and no more than `mostWaiting` wait: logging in cannot stop the rest.
package final class PasswordHasher: Sendable {
  struct Cost: Sendable {
    var memoryKiB: UInt32 = 19_456
    var passes: UInt32 = 2
  }

  private static let mostWaiting = 64

  private struct State {
    var work: [@Sendable () -> Void] = []
    var isClosed = false
  }

  private let cost: Cost
  private let state = Mutex(State())
  private let signal = DispatchSemaphore(value: 0)
  /// Compared against when there is no such person, so that the answer takes as long.
  private let decoy: String

  package convenience init() { self.init(cost: Cost()) }

  /// Tests pay less; the product never does.
  init(cost: Cost) {
    self.cost = cost
    decoy = Self.encode("decoy", cost)
    for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount / 2) {
      Thread.detachNewThread { [weak self, signal] in
        while true {
          signal.wait()
          guard let self else { return }
          if let work = self.state.withLock({ $0.work.isEmpty ? nil : $0.work.removeFirst() }) { work() }
        }
      }
    }
  }

  deinit { for _ in 0..<64 { signal.signal() } }

  /// The PHC string to keep.
  func hash(_ password: String) async throws -> String {
    let cost = cost
    return try await perform { Self.encode(password, cost) }
  }

  /// Whether the password is the one. `hash` nil stands for a person that is not there: as much work, always false.
  func verify(_ password: String, _ hash: String?) async throws -> Bool {
    let encoded = hash ?? decoy
    let right = try await perform {
      let bytes = Array(password.utf8)
      return argon2id_verify(encoded, bytes, bytes.count) == ARGON2_OK.rawValue
    }
    return right && hash != nil
  }

  private func perform<T: Sendable>(_ body: @escaping @Sendable () -> T) async throws -> T {
    try await withCheckedThrowingContinuation { done in
      let isFull = state.withLock { state in
        guard state.work.count < Self.mostWaiting else { return true }
        state.work.append { done.resume(returning: body()) }
        return false
      }
      if isFull {
        done.resume(
          throwing: Refusal(
            .unavailable, "identity.busy",
            Text("登录的人太多，请过几秒再试。", "Too many are signing in; try again in a few seconds.")))
      } else {
        signal.signal()
      }
    }
  }

  private static func encode(_ password: String, _ cost: Cost) -> String {
    let salt = SecureRandom.bytes(16)
    let bytes = Array(password.utf8)
    var encoded = [CChar](repeating: 0, count: 256)
    let status = argon2id_hash_encoded(
      cost.passes, cost.memoryKiB, 1, bytes, bytes.count, salt, salt.count, 32, &encoded, encoded.count)
    precondition(status == ARGON2_OK.rawValue, "Argon2id failed")
    return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What a password must be. No rule about kinds of characters, no expiry by date: length, and not one that everybody tries.
enum PasswordPolicy {
  static let lengths = 10...128

  static func check(_ password: String, login: String, field: String = "password") throws {
    guard lengths.contains(password.count) else {
      throw Refusal.invalid(
        "identity.password.length", field,
        Text(
          "密码应有 \(lengths.lowerBound) 到 \(lengths.upperBound) 个字符。",
          "A password has \(lengths.lowerBound) to \(lengths.upperBound) characters."))
    }
    let plain = password.lowercased()
    let tried = ["1234567890", "password", "qwertyuiop", "administrator", "iloveyou", "sanjiang", "qinghai"]
    if Set(plain).count < 4 || tried.contains(where: { plain.hasPrefix($0) && plain.count < $0.count + 5 })
      || plain.contains(login.lowercased()) && plain.count < login.count + 6
    {
      throw Refusal.invalid(
        "identity.password.common", field, Text("这个密码太容易猜到，请换一个。", "This password is easy to guess; choose another."))
    }
  }

  /// Readable and long enough: five groups of four, without letters that look alike. 98 bits.
  static func oneTime() -> String {
    let alphabet = Array("abcdefghjkmnpqrstuvwxyz23456789")
    let letters = SecureRandom.bytes(64).filter { $0 < 248 }.prefix(20).map { alphabet[Int($0) % 31] }
    return stride(from: 0, to: 20, by: 4).map { String(letters[$0..<$0 + 4]) }.joined(separator: "-")
  }
}
