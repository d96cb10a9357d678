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

    /// How a hash of this cost begins, by the PHC string format.
    var head: String { "$argon2id$v=19$m=\(memoryKiB),t=\(passes),p=1$" }
  }

  static let mostWaiting = 64

  private struct State {
    var work: [@Sendable () -> Void] = []
    var isClosed = false
  }

  /// What the threads share; the hasher itself may go while they still look.
  private final class Queue: Sendable {
    let state = Mutex(State())
    let signal = DispatchSemaphore(value: 0)

    /// Until the hasher is gone and nothing waits.
    func serve() {
      while true {
        signal.wait()
        let (work, isClosed) = state.withLock { ($0.work.isEmpty ? nil : $0.work.removeFirst(), $0.isClosed) }
        if let work { work() } else if isClosed { return }
      }
    }
  }

  private let cost: Cost
  private let queue = Queue()
  private let threads: Int
  /// Compared against when there is no such person, so that the answer takes as long. Nobody's password: its tag is zeroes.
  private let decoy: String

  package convenience init() { self.init(cost: Cost()) }

  /// Tests pay less; the product never does.
  init(cost: Cost, threads: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) {
    self.cost = cost
    self.threads = threads
    decoy = cost.head + String(repeating: "A", count: 22) + "$" + String(repeating: "A", count: 43)
    for _ in 0..<threads { Thread.detachNewThread { [queue] in queue.serve() } }
  }

  deinit {
    queue.state.withLock { $0.isClosed = true }
    for _ in 0..<threads { queue.signal.signal() }
  }

  /// The PHC string to keep.
  func hash(_ password: String) async throws -> String {
    let cost = cost
    return try await perform { try Self.encode(password, cost) }
  }

  /// Whether the password is the one. `hash` nil stands for a person that is not there: as much work, always false.
  func verify(_ password: String, _ hash: String?) async throws -> Bool {
    let encoded = hash ?? decoy
    let right = try await perform {
      let bytes = Array(password.utf8)
      let status = argon2id_verify(encoded, bytes, bytes.count)
      if status == ARGON2_MEMORY_ALLOCATION_ERROR.rawValue { throw Self.busy }
      return status == ARGON2_OK.rawValue
    }
    return right && hash != nil
  }

  /// Whether a hash was made at another cost than today's and should be made anew while the password is at hand.
  func isOutdated(_ hash: String) -> Bool { !hash.hasPrefix(cost.head) }

  private func perform<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { done in
      let isFull = queue.state.withLock { state in
        guard state.work.count < Self.mostWaiting else { return true }
        state.work.append { done.resume(with: Result { try body() }) }
        return false
      }
      if isFull { done.resume(throwing: Self.busy) } else { queue.signal.signal() }
    }
  }

  private static let busy = Refusal(
    .unavailable, "identity.busy", Text("登录的人太多，请过几秒再试。", "Too many are signing in; try again in a few seconds."))

  private static func encode(_ password: String, _ cost: Cost) throws -> String {
    let salt = SecureRandom.bytes(16)
    let bytes = Array(password.utf8)
    var encoded = [CChar](repeating: 0, count: 256)
    let status = argon2id_hash_encoded(
      cost.passes, cost.memoryKiB, 1, bytes, bytes.count, salt, salt.count, 32, &encoded, encoded.count)
    // Memory is all that can be short; the rest is fixed above.
    guard status == ARGON2_OK.rawValue else { throw busy }
    return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
