@testable import Identity
import Kernel
import TestKit
import Testing

@Suite struct `Slowing down who guesses` {
  let time = ManualClock()
  let throttle = SignInThrottle()

  /// Whether a try from there is admitted; it then counts as failed.
  func tries(_ login: String, _ source: String, known: Bool = false, device: String? = nil) -> Bool {
    let standing = device.map { SignInThrottle.Standing.device($0) } ?? (known ? .knownAddress : .stranger)
    return (try? throttle.admit(.init(login: login, source: source, standing: standing), at: time.now)) != nil
  }

  @Test func `after five failures at one account the pauses double up to twenty seconds`() {
    for _ in 0..<5 { #expect(tries("li", "10.0.0.1")) }
    for pause in [1, 2, 4, 8, 16, 20, 20] {
      #expect(!tries("li", "10.0.0.1"))
      time.advance(by: .seconds(pause - 1))
      #expect(!tries("li", "10.0.0.1"), "\(pause)")
      time.advance(by: .seconds(1))
      #expect(tries("li", "10.0.0.1"), "\(pause)")
    }
  }

  @Test func `the refusal says how long, in both languages`() throws {
    for _ in 0..<8 { _ = tries("li", "10.0.0.1"); time.advance(by: .seconds(60)) }
    let refused = #expect(throws: Refusal.self) {
      try throttle.admit(.init(login: "li", source: "10.0.0.1"), at: time.now - .seconds(57))
    }
    #expect(refused?.kind == .tooMany)
    #expect(refused?.message.english.contains("wait 5 seconds") == true)
    #expect(refused?.message.chinese.contains("5 秒") == true)
  }

  @Test func `a person under attack comes in from elsewhere as if nothing happened`() {
    for source in 1...200 { for _ in 0..<30 { _ = tries("li", "10.0.\(source).1") } }
    #expect(tries("li", "192.168.7.7"))
  }

  @Test func `a neighbour in the same network cannot keep out who has come in from his address before`() {
    for host in 1...250 { _ = tries("li", "10.0.0.\(host)") }
    #expect(!tries("li", "10.0.0.66"))
    #expect(tries("li", "10.0.0.66", known: true))
  }

