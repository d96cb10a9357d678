import Connecting

/// A wire of the delivery's threw: nothing is written after it.
struct DeliveryStop: Error {
  var reason: any Error
}

// The wires as a writing thread asks them: it waits, and what they throw stops it in good order.
extension DeliveryControl {
  func mayGoOn() throws {
    try waiting(for: check)
  }

  func keep(_ rows: QuarantinedRows) throws {
    let quarantine = quarantine
    try waiting { try await quarantine(rows) }
  }

  private func waiting(for wire: @escaping @Sendable () async throws -> Void) throws {
    do {
      try BlockingThread.wait(for: wire)
    } catch {
      throw DeliveryStop(reason: error)
    }
  }
}
