import Connecting

/// What the receiving system says it took in some batches, from the messages that it gives back: a row is the plan's columns
/// and then its batch.
///
/// A message that it does not have any more, or not byte by byte as it was sent, has no rows: the consumer's receipt lacks
/// them.
final class InboxReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []

  private let client: MessageClient
  private let rows: PutRows
  private var batches: ArraySlice<MessageBatch>
  /// Of the batch at hand.
  private var (number, batch) = (0, Int64(0))
  private var last = -1
  private var message: (body: [UInt8], at: Int)?

  init(_ client: MessageClient, _ plan: WritePlan, _ batches: [MessageBatch]) {
    self.client = client
    rows = PutRows(plan)
    self.batches = batches.filter { $0.record.delivered > 0 }[...]
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull, try open(), let (body, start) = message {
      var (failure, at) = (ConnectorError?.none, start)
      body.withUnsafeBytes { bytes in
        do throws(ConnectorError) { try rows.append(bytes, at: &at, batch: self.batch, to: batch) } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      message = at < body.count ? (body, at) : nil
    }
    return batch.isEmpty ? .end : .rows
  }

  /// At lines that are left; false behind the last message.
  private func open() throws(ConnectorError) -> Bool {
    while message == nil {
      if number > last || last < 0 {
        guard let next = batches.popFirst() else { return false }
        (number, last, batch) = (next.messages.lowerBound, next.messages.upperBound, next.record.batch)
      }
      if let found = try client.message(number), found.lines < found.body.count { message = (found.body, found.lines) }
      number += 1
    }
    return true
  }

  func close() {
    batches = []
    message = nil
    last = -1
  }
}
