import Connecting

/// The two threads' bounded meeting point: three batches in all, whatever the row count.
final class BatchQueue<Item: Sendable>: Sendable {
  private struct State {
    var free: [Item]
    var ready: [Item] = []
    var failure: (any Error)?
    var isCancelled = false
    var isProducerGone = false
  }

  private let state: Monitor<State>

  init(_ make: () -> Item) {
    state = Monitor(State(free: (0..<3).map { _ in make() }))
  }

  /// Nil when the writer has given up.
  func nextFree() -> Item? {
    state.wait { state -> Item?? in state.isCancelled ? .some(nil) : state.free.popLast().map { .some($0) } }
  }

  func push(_ item: Item) { state.change { $0.ready.append(item) } }

  /// What the reading thread does from beginning to end: the writer hears how it failed, and that it is gone.
  func produce(_ body: () throws -> Void) {
    do { try body() } catch { state.change { $0.failure = error } }
    state.change { $0.isProducerGone = true }
  }

  func waitForProducer() { state.wait { $0.isProducerGone ? () : nil } }

  func next() throws -> Item {
    try state.wait { state -> Result<Item, any Error>? in
      if !state.ready.isEmpty { return .success(state.ready.removeFirst()) }
      return state.failure.map { .failure($0) }
    }.get()
  }

  func recycle(_ item: Item) { state.change { $0.free.append(item) } }

  func cancel() { state.change { $0.isCancelled = true } }
}
