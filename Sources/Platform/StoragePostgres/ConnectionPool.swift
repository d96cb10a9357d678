import Dispatch
import Foundation
import Storage
import Synchronization

/// Connections, each on a thread of its own, and the work that waits for one.
final class ConnectionPool: Sendable {
  private typealias Work = @Sendable (Result<PostgresConnection, any Error>) -> Void

  private struct Waiting {
    var ticket: Int
    var since: ContinuousClock.Instant
    var work: Work
  }

  private struct State {
    var waiting: [Waiting] = []
    var lastTicket = 0
    var isClosed = false
  }

  /// More than this many callers waiting is a sign that something is stuck: the next is told so at once.
  private static let mostWaiting = 10_000

  private let state = Mutex(State())
  private let signal = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private let address: PostgresAddress
  private let count: Int
  private let longestWait: Duration

  init(address: PostgresAddress, count: Int, longestWait: Duration, first: PostgresConnection) {
    self.address = address
    self.count = count
    self.longestWait = longestWait
    for index in 0..<count {
      let handed = index == 0 ? Handed(first) : nil
      start("postgres-\(index)") { [self] in serve(handed?.take()) }
    }
    start("postgres-wait") { [self] in watchWaiting() }
  }

  /// Runs `body` on a connection's thread. Throws `.timeout` when none came free in time, and `CancellationError` when
  /// the caller was cancelled while it waited.
  func perform<T: Sendable>(_ body: @escaping @Sendable (PostgresConnection) throws -> T) async throws -> T {
    let ticket = state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { done in
        let refusal: (any Error)? = state.withLock { state in
          if state.isClosed { return StorageError(.unavailable, "the database is closed") }
          if state.waiting.count >= Self.mostWaiting { return StorageError(.timeout, "too many wait for a connection") }
          if Task.isCancelled { return CancellationError() }
          state.waiting.append(
            Waiting(ticket: ticket, since: .now) { result in
              done.resume(with: Result { try body(try result.get()) })
            })
          return nil
        }
        if let refusal { done.resume(throwing: refusal) } else { signal.signal() }
      }
    } onCancel: {
      refuse(CancellationError()) { $0.ticket == ticket }
    }
  }

  func close() async {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard isFirst else { return }
    for _ in 0..<count { signal.signal() }
    await withCheckedContinuation { done in
      start("postgres-close") { [self] in
        for _ in 0..<count { ended.wait() }
        done.resume()
      }
    }
  }

  private func serve(_ first: PostgresConnection?) {
    var connection = first
    while true {
      signal.wait()
      let (next, isClosed) = state.withLock { state in
        (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isClosed)
      }
      guard let next else {
        if isClosed { break }
        continue
      }
      do {
        if connection == nil || connection?.isBroken == true {
          connection = nil
          connection = try PostgresConnection(address)
        }
        if let connection { next.work(.success(connection)) }
      } catch {
        next.work(.failure(error))
      }
    }
    connection = nil
    ended.signal()
  }

  /// Tells those who have waited too long. A look twice a second is enough for waits of seconds.
  private func watchWaiting() {
    while !state.withLock({ $0.isClosed }) {
      usleep(500_000)
      let limit = ContinuousClock.now - longestWait
      refuse(StorageError(.timeout, "no connection came free in time")) { $0.since < limit }
    }
  }

  private func refuse(_ error: any Error, where isMeant: (Waiting) -> Bool) {
    let refused = state.withLock { state in
      let refused = state.waiting.filter(isMeant)
      if !refused.isEmpty { state.waiting.removeAll(where: isMeant) }
      return refused
    }
    for waiting in refused { waiting.work(.failure(error)) }
  }

  private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.stackSize = 1 << 20
    thread.start()
  }

  /// The connection that was opened to look at the database goes to the first thread, and to it alone.
  private final class Handed: @unchecked Sendable {
    private var connection: PostgresConnection?
    init(_ connection: PostgresConnection) { self.connection = connection }
    func take() -> PostgresConnection? {
      defer { connection = nil }
      return connection
    }
  }
}
