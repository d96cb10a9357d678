import Connecting
import Kernel
import Storage
import Transfer

/// The views of sources that this process keeps open while the parts of deliveries read in them, each on a thread of its own. When the
/// process goes, they go too, and the deliveries are cut anew.
final class HeldViews: Sendable {
  private let views = Monitor<[DeliveryID: any SourceView]>([:])

  /// How often a view is used, so that no firewall takes its connection for an idle one, and how often it is asked whether it is
  /// still needed.
  private static let look: Duration = .seconds(15)
  /// Looks in a row at which our own database did not say whether it is.
  private static let mostUnanswered = 40

  /// Keeps the view until nobody needs it, another takes its place, or it is lost.
  func hold(_ view: any SourceView, for id: DeliveryID, while isNeeded: @escaping @Sendable () async throws -> Bool) {
    views.change { $0[id] = view }
    BlockingThread.start { [self] in
      var unanswered = 0
      while !isReplaced(view, for: id), unanswered < Self.mostUnanswered {
        do {
          guard try BlockingThread.wait(for: isNeeded) else { break }
          unanswered = 0
        } catch { unanswered += 1 }
        do throws(ConnectorError) { try view.check() } catch { break }
      }
      views.change { if $0[id] === view { $0[id] = nil } }
      view.close()
    }
  }

  /// Waits for that, a while.
  private func isReplaced(_ view: any SourceView, for id: DeliveryID) -> Bool {
    views.wait(within: Self.look) { $0[id] === view ? nil : () } != nil
  }
}
