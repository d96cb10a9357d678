package import Deadlines
package import Kernel
internal import Storage

/// Why a version was written after another (目录变更), stated when it is submitted.
package struct VersionChange: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case law, duty, system, correction, other

    package var title: Text {
      switch self {
      case .law: Text("法律法规变化", "A law or rule changed")
      case .duty: Text("单位职能变化", "The office's duties changed")
      case .system: Text("信息系统变化", "The information system changed")
      case .correction: Text("更正错误", "A correction")
      case .other: Text("其他", "Something else")
      }
    }
  }

  package var kind: Kind
  package var words: String
  /// The day of what made the change necessary: the department's duty to update counts from it.
  package var trigger: CalendarDate?
  /// Until when the department has to update; counted when it submits, nil without a day.
  package internal(set) var due: DueDate?

  package init(_ kind: Kind, words: String, trigger: CalendarDate? = nil) {
    self.kind = kind
    self.words = words
    self.trigger = trigger
  }
}

extension CatalogStore {
  static func setChange(_ change: VersionChange, of id: ResourceID, version: Int, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE catalog_version SET change_kind = \(change.kind), change_words = \(change.words),
        change_trigger = \(change.trigger), change_due = \(change.due?.encoded)
      WHERE resource = \(id) AND version = \(version)
      """)
  }

  static func change(of id: ResourceID, version: Int, in tx: any Transaction) throws -> VersionChange? {
    try tx.row(
      """
      SELECT change_kind, change_words, change_trigger, change_due FROM catalog_version
      WHERE resource = \(id) AND version = \(version)
      """
    ).flatMap(change)
  }

  static let changeColumns: SQL = "v.change_kind, v.change_words, v.change_trigger, v.change_due"

  /// Of a row with `changeColumns`; nil where no reason was given.
  static func change(_ row: Row) throws -> VersionChange? {
    guard try row.textOrNil("change_kind") != nil else { return nil }
    var change = VersionChange(
      try row.choice("change_kind"), words: try row.text("change_words"), trigger: try row.dateOrNil("change_trigger"))
    change.due = try row.textOrNil("change_due").flatMap { DueDate(encoded: $0) }
    return change
  }
}
