package import Kernel
package import Sharing
package import Transfer

package typealias DeliveryID = ID<DeliveryRecord>

/// One carrying-out of a grant.
package struct DeliveryRecord: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    case queued, running, delivered, stopped, failed

    package var isOpen: Bool { self == .queued || self == .running }

    package var title: Text {
      switch self {
      case .queued: Text("排队中", "Queued")
      case .running: Text("进行中", "Running")
      case .delivered: Text("已送达", "Delivered")
      case .stopped: Text("已停止", "Stopped")
      case .failed: Text("失败", "Failed")
      }
    }

    /// The next state, or nil where there is no such step.
    package func applying(_ event: Event) -> State? {
      switch (self, event) {
      case (.queued, .start), (.running, .start): .running
      case (.running, .deliver): .delivered
      case (.queued, .stop), (.running, .stop): .stopped
      case (.queued, .fail), (.running, .fail): .failed
      // Its window closed, or its source is busy: it goes on later.
      case (.running, .wait), (.queued, .wait): .queued
      // A failed attempt is tried again by the queue.
      case (.failed, .start): .running
      // Unless the grant has ended meanwhile.
      case (.failed, .stop): .stopped
      default: nil
      }
    }
  }

  package enum Event: String, Sendable, CaseIterable {
    case start, deliver, stop, fail, wait
  }

  package var id: DeliveryID
  package var grant: GrantID
  package var mode: DeliveryPlan.Mode
  package var state: State
  /// `person`, `schedule`, `command`.
  package var trigger: String
  package var askedBy: String
  package var read: Int
  package var delivered: Int
  package var unchanged: Int
  package var quarantined: Int
  package var stale: Int
  /// Rows of the source that are not for this grant.
  package var filtered: Int
  /// Rows that the source no longer has, or that are no longer for this grant, taken out of the target.
  package var removed: Int
  package var bytes: Int
  /// Whom the time was spent with.
  package var times = DeliveryPulse.Times()
  /// A person asked for what changed since then, whatever was brought already.
  package var since: CalendarDate?
  /// How far the source had come, by its own time, with what is in the target now.
  package var sourceAt: Instant?
  /// When the target last took something.
  package var writtenAt: Instant?
  /// Both receipts agree; nil until both are there.
  package var agrees: Bool?
  package var reason: Text?
  package var createdAt: Instant
  package var startedAt: Instant?
  package var finishedAt: Instant?

  package init(
    id: DeliveryID, grant: GrantID, mode: DeliveryPlan.Mode, state: State, trigger: String, askedBy: String,
    createdAt: Instant
  ) {
    self.id = id
    self.grant = grant
    self.mode = mode
    self.state = state
    self.trigger = trigger
    self.askedBy = askedBy
    (read, delivered, unchanged, quarantined, stale, filtered, removed, bytes) = (0, 0, 0, 0, 0, 0, 0, 0)
    self.createdAt = createdAt
  }
}

/// A bad row as the operator and the consumer see it.
package struct QuarantineLine: Hashable, Sendable {
  package var batch: Int
  package var part: Int
  package var position: Int
  package var keyDigest: String?
  package var item: String
  package var fault: String
}

/// How many rows of a delivery were bad in one column for one reason.
package struct QuarantineSummary: Hashable, Sendable {
  package var item: String
  package var fault: String
  package var rows: Int
}
