import Connecting
import Reshaping

/// From rows as read to rows of the items, before they are checked and masked: filter, columns and expressions, rules.
/// One per delivery; used by one thread.
final class RowReshaper {
  enum Result {
    case filtered
    case fault(Int, RowFault)
    /// The items' row, until the next is asked for; and the first rule that rejects it.
    case row(UnsafeRawBufferPointer, broken: (Int, RowFault?)?)
  }

  private enum Source {
    case column(Int)
    case machine(ExpressionMachine)
  }

  var filtered: [Int32] = []
  private let plan: ReshapingPlan
  private let read: RowFields
  private let made: RowFields
  private let filter: ExpressionMachine?
  private let sources: [Source]
  private let rules: RuleMachine?
  private let batch = RowBatch(capacity: RowBatch.smallest)

  init(_ plan: ReshapingPlan) throws(ConnectorError) {
    self.plan = plan
    read = RowFields(count: plan.readCount)
    made = RowFields(count: plan.sources.count)
    filter = plan.filter.map { ExpressionMachine($0) }
    sources = plan.sources.map { source in
      switch source {
      case .column(let place): .column(place)
      case .program(let program): .machine(ExpressionMachine(program))
      }
    }
    rules =
      plan.rules.isEmpty
      ? nil : try RuleMachine(plan.rules, items: plan.items, references: plan.references, on: plan.horizon)
  }

  var ruleCounts: [RuleMachine.Count] { rules?.counts ?? [] }

  func beginBatch() {
    filtered.removeAll(keepingCapacity: true)
    rules?.beginBatch()
  }

  func reshape(_ row: UnsafeRawPointer) -> Result {
    guard read.load(row) else { return .fault(0, .fieldCount) }
    if let filter {
      if let fault = filter.run(read) { return .fault(sources.count, fault) }
      if !filter.isTrue { return .filtered }
    }
    batch.removeAll()
    batch.beginRow(fields: sources.count)
    for source in sources {
      switch source {
      case .column(let place):
        let field = read.field(place)
        batch.reserve(field.count).copyMemory(from: field.baseAddress.unsafelyUnwrapped, byteCount: field.count)
        batch.advance(field.count)
      case .machine(let machine):
        // A value that cannot be computed is one that cannot be read.
        if let fault = machine.run(read) ?? machine.append(to: batch) {
          batch.appendMalformed(fault, UnsafeRawBufferPointer(start: nil, count: 0))
        }
      }
    }
    batch.endRow()
    let items = batch.row(0)
    guard let rules, made.load(items.baseAddress.unsafelyUnwrapped) else { return .row(items, broken: nil) }
    return .row(items, broken: rules.check(made).map { ($0.field, $0.fault) })
  }
}
