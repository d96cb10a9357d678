import Catalog
import Kernel
import Sharing
import Storage

extension Cataloguing.Dependents {
  /// Grants that are not over, then requests that are open, page by page. A place is `g:` or `r:` with the last id shown.
  static let sharing = Cataloguing.Dependents { resource, after, tx in
    let parts = (after ?? "g:").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var lines: [Text] = []
    var next: String?
    if parts[0] != "r" {
      let found = try GrantStore.open.list(
        on: resource, after: parts.last.flatMap { GrantID($0) }, limit: page + 1, in: tx)
      lines = found.prefix(page).map {
        Text(
          "授权 \($0.number)（\($0.consumerName)）暂停交换，重新上线后继续",
          "Grant \($0.number) (\($0.consumerName)): deliveries stand still until it is back")
      }
      if found.count > page { next = "g:\(found[page - 1].id)" }
    }
    if next == nil {
      let room = page - lines.count
      let found = try RequestStore.open.list(
        on: resource, after: parts[0] == "r" ? parts.last.flatMap { ShareRequestID($0) } : nil, limit: room + 1,
        in: tx)
      lines += found.prefix(room).map {
        Text(
          "申请 \($0.number)（\($0.consumerName)）在下架期间不能获授权，可由提供部门不同意",
          "Request \($0.number) (\($0.consumerName)) cannot be granted while it is offline; the provider may refuse it")
      }
      if found.count > room { next = room > 0 ? "r:\(found[room - 1].id)" : "r:" }
    }
    return Page(
      counts: [
        (Text("授权", "Grants"), try GrantStore.open.count(on: resource, most: countLimit, in: tx)),
        (Text("办理中的申请", "Open requests"), try RequestStore.open.count(on: resource, most: countLimit, in: tx)),
      ], lines: lines, next: next)
  }
}
