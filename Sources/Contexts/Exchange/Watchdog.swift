import Connecting
import Kernel
import Transfer

/// Ends a delivery that gives no sign of life: a database that answers no more would be waited for for ever.
struct Watchdog: Sendable {
  var pulse: DeliveryPulse
  var limit: Duration

  /// Throws a retryable error in place of what the interruption looked like to the engine.
  func guarding<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    do {
      return try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask { try await body() }
        group.addTask {
          while pulse.silence < limit { try await Task.sleep(for: min(.seconds(5), limit / 4)) }
          pulse.interrupt(asStalled: true)
          return nil
        }
        defer { group.cancelAll() }
        while let ended = try await group.next() {
          if let ended { return ended }
        }
        throw CancellationError()
      }
    } catch  where pulse.isStalled {
      let minutes = limit.inMilliseconds / 60_000
      throw ConnectorError(
        .retryable, "exchange.stalled",
        Text(
          "超过 \(minutes) 分钟没有任何进展，已断开数据库连接，稍后自动重试。",
          "Nothing happened for more than \(minutes) minutes; the connections were cut, and it is tried again by itself."
        ))
    }
  }
}
