package import Kernel

/// One column of the matrix: what is counted of each department, along the spine from systems to deliveries.
///
/// The lacks are what national audits keep finding: systems without entries, entries tied to no system or with no sharing
/// condition, entries without items, mounts that nobody uses.
package enum Measure: String, Sendable, CaseIterable {
  case systems, systemsWithoutEntries
  case entries, entriesWithoutSystem, entriesWithoutItems, entriesWithoutCondition, entriesWithoutMount
  case mounts, mountsFailing, mountsUnused
  case grants, grantsUndelivered, grantsObtained
  case deliveries, rowsDelivered

  /// A station of the spine.
  package enum Group: String, Sendable, CaseIterable {
    case systems, entries, mounts, grants, deliveries

    package var title: Text {
      switch self {
      case .systems: Text("信息系统", "Systems")
      case .entries: Text("数据目录", "Entries")
      case .mounts: Text("挂接", "Mounts")
      case .grants: Text("授权", "Grants")
      case .deliveries: Text("本月交换", "This month")
      }
    }
  }

  package var group: Group {
    switch self {
    case .systems, .systemsWithoutEntries: .systems
    case .entries, .entriesWithoutSystem, .entriesWithoutItems, .entriesWithoutCondition, .entriesWithoutMount: .entries
    case .mounts, .mountsFailing, .mountsUnused: .mounts
    case .grants, .grantsUndelivered, .grantsObtained: .grants
    case .deliveries, .rowsDelivered: .deliveries
    }
  }

  /// A number that should be nought.
  package var isLack: Bool {
    switch self {
    case .systemsWithoutEntries, .entriesWithoutSystem, .entriesWithoutItems, .entriesWithoutCondition,
      .entriesWithoutMount, .mountsFailing, .mountsUnused, .grantsUndelivered:
      true
    case .systems, .entries, .mounts, .grants, .grantsObtained, .deliveries, .rowsDelivered: false
    }
  }

  /// In the matrix, under the group's title.
  package var shortTitle: Text {
    switch self {
    case .systems: Text("系统", "All")
    case .systemsWithoutEntries: Text("未编目", "No entry")
    case .entries: Text("在用", "In force")
    case .entriesWithoutSystem: Text("无系统", "No system")
    case .entriesWithoutItems: Text("无信息项", "No items")
    case .entriesWithoutCondition: Text("无条件说明", "No terms")
    case .entriesWithoutMount: Text("未挂接", "No mount")
    case .mounts: Text("已挂接", "Mounted")
    case .mountsFailing: Text("不可用", "Failing")
    case .mountsUnused: Text("未使用", "Unused")
    case .grants: Text("有效", "In force")
    case .grantsUndelivered: Text("未交换", "Unmoved")
    case .grantsObtained: Text("取得", "Obtained")
    case .deliveries: Text("次数", "Times")
    case .rowsDelivered: Text("行数", "Rows")
    }
  }

  /// Standing alone.
  package var title: Text {
    switch self {
    case .systems: Text("信息系统", "Systems")
    case .systemsWithoutEntries: Text("未编目的信息系统", "Systems without entries")
    case .entries: Text("在用目录", "Entries in force")
    case .entriesWithoutSystem: Text("未关联信息系统的目录", "Entries tied to no system")
    case .entriesWithoutItems: Text("没有信息项的目录", "Entries without items")
    case .entriesWithoutCondition: Text("没有共享条件或依据的目录", "Entries without sharing terms")
    case .entriesWithoutMount: Text("未挂接的目录", "Entries without a mount")
    case .mounts: Text("已挂接的目录", "Mounted entries")
    case .mountsFailing: Text("挂接不可用的目录", "Failing mounts")
    case .mountsUnused: Text("挂接后未使用的目录", "Mounts without use")
    case .grants: Text("有效授权（提供）", "Grants given, in force")
    case .grantsUndelivered: Text("没有交换过的有效授权", "Grants without a delivery")
    case .grantsObtained: Text("有效授权（取得）", "Grants obtained, in force")
    case .deliveries: Text("本月送达的交换", "Deliveries this month")
    case .rowsDelivered: Text("本月送达的行数", "Rows delivered this month")
    }
  }

  /// Of a month that is over, where it counts what happened in it.
  package func title(of month: CalendarMonth) -> Text {
    switch self {
    case .deliveries: Text("\(month) 送达的交换", "Deliveries of \(month)")
    case .rowsDelivered: Text("\(month) 送达的行数", "Rows delivered in \(month)")
    default: Text("\(title.chinese) · \(month)", "\(title.english) · \(month)")
    }
  }

  /// What exactly is counted, for the page that lists the rows and for programs.
  package func definition(unusedDays days: Int) -> Text {
    switch self {
    case .systems: Text("单位登记的全部信息系统。", "Every system that the department registered.")
    case .systemsWithoutEntries:
      Text("没有任何一条在用目录出自该系统。", "No entry in force comes from the system.")
    case .entries: Text("已发布、未下架的目录。", "Entries that are published and not withdrawn.")
    case .entriesWithoutSystem: Text("在用目录没有说明出自哪个信息系统。", "The entry in force names no system.")
    case .entriesWithoutItems: Text("在用目录没有列出信息项。", "The entry in force lists no items.")
    case .entriesWithoutCondition:
      Text("有条件共享未写条件，或不予共享未写依据。", "Conditional sharing without its condition, or a refusal without its basis.")
    case .entriesWithoutMount: Text("在用目录没有挂接数据表、文件或接口。", "The entry in force is tied to no table, files or API.")
    case .mounts: Text("在用目录已挂接数据表、文件或接口。", "The entry in force is tied to a table, files or an API.")
    case .mountsFailing:
      Text("最近一次检测未通过，而且没有别的挂接可用。", "Its mount failed its last test, and no other mount of it works.")
    case .mountsUnused:
      Text(
        "已挂接，但今天没有有效授权，最近 \(days) 天也没有在任何授权下送达过数据。",
        "Mounted, yet no grant on it holds today, and nothing was delivered in the last \(days) days under any grant.")
    case .grants: Text("该单位作为提供方、今天有效的授权。", "Grants that the department gives and that hold today.")
    case .grantsUndelivered: Text("今天有效、还没有送达过一次数据的授权。", "Grants that hold today and never delivered anything.")
    case .grantsObtained: Text("该单位作为使用方、今天有效的授权。", "Grants that the department uses and that hold today.")
    case .deliveries: Text("本月在该单位提供的授权下送达的交换。", "Deliveries that arrived this month under the department's grants.")
    case .rowsDelivered: Text("本月送达的交换各送到的行数之和。", "The rows of this month's deliveries, added up.")
    }
  }
}

/// A department's numbers, one for each measure.
package struct Tally: Hashable, Sendable {
  private var numbers = [Int](repeating: 0, count: Measure.allCases.count)

  package init() {}

  package subscript(_ measure: Measure) -> Int {
    get { numbers[Self.places[measure]!] }
    set { numbers[Self.places[measure]!] = newValue }
  }

  package static func += (a: inout Tally, b: Tally) {
    for place in a.numbers.indices { a.numbers[place] += b.numbers[place] }
  }

  package var isEmpty: Bool { numbers.allSatisfy { $0 == 0 } }

  private static let places = Dictionary(
    uniqueKeysWithValues: Measure.allCases.enumerated().map { ($0.element, $0.offset) })
}
