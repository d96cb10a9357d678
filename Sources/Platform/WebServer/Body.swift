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

  func collect(upTo limit: Int) async throws -> [UInt8] {
    guard declared <= limit else { throw Rejection.tooLarge(limit) }
    let channel = channel
    let end = channel.eventLoop.scheduleTask(in: .nanoseconds(timeout.inMilliseconds * 1_000_000)) {
      channel.close(promise: nil)
    }
    defer { end.cancel() }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(declared)
    for try await part in request.body {
      guard bytes.count + part.readableBytes <= limit else { throw Rejection.tooLarge(limit) }
      bytes.append(contentsOf: part.readableBytesView)
    }
    isRead.set()
    return bytes
  }
}
