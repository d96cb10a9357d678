import Foundation
import Kernel
import Synchronization

/// Slows down who guesses, never who is guessed at: no tally is kept for an account alone, so that nobody can be locked out
/// by name. A try is judged by the narrowest thing that is known of where it comes from:
///
/// 1. from a browser in which this person was signed in before (`Devices`): by that browser's own tally. Nobody else can
///    use it up, whatever he sends from the same address;
/// 2. from an address from which this person has come in before: by the tally of this account at this address, not by the
///    network's. A flood of other names does not touch him;
/// 3. from anywhere else: by the network's tally and by that of this account in this network.
///
/// When there has to be a pause, a try waits for its end, up to `patience`, rather than being refused at once; of all that
/// asked in one pause each has the same chance to be the next. What remains: who brings no known browser, at an address
/// from which his own account is being guessed at all the time, comes in by chance, one in as many as ask.
///
/// A try counts as failed from the moment it is admitted until it turns out right: a hundred at once get no further than
/// a hundred in a row.
final class SignInThrottle: Sendable {
  /// What is known of where a try comes from.
  enum Standing: Sendable, Hashable {
    case stranger
    /// This person has signed in from this very address before.
    case knownAddress
    /// The browser proved that this person was signed in with it; its number.
    case device(String)
  }

  /// Who tries, from where.
  struct Attempt: Sendable {
    var login: String
    var source: String
    var standing = Standing.stranger

    fileprivate var keys: [Key] {
      let network = SignInThrottle.network(of: source)
      return switch standing {
      // With the network: who copied the browser's cookie and tries it elsewhere does not use up what its owner has.
      case .device(let number): [.account("d:\(login)\u{1F}\(number)\u{1F}\(network)")]
      case .knownAddress: [.account("k:\(login)\u{1F}\(source)")]
      case .stranger: [.network("s:\(network)"), .account("a:\(login)\u{1F}\(network)")]
      }
    }
  }

  fileprivate struct Key: Sendable {
    var name: String
    var free: Int
    var longest: Int

    static func account(_ name: String) -> Key {
      Key(name: name, free: SignInThrottle.freeAtOneAccount, longest: SignInThrottle.longestAtOneAccount)
    }
    static func network(_ name: String) -> Key {
      Key(name: name, free: SignInThrottle.freeFromOneNetwork, longest: SignInThrottle.longestFromOneNetwork)
    }
  }

  private struct Tally {
    var failures: Int
    var last: Instant
  }

  /// Those who wait for one pause to end. `asked` counts all that came since the last one was let in, also who found no
  /// place: the places are a fair sample of them.
  private struct Room {
    var asked = 0
    var waiting: [UInt64] = []
  }

  private struct State {
    var tallies: [String: Tally] = [:]
    var rooms: [String: Room] = [:]
    var waiting = 0
    var lastTicket: UInt64 = 0
  }

  private enum Answer {
    case admitted
    /// Seconds until the pause is over, kept in that room.
    case wait(Int, room: String)
    case refused(Int)
  }

  static let freeAtOneAccount = 5
  static let freeFromOneNetwork = 20
  /// Seconds. No longer than somebody can be kept waiting, or two who try all the time would take every turn; 4,320 guesses
  /// a day at one account from one place.
  static let longestAtOneAccount = 20
  /// Seconds. A network is many people: its pauses are shorter, and bound who tries one password at every account.
  static let longestFromOneNetwork = 4
  /// Failures are forgotten when none followed for so long.
  static let window: Duration = .seconds(900)
  /// How long a try waits for its turn before it is refused; below what proxies and browsers wait for an answer.
  static let patience: Duration = .seconds(25)
  private static let placesInARoom = 8
  /// In all rooms: a connection each is held open.
  private static let mostWaiting = 400
  /// Bounds the memory an attacker can make us use: some 3 MB.
  private let mostTallies: Int
  private let state = Mutex(State())

  init(mostTallies: Int = 20_000) { self.mostTallies = mostTallies }

  var count: Int { state.withLock { $0.tallies.count } }
  var waiting: Int { state.withLock { $0.waiting } }

  /// Counts the try; throws `.tooMany`, with the seconds to wait, when there has to be a pause before another one.
  func admit(_ attempt: Attempt, at now: Instant) throws {
    let answer = state.withLock { state in ask(attempt, nil, nil, patience: 0, at: now, &state) }
    if case .refused(let seconds) = answer { throw Self.tooMany(seconds) }
  }

