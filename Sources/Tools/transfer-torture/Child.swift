import Foundation

/// Another program, which can be stopped at a moment of its own output and killed at any.
///
/// Not Foundation's `Process`: its waiting wakes up twenty times a second, and a thousand runs have fifty programs each.
final class Child {
  struct Ending {
    var status: Int32
    /// By which it was ended, if by any.
    var signal: Int32?
    var said: String
  }

  let process: pid_t
  private let output: Int32
  private var said: [UInt8] = []
  private var ending: Ending?

  private static let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }

  init(_ command: [String], input: String = "/dev/null") throws {
    var ends: [Int32] = [0, 0]
    // A pair of sockets can be made so that no other program inherits it, whatever another thread starts meanwhile.
    guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw Failure("no sockets: \(errno)")
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    var arguments = command.map { strdup($0) } + [nil]
    var environment = Self.environment.map { strdup($0) } + [nil]
    var process = pid_t()
    let failure = posix_spawnp(&process, command[0], &actions, nil, &arguments, &environment)
    posix_spawn_file_actions_destroy(&actions)
    for text in arguments + environment { free(text) }
    close(ends[1])
    guard failure == 0 else {
      close(ends[0])
      throw Failure("\(command[0]) could not be started: \(failure)")
    }
    (self.process, output) = (process, ends[0])
  }

  deinit {
    if ending == nil {
      kill(process, SIGKILL)
      _ = end(within: 5)
    }
    close(output)
  }

  func signal(_ signal: Int32) { kill(process, signal) }

  /// Waits until so many lines begin with `word`. False when it ended first.
  func waitFor(_ count: Int, _ word: String, within seconds: Double) -> Bool {
    let deadline = now() + seconds
    while lines(word) < count { guard read(until: deadline) else { return false } }
    return true
  }

  /// Whether it is still running.
  var isAlive: Bool {
    var info = siginfo_t()
    return waitid(P_PID, id_t(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == 0
  }

  /// Waits for its end; nil when that is longer than `seconds` away.
  func end(within seconds: Double) -> Ending? {
    if let ending { return ending }
    let deadline = now() + seconds
    while read(until: deadline) {}
    guard now() < deadline else { return nil }
    var state: Int32 = 0
    while waitpid(process, &state, 0) < 0, errno == EINTR {}
    let signal = state & 0x7F
    let found = Ending(
      status: signal == 0 ? state >> 8 & 0xFF : -1, signal: signal == 0 ? nil : signal,
      said: String(decoding: said, as: UTF8.self))
    ending = found
    return found
  }

  private func lines(_ word: String) -> Int {
    String(decoding: said, as: UTF8.self).split(separator: "\n").count { $0.hasPrefix(word) }
  }

  /// False at the end of its output and at the deadline.
  private func read(until deadline: Double) -> Bool {
    var wait = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    let left = deadline - now()
    guard left > 0, poll(&wait, 1, Int32(min(left * 1000 + 1, 60_000))) >= 0 else { return false }
    guard wait.revents != 0 else { return now() < deadline }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = Glibc.read(output, &buffer, buffer.count)
    guard count > 0 else { return false }
    said += buffer[..<count]
    return true
  }
}

/// What this program itself could not do, or what it found.
struct Failure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// Seconds of a clock that only goes on.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The same chances from the same seed.
struct Chances: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func percent(_ share: Int) -> Bool { number(0...99) < share }

  mutating func pick<T>(_ weighted: [(T, Int)]) -> T {
    var left = number(0...weighted.reduce(-1) { $0 + $1.1 })
    for (value, weight) in weighted {
      left -= weight
      if left < 0 { return value }
    }
    return weighted[0].0
  }
}
