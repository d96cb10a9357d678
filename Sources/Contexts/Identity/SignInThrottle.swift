import Kernel
import Synchronization

/// Slows down who guesses, never who is guessed at: failures are counted for a source, and for a source at one account,
/// but not for an account alone. Somebody elsewhere cannot be locked out by it.
final class SignInThrottle: Sendable {
  private struct Tally {
    var failures: Int
    var last: Instant
  }

  private struct State {
    var tallies: [String: Tally] = [:]
  }

  /// Failures older than this no longer count.
  private static let window: Duration = .seconds(900)
  /// Bounds the memory an attacker can make us use.
  private static let mostTallies = 20_000

  private let state = Mutex(State())

  /// Throws `.tooMany`, with the seconds to wait, when this source has to wait before another try.
  func admit(login: String, source: String, at now: Instant) throws {
    let wait = state.withLock { state in
      max(
        Self.wait(state.tallies["s:" + source], free: 20, at: now),
        Self.wait(state.tallies["a:" + login + "\u{1F}" + source], free: 5, at: now))
    }
    guard wait > 0 else { return }
    throw Refusal(
      .tooMany, "identity.sign-in.wait",
      Text("从这里试错的次数太多，请 \(wait) 秒后再试。", "Too many wrong tries from here; wait \(wait) seconds."))
  }

  func failed(login: String, source: String, at now: Instant) {
    state.withLock { state in
      for key in ["s:" + source, "a:" + login + "\u{1F}" + source] {
        let old = state.tallies[key].flatMap { now - $0.last < Self.window ? $0.failures : nil } ?? 0
        state.tallies[key] = Tally(failures: old + 1, last: now)
      }
      if state.tallies.count > Self.mostTallies {
        state.tallies = state.tallies.filter { now - $0.value.last < Self.window }
        if state.tallies.count > Self.mostTallies {
          let oldest = state.tallies.sorted { $0.value.last < $1.value.last }.prefix(Self.mostTallies / 2)
          for entry in oldest { state.tallies[entry.key] = nil }
        }
      }
    }
  }

  func succeeded(login: String, source: String) {
    state.withLock { $0.tallies["a:" + login + "\u{1F}" + source] = nil }
  }

  /// Whole seconds still to wait: 1, 2, 4 … 60 after the free tries are used up.
  private static func wait(_ tally: Tally?, free: Int, at now: Instant) -> Int {
    guard let tally, tally.failures >= free, now - tally.last < window else { return 0 }
    let pause = min(60, 1 << min(tally.failures - free, 6))
    let passed = Int((now - tally.last).inMilliseconds / 1000)
    return max(0, pause - passed)
  }

  /// The network a source belongs to: /24 of IPv4, /64 of IPv6.
  static func network(of address: String) -> String {
    if address.contains(".") { return address.split(separator: ".").prefix(3).joined(separator: ".") }
    return address.split(separator: ":", omittingEmptySubsequences: false).prefix(4).joined(separator: ":")
  }
}