  /// The same, and waits as long as `patience` for the pause to end.
  func admit(
    _ attempt: Attempt, patience: Duration, clock: Clock, sleep: @Sendable (Duration) async throws -> Void
  ) async throws {
    let deadline = clock.now() + patience
    let ticket = state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    var room: String?
    defer { if let room { state.withLock { leave(room, ticket, &$0) } } }
    while true {
      let now = clock.now()
      let left = Int((deadline - now).inMilliseconds / 1000)
      let answer = state.withLock { state in ask(attempt, ticket, room, patience: left, at: now, &state) }
      switch answer {
      case .admitted: return
      case .refused(let seconds): throw Self.tooMany(seconds)
      case .wait(let seconds, let place):
        room = place
        // Drawing lots: all of a room wake at about the same moment, in an order that nobody can choose.
        try await sleep(.seconds(seconds) + .milliseconds(Int.random(in: 1...500)))
      }
    }
  }

  private func ask(
    _ attempt: Attempt, _ ticket: UInt64?, _ room: String?, patience: Int, at now: Instant, _ state: inout State
  ) -> Answer {
    let keys = attempt.keys
    // Who lost his place to another is out.
    if let room, let ticket, state.rooms[room]?.waiting.contains(ticket) != true { return .refused(1) }
    let waits = keys.map { Self.wait(state.tallies[$0.name], $0, at: now) }
    let wait = waits.max() ?? 0
    // Nobody who comes later goes before those who wait.
    let occupied = room == nil ? keys.first { state.rooms[$0.name]?.waiting.isEmpty == false }?.name : nil
    if wait == 0, occupied == nil {
      for key in keys {
        let old = state.tallies[key.name].flatMap { now - $0.last < Self.window ? $0.failures : nil } ?? 0
        state.tallies[key.name] = Tally(failures: old + 1, last: now)
      }
      if let room, let ticket {
        leave(room, ticket, &state)
        let still = state.rooms[room]?.waiting.count ?? 0
        state.rooms[room]?.asked = still
      }
      bound(&state.tallies, at: now)
      return .admitted
    }
    guard let ticket, wait <= patience, patience > 0 else { return .refused(max(1, wait)) }
    if let room { return .wait(max(1, wait), room: room) }
    let place = occupied ?? keys[waits.firstIndex(of: wait) ?? 0].name
    return enter(place, ticket, &state) ? .wait(max(1, wait), room: place) : .refused(max(1, wait))
  }

  /// Reservoir sampling: after `n` have asked, each of them has one of the places with the same probability.
  private func enter(_ name: String, _ ticket: UInt64, _ state: inout State) -> Bool {
    var room = state.rooms[name] ?? Room()
    room.asked += 1
    guard room.waiting.count < Self.placesInARoom else {
      let drawn = Int.random(in: 0..<room.asked)
      if drawn < Self.placesInARoom { room.waiting[drawn] = ticket }
      state.rooms[name] = room
      return drawn < Self.placesInARoom
    }
    guard state.waiting < Self.mostWaiting else { return false }
    room.waiting.append(ticket)
    state.waiting += 1
    state.rooms[name] = room
    return true
  }

  private func leave(_ name: String, _ ticket: UInt64, _ state: inout State) {
    guard let index = state.rooms[name]?.waiting.firstIndex(of: ticket) else { return }
    state.rooms[name]?.waiting.remove(at: index)
    state.waiting -= 1
    if state.rooms[name]?.waiting.isEmpty == true { state.rooms[name] = nil }
  }

  private static func tooMany(_ seconds: Int) -> Refusal {
    var refusal = Refusal(
      .tooMany, "identity.sign-in.wait",
      Text("从这里试错的次数太多，请 \(seconds) 秒后再试。", "Too many wrong tries from here; wait \(seconds) seconds."))
    refusal.retryAfter = seconds
    return refusal
  }

  /// The admitted try was right: what was wrong at this account before is forgiven, the network's other tries are not.
  func succeeded(_ attempt: Attempt) {
    state.withLock { state in
      for key in attempt.keys {
        if key.name.hasPrefix("s:") { state.tallies[key.name]?.failures -= 1 } else { state.tallies[key.name] = nil }
      }
    }
  }

  /// The admitted try was never looked at, because we were too busy: it does not count.
  func withdrawn(_ attempt: Attempt) {
    state.withLock { state in for key in attempt.keys { state.tallies[key.name]?.failures -= 1 } }
  }

  /// Whole seconds still to wait: 1, 2, 4 … `longest` after the free tries are used up.
  private static func wait(_ tally: Tally?, _ key: Key, at now: Instant) -> Int {
    guard let tally, tally.failures >= key.free, now - tally.last < window else { return 0 }
    let pause = min(key.longest, 1 << min(tally.failures - key.free, 6))
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
