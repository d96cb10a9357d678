package import Connecting

/// Executes one delivery plan.
package struct Delivery: Sendable {
  package let plan: DeliveryPlan
  package let control: DeliveryControl

  /// Throws a contract error when the plan contradicts itself.
  package init(_ plan: DeliveryPlan, control: DeliveryControl) throws(ConnectorError) {
    self.plan = plan
    self.control = control
  }

  /// Runs to the end, a stop, or an error; safe to run again after any of them, with a greater fence.
  ///
  /// Reads on one thread of its own and writes on another; the caller only waits.
  package func run(from source: any Connector, to target: any Connector) async throws -> DeliveryOutcome {
    throw ConnectorError.contract("unfinished", "引擎尚未完成。", "The engine is not finished.")
  }
}
