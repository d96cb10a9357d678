import Synchronization

/// Sees whether anything that was written within one task holds, or may hold: for who has to tell whether what failed can be
/// done again. Engines tell the witness of the task that writes.
package final class WriteWitness: Sendable {
  @TaskLocal package static var current: WriteWitness?

  private let seen = Mutex(false)

  package init() {}

  /// Whether a transaction was committed, or broke while it was and nobody knows.
  package var mayHold: Bool { seen.withLock { $0 } }

  /// Runs one transaction of an engine before the witness of this task, if there is one.
  package static func watching<T: Sendable>(_ transaction: () async throws -> T) async throws -> T {
    do {
      let value = try await transaction()
      current?.seen.withLock { $0 = true }
      return value
    } catch let error as StorageError where error.mayHold {
      current?.seen.withLock { $0 = true }
      throw error
    }
  }
}
