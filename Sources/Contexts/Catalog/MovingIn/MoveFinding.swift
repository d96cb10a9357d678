package import Kernel

/// What did not fit, where it stood, and what was done instead. Nothing of an export is dropped without one.
package struct MoveFinding: Hashable, Sendable {
  package enum Action: String, Sendable, CaseIterable {
    /// The row, or the value, was not taken over.
    case leftOut = "left-out"
    /// The entry came in, but as a draft.
    case draftOnly = "draft-only"
    /// Something else stands in its place.
    case replaced
    case shortened
    /// Taken over as it was, to be mended by its department.
    case kept
    case newCode = "new-code"

    package var title: Text {
      switch self {
      case .leftOut: Text("未迁入", "Left out")
      case .draftOnly: Text("只作为草稿迁入", "Came in as a draft only")
      case .replaced: Text("改用其他值", "Another value instead")
      case .shortened: Text("截短", "Shortened")
      case .kept: Text("照原样迁入，待整改", "Kept as it was, to be mended")
      case .newCode: Text("另编代码", "Got a new code")
      }
    }
  }

  /// A file of the export.
  package var file: String
  /// As an editor or spreadsheet counts, from 1; 0 for the whole file.
  package var line: Int
  /// Theirs; empty for the whole row and for a rule of ours.
  package var column: String
  /// Our element that the column is read into, or that the rule speaks of (`item.3.length`); empty where there is none.
  package var element = ""
  /// Cut to 200 characters; empty where it must not be shown.
  package var value: String
  /// Stable, for programs.
  package var code: String
  package var reason: Text
  package var action: Action
  /// The entry it belongs to, once that is here.
  package var resource: ResourceID?
  package var provider: OrganisationID?

  init(
    _ place: ExportPlace, _ column: String, _ value: String, _ code: String, element: String = "", _ reason: Text,
    _ action: Action
  ) {
    file = place.file
    line = place.line
    self.column = column
    self.element = element
    self.value = String(value.prefix(200))
    self.code = code
    self.reason = reason
    self.action = action
  }
}

/// What became of one entry of the export.
package struct MovedEntry: Hashable, Sendable {
  package enum Outcome: String, Sendable, CaseIterable {
    case moved, changed, same
    case leftOut = "left-out"
    /// Somebody changed it here since: it stays as it is here.
    case foreign
    /// It was moved in before, and this export lacks tables: it stays as it is here.
    case untouched

    /// Whether what was found is of this run: an entry that is as it was before was told of then.
    var isTaken: Bool { ![.same, .foreign, .untouched].contains(self) }

    package var title: Text {
      switch self {
      case .moved: Text("新迁入", "Moved in")
      case .changed: Text("已更新", "Changed")
      case .same: Text("没有变化", "As before")
      case .leftOut: Text("未迁入", "Left out")
      case .foreign: Text("本平台已另行修改，未动", "Changed here since; not touched")
      case .untouched: Text("导出缺表，未动", "The export lacks tables; not touched")
      }
    }
  }

  package var oldID: String
  package var oldCode: String
  package var name: String
  package var resource: ResourceID?
  package var code: String?
  package var state: VersionState?
  package var online: OnlineState?
  package var outcome: Outcome

  package var isInForce: Bool { state == .published && online?.isOnline == true }
  /// What is published is online or offline.
  package var standing: Text? { state == .published ? online?.title : state?.title }
}

/// One line of the table that says which code became which.
package struct MovedCode: Hashable, Sendable {
  package var field: String
  package var theirs: String
  /// Nil where none was known.
  package var ours: String?
  package var times: Int
}

/// What a moving in came to.
package struct MoveReport: Sendable {
  package var source: String
  package var title: String
  /// What the export is called.
  package var folder: String
  /// Nil for a trial, of which nothing is kept.
  package var run: MoveRunID?
  package var entries: [MovedEntry] = []
  package var findings: [MoveFinding] = []
  package var codes: [MovedCode] = []
  /// Their classes and what they are here.
  package var classes: [(theirs: String, name: String, ours: String, isNew: Bool)] = []
  package var items = 0

  package func count(_ outcome: MovedEntry.Outcome) -> Int { entries.count { $0.outcome == outcome } }
}

extension MoveReport {
  /// The most frequent reasons with the column that they concern, each as the first place was told.
  package func frequentReasons(_ most: Int) -> [(reason: Text, times: Int)] {
    var byCode: [String: (reason: Text, times: Int)] = [:]
    for finding in findings {
      let file = finding.line == 0 ? finding.file : ""
      let place = [file, finding.column].filter { !$0.isEmpty }.joined(separator: " ")
      let reason =
        place.isEmpty
        ? finding.reason : Text("\(place)：\(finding.reason.chinese)", "\(place): \(finding.reason.english)")
      byCode["\(finding.code) \(place)", default: (reason, 0)].times += 1
    }
    return byCode.sorted { ($1.value.times, $0.key) < ($0.value.times, $1.key) }.prefix(most).map(\.value)
  }
}

package enum MoveRunTag {}
package typealias MoveRunID = ID<MoveRunTag>
