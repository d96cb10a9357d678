import Kernel

/// The pages that a section begins with, where it has more than one: shown as a second line below the main navigation
/// and, on a narrow screen, below the section in the menu; each to those whom its route lets in.
extension Section {
  /// Label and address of each, the section's own page first; empty where that page is the only one.
  var pages: [(label: Text, href: String)] {
    switch self {
    case .catalog:
      [
        (Text("目录检索", "Search"), address),
        (Text("资源分类", "Classes"), "/catalog/classes"),
        (Text("收藏的检索", "Saved searches"), "/catalog/saved"),
        (Text("在编目录", "Being written"), "/catalog/work"),
        (Text("Excel 导入", "Excel import"), "/catalog/import"),
        (Text("目录审核", "Review"), "/catalog/review"),
        (Text("挂接与更新", "Mounts and updates"), "/mounting"),
        (Text("目录异议", "Objections"), "/feedback/objections"),
        (Text("六项普查", "Census"), "/census"),
      ]
    case .systems:
      [
        (Text("系统清单", "Register"), address),
        (Text("前置机与前置库", "Front-end nodes"), "/front-nodes"),
      ]
    case .home, .requests, .grants, .deliveries, .supervision, .evidence, .people: []
    }
  }
}

/// Of the addresses, the one that the path is at or below: the longest that fits.
func closest(_ addresses: [String], to path: String) -> String? {
  addresses.filter { path == $0 || path.hasPrefix($0 + "/") }.max { $0.utf8.count < $1.utf8.count }
}
