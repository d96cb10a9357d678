import Catalog
import FrontNodes
import Inventory
import Kernel
import Sharing
import Storage

extension FrontNodes {
  /// What still needs a node's source on a day: grants and requests that write there, entries tied to its tables.
  static func sharing(_ source: SourceID, _ day: CalendarDate, in tx: any Transaction) throws -> [Text] {
    let most = 20
    let grants = try GrantStore.writing(into: source, on: day, limit: most, in: tx).map {
      Text("授权 \($0.number)（\($0.resourceName)）", "grant \($0.number) (\($0.resourceName))")
    }
    let requests = try RequestStore.aiming(at: source, limit: most, in: tx).map {
      Text("申请 \($0.number)（\($0.resourceName)）", "request \($0.number) (\($0.resourceName))")
    }
    let entries = try CatalogStore.mounted(on: source, in: tx).prefix(most).map {
      Text("目录“\($0.name)”（\($0.table)）", "entry “\($0.name)” (\($0.table))")
    }
    return grants + requests + entries
  }
}
