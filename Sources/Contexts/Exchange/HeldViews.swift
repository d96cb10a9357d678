import Connecting
import Kernel
import Storage
import Transfer

/// The views of sources that this process keeps open while the parts of deliveries read in them. When the process goes, they go
/// too, and the deliveries are cut anew.
actor HeldViews {
  private var views: [DeliveryID: any SourceView] = [:]

  /// How often a view is used, so that no firewall takes its connection for an idle one, and how often it is asked whether it is
  /// still needed.
  static let look: Duration = .seconds(15)
  /// Looks in a row at which our own database did not say whether it is.
  private static let mostUnanswered = 40

  /// Keeps the view until nobody needs it, or it is lost. One that is held for this delivery already is closed.
  func hold(_ view: any SourceView, for id: DeliveryID, while isNeeded: @escaping @Sendable () async throws -> Bool) {
    let before = views.updateValue(view, forKey: id)
    Task {
      if let before { await Self.close(before) }
      await keep(view, for: id, while: isNeeded)
    }
  }

  private func keep(
    _ view: any SourceView, for id: DeliveryID, while isNeeded: @escaping @Sendable () async throws -> Bool
  ) async {
    var unanswered = 0
    while views[id] === view, unanswered < Self.mostUnanswered {
      try? await Task.sleep(for: Self.look)
      do {
        guard try await isNeeded() else { break }
        unanswered = 0
      } catch { unanswered += 1 }
      do { try await BlockingThread.run { try view.check() } } catch { break }
    }
    if views[id] === view { views[id] = nil }
    await Self.close(view)
  }

  private static func close(_ view: any SourceView) async { try? await BlockingThread.run { view.close() } }
}
