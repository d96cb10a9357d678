import Kernel

/// A source as it was at one moment, kept so that several readers see the same rows, also readers of other processes.
/// It lasts until it is closed, the one that keeps it is gone, or the source ends its connection. Safe from any thread; the calls block.
package protocol SourceView: AnyObject, Sendable {
  /// For `ReadPlan.view`: letters, digits, hyphens, 200 at most.
  var name: String { get }
  /// Throws `viewLost`, or why nobody answered, when the view is gone. Keeps its connection from being taken for an idle one.
  func check() throws(ConnectorError)
  /// Safe to call twice.
  func close()
}

extension ConnectorError {
  /// The view that a reader was to read in is no more.
  package static let viewLost = ConnectorError(
    .permanent, "view-lost",
    Text(
      "源数据的一致视图已失效，各分段不能再读取同一时刻的数据。",
      "The view that all parts were to read is gone: they cannot read the source as of one moment any more."))
}
