package import Kernel
internal import Storage

/// A node of the classification as this platform keeps it between two days: its name, what it stands for nationally, and
/// who may use it. A later period of the same code renames or maps it anew; the last one's end retires it.
package struct ClassPeriod: Hashable, Sendable {
  package var code: String
  package var parent: String?
  package var name: String
  package var validFrom: CalendarDate
  /// The first day it no longer holds; nil while it does.
  package var validTo: CalendarDate?
  /// The node of the national tree that a class of a local tree stands for.
  package var national: String?
  package var usedBy: ClassUse
  /// The class that takes its entries over, when it is retired.
  package var successor: String?
  package var changedAt: Instant
  package var changedBy: String

  package init(
    code: String, parent: String?, name: String, validFrom: CalendarDate, validTo: CalendarDate? = nil,
    national: String? = nil, usedBy: ClassUse = .everyone, successor: String? = nil, changedAt: Instant,
    changedBy: String
  ) {
    self.code = code
    self.parent = parent
    self.name = name
    self.validFrom = validFrom
    self.validTo = validTo
    self.national = national
    self.usedBy = usedBy
    self.successor = successor
    self.changedAt = changedAt
    self.changedBy = changedBy
  }

  package static let limits = (code: 24, name: 100, nodes: 50_000)

  /// Why a code cannot stand under a parent, or nil: two or three digits more than the parent's, or, for the root of a
  /// tree of its own, two to eight small letters.
  package static func wrongCode(_ code: String, under parent: String?) -> Text? {
    guard let parent else {
      let isRoot = (2...8).contains(code.utf8.count) && code.utf8.allSatisfy { (97...122).contains($0) }
      return isRoot
        ? nil
        : Text(
          "本地分类树的根代码为 2 到 8 个小写字母，如 cj。", "The root of a local tree has a code of 2 to 8 small letters, such as cj.")
    }
    let step = code.utf8.count - parent.utf8.count
    guard code.hasPrefix(parent), (2...3).contains(step), code.utf8.count <= limits.code,
      code.utf8.dropFirst(parent.utf8.count).allSatisfy({ (48...57).contains($0) })
    else {
      return Text(
        "下级代码须以上级代码 \(parent) 开头，再加 2 或 3 位数字，总长不超过 \(limits.code) 位。",
        "The code must begin with its parent's, \(parent), and have 2 or 3 more digits, \(limits.code) characters at most."
      )
    }
    return nil
  }
}

/// Who may put entries into a local class.
package enum ClassUse: Hashable, Sendable {
  case everyone
  /// Offices of an administrative division and of those below it.
  case division(String)
  case office(OrganisationID)

  package init?(text: String) {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    switch (parts.first, parts.last) {
    case (nil, _): self = .everyone
    case ("division", let code?) where parts.count == 2 && Divisions.embedded.known(code) != nil: self = .division(code)
    case ("office", let id?) where parts.count == 2:
      guard let id = OrganisationID(id) else { return nil }
      self = .office(id)
    default: return nil
    }
  }

  package var text: String {
    switch self {
    case .everyone: ""
    case .division(let code): "division:\(code)"
    case .office(let id): "office:\(id.text)"
    }
  }
}