  @Test func `from a known address guessing is slowed down all the same`() {
    for _ in 0..<5 { #expect(tries("li", "10.0.0.66", known: true)) }
    #expect(!tries("li", "10.0.0.66", known: true))
  }

  @Test func `one network trying many accounts is slowed down as a whole`() {
    for number in 0..<20 { #expect(tries("person\(number)", "10.0.0.\(number)")) }
    #expect(!tries("another", "10.0.0.99"))
    #expect(tries("another", "10.0.1.99"))
  }

  @Test func `nobody uses up what a person's own browser has, from the same address or with its cookie elsewhere`() {
    for _ in 0..<30 {
      _ = tries("li", "10.0.0.66")
      _ = tries("li", "10.0.0.66", known: true)
      _ = tries("li", "10.7.7.7", device: "a")
    }
    #expect(!tries("li", "10.0.0.66", known: true))
    #expect(tries("li", "10.0.0.66", device: "a"))
  }

  @Test func `guessing in a known browser is slowed down all the same`() {
    for _ in 0..<5 { #expect(tries("li", "10.0.0.66", device: "a")) }
    #expect(!tries("li", "10.0.0.66", device: "a"))
    #expect(tries("li", "10.0.0.66", device: "b"))
  }

  @Test func `a flood of other names from the same address does not touch who is known there`() {
    for number in 0..<200 { _ = tries("person\(number)", "10.0.0.66") }
    #expect(!tries("li", "10.0.0.66"))
    #expect(tries("li", "10.0.0.66", known: true))
  }

  @Test func `a network's pauses are short, for it is many people`() {
    for number in 0..<40 { _ = tries("person\(number)", "10.0.0.1"); time.advance(by: .seconds(4)) }
    #expect(tries("new", "10.0.0.1"))
    #expect(!tries("newer", "10.0.0.1"))
    time.advance(by: .seconds(4))
    #expect(tries("newer", "10.0.0.1"))
  }

  @Test func `many at once get no further than many in a row`() {
    let admitted = (0..<100).filter { _ in tries("li", "10.0.0.1") }.count
    #expect(admitted == 5)
  }

  @Test func `a right try forgives its account and not the network's other tries`() {
    for _ in 0..<5 { _ = tries("li", "10.0.0.1") }
    throttle.succeeded(.init(login: "li", source: "10.0.0.1"))
    #expect(tries("li", "10.0.0.1"))
    for number in 0..<15 { _ = tries("person\(number)", "10.0.0.1") }
    #expect(!tries("new", "10.0.0.1"))
  }

  @Test func `a try that was never looked at does not count`() throws {
    for _ in 0..<100 {
      let attempt = SignInThrottle.Attempt(login: "li", source: "10.0.0.1")
      try throttle.admit(attempt, at: time.now)
      throttle.withdrawn(attempt)
    }
  }

  @Test func `a quarter of an hour of quiet forgets`() {
    for _ in 0..<5 { _ = tries("li", "10.0.0.1") }
    time.advance(by: SignInThrottle.window)
    for _ in 0..<5 { #expect(tries("li", "10.0.0.1")) }
  }

  @Test func `memory is bounded, and the latest tries are what is kept`() throws {
    let throttle = SignInThrottle(mostTallies: 100)
    for number in 0..<1000 {
      try throttle.admit(
        .init(login: "person\(number)", source: "2001:db8:\(String(number, radix: 16))::1"), at: time.now)
      #expect(throttle.count <= 101)
      time.advance(by: .milliseconds(10))
    }
    #expect(throttle.count > 40)
    for _ in 0..<5 { try throttle.admit(.init(login: "li", source: "10.9.9.9"), at: time.now) }
    for number in 0..<20 { try throttle.admit(.init(login: "x\(number)", source: "10.\(number).1.1"), at: time.now) }
    #expect(throws: Refusal.self) { try throttle.admit(.init(login: "li", source: "10.9.9.9"), at: time.now) }
  }

  @Test(arguments: [
    ("10.1.2.3", "10.1.2.250", true), ("10.1.2.3", "10.1.3.3", false),
    ("2001:db8::1", "2001:db8::ffff:1:2:3", true), ("2001:db8::1", "2001:0db8:0000:0000:1:2:3:4", true),
    ("2001:db8:0:1::1", "2001:db8::1", false), ("fe80::1%eth0", "fe80::2", true),
    ("::ffff:10.1.2.3", "10.1.2.4", true), ("::1", "::2", true), ("unix", "elsewhere", false),
  ])
  func `addresses of one network are one, in whichever spelling`(a: String, b: String, same: Bool) {
    #expect((SignInThrottle.network(of: a) == SignInThrottle.network(of: b)) == same)
  }
}

@Suite struct `Waiting for one's turn` {
  let time = ManualClock()
  let throttle = SignInThrottle()

  /// Waiting moves the clock, and lets others come in between.
  func waits(_ login: String, _ source: String, patience: Duration = SignInThrottle.patience) async throws -> Bool {
    let time = time
    do {
      try await throttle.admit(.init(login: login, source: source), patience: patience, clock: time.clock) {
        time.advance(by: $0)
        await Task.yield()
      }
      return true
    } catch let refusal as Refusal {
      #expect(refusal.kind == .tooMany && refusal.retryAfter ?? 0 > 0)
      return false
    }
  }

  @Test func `a try that comes in a pause is let in at its end, if that is soon enough`() async throws {
    for _ in 0..<5 { #expect(try await waits("li", "10.0.0.1")) }
    let start = time.now
    #expect(try await waits("li", "10.0.0.1"))
    #expect(time.now - start >= .seconds(1) && time.now - start < .seconds(2))
    #expect(
      try await waits("li", "10.0.0.1", patience: .seconds(1)) == false, "two seconds are longer than its patience")
    #expect(throttle.waiting == 0)
  }

  @Test func `who comes later does not go before those who wait`() async throws {
    for _ in 0..<7 { _ = try await waits("li", "10.0.0.1") }
    let (time, throttle) = (time, throttle)
    let (asleep, sleeping) = AsyncStream.makeStream(of: Void.self)
    let (wake, waking) = AsyncStream.makeStream(of: Void.self)
    let first = Task {
      try await throttle.admit(.init(login: "li", source: "10.0.0.1"), patience: .seconds(25), clock: time.clock) { _ in
        sleeping.yield()
        for await _ in wake { break }
      }
    }
    for await _ in asleep { break }
    #expect(throttle.waiting == 1)
    time.advance(by: .seconds(20))
    #expect(throws: Refusal.self) { try throttle.admit(.init(login: "li", source: "10.0.0.1"), at: time.now) }
    waking.yield()
    try await first.value
    #expect(throttle.waiting == 0)
  }

  @Test func `of many that ask in one pause a few wait, each with the same chance, and the rest hear at once`()
    async throws
  {
    let (time, throttle) = (time, throttle)
    for _ in 0..<10 { _ = try await waits("li", "10.0.0.1") }
    let (asleep, sleeping) = AsyncStream.makeStream(of: Void.self)
    let (wake, waking) = AsyncStream.makeStream(of: Void.self)
    let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<100 {
        group.addTask {
          do {
            try await throttle.admit(.init(login: "li", source: "10.0.0.1"), patience: .seconds(25), clock: time.clock)
            {
              _ in
              sleeping.yield()
              for await _ in wake { break }
            }
            return true
          } catch is Refusal {
            sleeping.yield()
            return false
          }
        }
      }
      // Each has asked: it waits, or heard at once that it may not.
      var heard = 0
      for await _ in asleep { heard += 1; if heard == 100 { break } }
      #expect(throttle.waiting == 8)
      time.advance(by: .seconds(20))
      waking.finish()
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(outcomes == 1)
    #expect(throttle.waiting == 0)
  }
}
