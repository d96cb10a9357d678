import Dispatch
import Foundation
import Storage
import Synchronization

/// Connections, each on a thread of its own, and the work that waits for one.
final class ConnectionPool: Sendable {
  typealias Work = @Sendable (Result<PostgresConnection, StorageError>) -> Void

  private struct State {
    var waiting: [Work] = []
    var isClosed = false
    var running: Int
  }

  /// More than this many callers waiting is a sign that something is stuck: the next is told so at once.
  private static let mostWaiting = 10_000

  private let state: Mutex<State>
  private let signal = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)
  private let address: String
  private let count: Int

  init(address: String, count: Int, first: PostgresConnection) {
    self.address = address
    self.count = count
    state = Mutex(State(running: count))
    for index in 0..<count {
      let handed = index == 0 ? Handed(first) : nil
      let thread = Thread { [self] in serve(handed?.connection) }
      thread.name = "postgres-\(index)"
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  /// Runs `body` on a connection's thread.
  func perform<T: Sendable>(_ body: @escaping @Sendable (PostgresConnection) throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { done in
      let refusal: StorageError? = state.withLock { state in
        if state.isClosed { return StorageError(.unavailable, "the database is closed") }
        if state.waiting.count >= Self.mostWaiting { return StorageError(.timeout, "too many wait for a connection") }
        state.waiting.append { result in
          done.resume(with: Result { try body(try result.get()) })
        }
        return nil
      }
      if let refusal { done.resume(throwing: refusal) } else { signal.signal() }
    }
  }

  func close() async {
    let first = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    guard first else { return }
    for _ in 0..<count { signal.signal() }
    await withCheckedContinuation { done in
      Thread.detachNewThread { [self] in
        for _ in 0..<count { ended.wait() }
        done.resume()
      }
    }
  }

  private func serve(_ first: PostgresConnection?) {
    var connection = first
    while true {
      signal.wait()
      let (work, isClosed) = state.withLock { state in
        (state.waiting.isEmpty ? nil : state.waiting.removeFirst(), state.isClosed)
      }
      guard let work else {
        if isClosed { break }
        continue
      }
      if connection?.isBroken ?? true {
        connection = nil
        do { connection = try PostgresConnection(address) } catch {
          work(.failure((error as? StorageError) ?? StorageError(.unavailable, "\(type(of: error))")))
          continue
        }
      }
      if let connection { work(.success(connection)) }
    }
    connection = nil
    ended.signal()
  }

  /// The connection that was opened to look at the database goes to the first thread, and to it alone.
  private final class Handed: @unchecked Sendable {
    let connection: PostgresConnection
    init(_ connection: PostgresConnection) { self.connection = connection }
  }
}
