@testable import Identity
import Kernel
import TestKit
import Testing

@Suite struct `Slowing down who guesses` {
  let time = ManualClock()
  let throttle = SignInThrottle()

  /// Whether a try from there is admitted; it then counts as failed.
  func tries(_ login: String, _ source: String, known: Bool = false) -> Bool {
    (try? throttle.admit(.init(login: login, source: source, isKnown: known), at: time.now)) != nil
  }

  @Test func `after five failures at one account the pauses double up to a minute`() {
    for _ in 0..<5 { #expect(tries("li", "10.0.0.1")) }
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
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
