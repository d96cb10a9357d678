import Hummingbird
import Kernel
import NIOCore
import Web

/// What a request carries, read once, up to a limit, in a limited time.
final class Body: Sendable {
  private let request: Hummingbird.Request
  private let channel: any Channel
  private let timeout: Duration
  private let isRead = Flag()

  init(request: Hummingbird.Request, channel: any Channel, timeout: Duration) {
    self.request = request
    self.channel = channel
    self.timeout = timeout
  }

  /// Whether much of it may still be on its way.
  var isPending: Bool {
    guard !isRead.isSet else { return false }
    if request.headers[.transferEncoding] != nil { return true }
    return declared > 64 * 1024
  }

  private var declared: Int { request.headers[.contentLength].flatMap(Int.init) ?? 0 }

  /// How many bytes it can come to: what it says itself, or else the limit. Throws for one that says more than that.
  func most(upTo limit: Int) throws -> Int {
    guard declared <= limit else { throw Rejection.tooLarge(limit) }
    return request.headers[.contentLength] == nil && request.headers[.transferEncoding] != nil ? limit : declared
  }

  func collect(upTo limit: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(declared, limit))
    try await read(upTo: limit, inPiecesOf: 1) { bytes += $0 }
    return bytes
  }

  /// Hands on what comes in pieces of at least `size` bytes (the last may be smaller), so that no more than one is held.
  func read(upTo limit: Int, inPiecesOf size: Int = 256 << 10, _ take: ([UInt8]) async throws -> Void) async throws {
    guard declared <= limit else { throw Rejection.tooLarge(limit) }
    let channel = channel
    let end = channel.eventLoop.scheduleTask(in: .nanoseconds(timeout.inMilliseconds * 1_000_000)) {
      channel.close(promise: nil)
    }
    defer { end.cancel() }
    var total = 0
    var piece: [UInt8] = []
    for try await part in request.body {
      total += part.readableBytes
      guard total <= limit else { throw Rejection.tooLarge(limit) }
      piece.append(contentsOf: part.readableBytesView)
      guard piece.count >= size else { continue }
      try await take(piece)
      piece.removeAll(keepingCapacity: true)
    }
    if !piece.isEmpty { try await take(piece) }
    isRead.set()
  }
}
