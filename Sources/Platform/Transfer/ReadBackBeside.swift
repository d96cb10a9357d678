import Connecting

/// The consumer's side of a first full delivery, computed while it is still under way: each batch is read back, on a
/// thread and a connection of its own, as soon as it is committed.
///
/// Only ever a saving of time: where a batch cannot be found this way, `finish` gives nil and everything is read back at
/// the end, from the index.
final class ReadBackBeside: Sendable {
  private struct Piece: Sendable {
    var batch: Int64
    var rows: Int
    var places: Range<Int64>
  }

  private struct State: Sendable {
    var pieces: [Piece] = []
    var isClosed = false
    /// Set once, when the thread ends.
    var result: ReadBack.Findings??
  }

  private let state = Monitor(State())

  init(_ plan: CompiledPlan, _ target: any Connector) {
    let state = state
    BlockingThread.start {
      let findings = try? Self.read(plan, target, state)
      state.change { $0.result = .some(findings) }
    }
  }

  /// `places`: the table's ends before and after the batch.
  func add(_ batch: Int64, rows: Int, places: Range<Int64>) {
    state.change { $0.pieces.append(Piece(batch: batch, rows: rows, places: places)) }
  }

  /// Waits for the thread. What it found, when it found all rows of every batch it was given.
  func finish() -> ReadBack.Findings? {
    state.change { $0.isClosed = true }
    return state.wait { $0.result }
  }

  /// Gives up what is not read yet, and waits for the thread.
  func cancel() {
    state.change { state in
      state.pieces = []
      state.isClosed = true
    }
    _ = state.wait { $0.result }
  }

  private struct Incomplete: Error {}

  private static func read(_ plan: CompiledPlan, _ target: any Connector, _ state: Monitor<State>) throws
    -> ReadBack.Findings
  {
    guard let reader = try target.openBatchReader(plan.writePlan) else { throw Incomplete() }
    defer { reader.close() }
    var back = ReadBack(plan)
    while let piece = next(state) {
      let rows = try reader.read(piece.batch, in: piece.places)
      defer { rows.close() }
      let before = back.findings.sums.rowCount
      try back.run(rows)
      guard back.findings.sums.rowCount - before == piece.rows else { throw Incomplete() }
    }
    return back.findings
  }

  /// Nil when nothing more comes.
  private static func next(_ state: Monitor<State>) -> Piece? {
    state.wait { state -> Piece?? in
      if !state.pieces.isEmpty { return .some(state.pieces.removeFirst()) }
      return state.isClosed ? .some(nil) : nil
    }
  }
}
