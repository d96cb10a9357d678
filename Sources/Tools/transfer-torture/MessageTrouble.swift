import Foundation
import TestKit

// What happens to deliveries to a receiver of messages, besides what happens to others.
extension Story {
  /// Killed as a crash would, and started again on its data, while the worker waits or after it gave up.
  func receiverKilled(_ receiver: Receiver, _ mode: String) throws -> Attempt {
    let child = try start(mode)
    aim(at: child)
    receiver.process.kill()
    count(\.receivers)
    say("receiver killed")
    usleep(UInt32(chances.number(0...300_000)))
    if chances.percent(25) {
      let attempt = try refuse(wait(for: child), unless: "retryable")
      if attempt.end != .finished { _ = try refuse(wait(for: start(mode)), unless: "retryable") }
      try receiver.process.start()
      return attempt
    }
    try receiver.process.start()
    return try refuse(wait(for: child), unless: "retryable")
  }

  /// The way is torn in requests and in answers, now and then several times, and mostly comes back.
  func wayTorn(_ receiver: Receiver, _ mode: String) throws -> Attempt {
    let size = model.source.count * (note / 6 + 140)
    let tears = (0..<chances.number(1...3)).map { _ in
      chances.percent(50)
        ? Proxy.Tear(.there, chances.number(0...size)) : Proxy.Tear(.back, chances.number(0...(size / 60 + 2000)))
    }
    let way = try Proxy(.port(0), to: .port(receiver.process.port), tears: tears, comesBack: chances.percent(80))
    defer { way.remove() }
    let child = try start(mode, to: "http://127.0.0.1:\(way.port)")
    if chances.percent(20) {
      aim(at: child)
      way.cut()
    }
    let attempt = try refuse(wait(for: child), unless: "retryable")
    let torn = way.torn
    count(\.requestsTorn, torn.there)
    count(\.answersTorn, torn.back)
    if attempt.end != .finished { count(\.cuts) }
    say("\(torn.there) requests and \(torn.back) answers torn")
    return attempt
  }

  /// It answers for a while that it is in trouble.
  func receiverBusy(_ receiver: Receiver, _ mode: String) throws -> Attempt {
    let way = try Proxy(.port(0), to: .port(receiver.process.port))
    defer { way.remove() }
    let child = try start(mode, to: "http://127.0.0.1:\(way.port)")
    aim(at: child)
    way.refuse(with: [500, 502, 503, 429].randomElement(using: &chances) ?? 503)
    usleep(UInt32(chances.number(0...900_000)))
    way.refuse(with: nil)
    let attempt = try refuse(wait(for: child), unless: "retryable")
    count(\.busy, way.refused)
    say("\(way.refused) times told that it is in trouble")
    return attempt
  }

  /// The disk of its data is full.
  func receiverFull(_ disk: SmallDisk, _ mode: String) throws -> Attempt {
    try attempt(mode, on: disk, leaving: chances.number(0...(model.source.count * (note / 3 + 80)) / 2))
  }
}
