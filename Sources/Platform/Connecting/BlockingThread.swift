#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Threads of our own for calls that block: databases' C clients must never hold a thread of the cooperative pool.
package enum BlockingThread {
  /// Runs `body` on a new thread and waits for it without blocking the caller's.
  package static func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      start { continuation.resume(with: Result { try body() }) }
    }
  }

  /// As `run`, but waits no longer than `limit`, and no longer than the caller's task: then nil. The thread is left to
  /// itself and ends when the call does, so let callers pause before they try the same again.
  package static func run<T: Sendable>(
    within limit: Duration, _ body: @escaping @Sendable () throws -> T
  ) async throws -> T? {
    let (answers, answer) = AsyncStream.makeStream(of: Result<T, any Error>.self)
    start {
      answer.yield(Result { try body() })
      answer.finish()
    }
    let first = await withTaskGroup(of: Result<T, any Error>?.self) { group in
      group.addTask { await answers.first { _ in true } }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
    return try first?.get()
  }

  /// Starts `body` on a new, detached thread.
  package static func start(_ body: @escaping @Sendable () -> Void) {
    let work = Unmanaged.passRetained(Work(body))
    #if canImport(Glibc)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    let failure = pthread_create(&thread, nil, runWork, work.toOpaque())
    guard failure == 0 else {
      work.release()
      fatalError("no thread could be started: \(failure)")
    }
    #if canImport(Glibc)
      pthread_detach(thread)
    #else
      if let thread { pthread_detach(thread) }
    #endif
  }

  /// Runs async `body` from a thread made by `start` or `run` and blocks that thread until it is done.
  package static func wait<T: Sendable>(for body: @escaping @Sendable () async throws -> T) throws -> T {
    let gate = Monitor<Result<T, any Error>?>(nil)
    Task.detached {
      do {
        let value = try await body()
        gate.change { $0 = .success(value) }
      } catch {
        gate.change { $0 = .failure(error) }
      }
    }
    return try gate.wait { $0 }.get()
  }

  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static let runWork: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
    if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
    return nil
  }
}

/// A value under a lock, with waiting for a change: for the few places where one blocking thread waits for another.
package final class Monitor<Value: Sendable>: @unchecked Sendable {
  private var value: Value
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  package init(_ value: Value) {
    self.value = value
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  package func change<T>(_ body: (inout Value) -> T) -> T {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return body(&value)
  }

  /// Blocks until `body` gives something. `body` may change the value when it does.
  package func wait<T>(_ body: (inout Value) -> T?) -> T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) {
        pthread_cond_broadcast(changed)
        return result
      }
      pthread_cond_wait(changed, mutex)
    }
  }

  /// As `wait`, but no longer than `limit`: then nil.
  package func wait<T>(within limit: Duration, _ body: (inout Value) -> T?) -> T? {
    var end = timespec()
    clock_gettime(CLOCK_REALTIME, &end)
    let (seconds, attoseconds) = max(limit, .zero).components
    let nanoseconds = Int(end.tv_nsec) + Int(attoseconds / 1_000_000_000)
    end.tv_sec += Int(min(seconds, 1_000_000_000)) + nanoseconds / 1_000_000_000
    end.tv_nsec = nanoseconds % 1_000_000_000
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) {
        pthread_cond_broadcast(changed)
        return result
      }
      guard pthread_cond_timedwait(changed, mutex, &end) == 0 else { return nil }
    }
  }
}
