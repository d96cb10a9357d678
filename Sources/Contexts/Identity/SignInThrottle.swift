import Foundation
import Kernel
import Synchronization

/// Slows down who guesses, never who is guessed at: tries are counted for a network, and for a network at one account, but
/// not for an account alone. An address from which this person has come in before has a count of its own, so that not even
/// a neighbour in the same network can keep him out.
///
/// A try counts as failed from the moment it is admitted until it turns out right: a hundred at once get no further than
/// a hundred in a row.
final class SignInThrottle: Sendable {
  /// Who tries, from where.
  struct Attempt: Sendable {
    var login: String
    var source: String
    /// Whether this person has signed in from this very address before.
    var isKnown = false

    fileprivate var keys: [(key: String, free: Int)] {
      if isKnown { return [("k:\(login)\u{1F}\(source)", SignInThrottle.freeAtOneAccount)] }
      let network = SignInThrottle.network(of: source)
      return [
        ("s:\(network)", SignInThrottle.freeFromOneNetwork),
        ("a:\(login)\u{1F}\(network)", SignInThrottle.freeAtOneAccount),
      ]
    }
  }

  private struct Tally {
    var failures: Int
    var last: Instant
  }

  static let freeAtOneAccount = 5
  static let freeFromOneNetwork = 20
  /// Failures are forgotten when none followed for so long.
  static let window: Duration = .seconds(900)
  /// Bounds the memory an attacker can make us use: some 3 MB.
  private let mostTallies: Int
  private let state = Mutex<[String: Tally]>([:])

  init(mostTallies: Int = 20_000) { self.mostTallies = mostTallies }

  var count: Int { state.withLock { $0.count } }

  /// Counts the try; throws `.tooMany`, with the seconds to wait, when there has to be a pause before another one.
  func admit(_ attempt: Attempt, at now: Instant) throws {
    let wait = state.withLock { tallies in
      let wait = attempt.keys.map { Self.wait(tallies[$0.key], free: $0.free, at: now) }.max() ?? 0
      if wait == 0 {
        for (key, _) in attempt.keys {
          let old = tallies[key].flatMap { now - $0.last < Self.window ? $0.failures : nil } ?? 0
          tallies[key] = Tally(failures: old + 1, last: now)
        }
        bound(&tallies, at: now)
      }
      return wait
    }
    guard wait > 0 else { return }
    throw Refusal(
      .tooMany, "identity.sign-in.wait",
      Text("从这里试错的次数太多，请 \(wait) 秒后再试。", "Too many wrong tries from here; wait \(wait) seconds."))
  }

  /// The admitted try was right: what was wrong at this account before is forgiven, the network's other tries are not.
  func succeeded(_ attempt: Attempt) {
    state.withLock { tallies in
      for (key, _) in attempt.keys {
        if key.hasPrefix("s:") { tallies[key]?.failures -= 1 } else { tallies[key] = nil }
      }
    }
  }

  /// The admitted try was never looked at, because we were too busy: it does not count.
  func withdrawn(_ attempt: Attempt) {
    state.withLock { tallies in for (key, _) in attempt.keys { tallies[key]?.failures -= 1 } }
  }

  /// Whole seconds still to wait: 1, 2, 4 … 60 after the free tries are used up.
  private static func wait(_ tally: Tally?, free: Int, at now: Instant) -> Int {
    guard let tally, tally.failures >= free, now - tally.last < window else { return 0 }
    let pause = min(60, 1 << min(tally.failures - free, 6))
    return max(0, pause - Int((now - tally.last).inMilliseconds / 1000))
  }

  private func bound(_ tallies: inout [String: Tally], at now: Instant) {
    guard tallies.count > mostTallies else { return }
    tallies = tallies.filter { now - $0.value.last < Self.window }
    guard tallies.count > mostTallies else { return }
    for entry in tallies.sorted(by: { $0.value.last < $1.value.last }).prefix(mostTallies / 2) {
      tallies[entry.key] = nil
    }
  }

  /// The network an address belongs to: /24 of IPv4, /64 of IPv6 in whichever spelling. What is no address stands for itself.
  static func network(of address: String) -> String {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, address, &four) == 1 { return prefix(withUnsafeBytes(of: four) { Array($0) }, 3) }
    let plain = address.prefix { $0 != "%" }
    guard inet_pton(AF_INET6, String(plain), &six) == 1 else { return String(address.prefix(64)) }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    // ::ffff:a.b.c.d is an IPv4 address in IPv6's dress.
    let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
    return isMapped ? prefix(Array(bytes.suffix(4)), 3) : prefix(bytes, 8)
  }

  private static func prefix(_ bytes: [UInt8], _ count: Int) -> String {
    bytes.prefix(count).map(String.init).joined(separator: ".")
  }
}
