import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import Catalog

extension MoveReport {
  /// All that a report tells but the ids that only a run gives, a line each.
  var told: [String] {
    entries.map {
      "entry \($0.oldID) \($0.oldCode) \($0.name) \($0.outcome) \($0.code ?? "-") \($0.state.map(\.rawValue) ?? "-") \($0.online.map(\.rawValue) ?? "-")"
    }
      + findings.map {
        "finding \($0.file) \($0.line) \($0.column) \($0.element) \($0.value) \($0.code) \($0.action) \($0.reason.chinese) \($0.reason.english) \($0.provider?.text ?? "-")"
      } + codes.map { "code \($0.field) \($0.theirs) \($0.ours ?? "-") \($0.times)" }
      + classes.map { "class \($0.theirs) \($0.name) \($0.ours) \($0.isNew)" }
      + counts.map { "\($0.0.chinese) \($0.1)" }
  }
}

@Suite struct `A trial of moving in` {
  private static func move(_ offices: Offices, _ folder: String, trial: Bool) async throws -> MoveReport {
    try await offices.cataloguing.moveIn(
      from: folder, named: "export", by: try #require(try MoveMapping.preset("bjxc")), isTrial: trial)
  }

  /// Names twice, codes that are to be made and a code that refers to one of them, an unknown office, no sharing type, and
  /// the code of an entry that is here.
  private static func awkward(taken code: String) -> ExportedCatalogue {
    var export = ExportedCatalogue(count: 13)
    export.set("dir_dataset", "set2", "dataset_name", "救助对象第 1 类信息")
    export.set("dir_dataset_classify_map", "m3", "info_resource_code", "")
    export.set("dir_dataset_classify_map", "m4", "info_resource_code", "老代码-4")
    export.set("dir_dataset_classify_map", "m5", "info_resource_code", "")
    export.set("dir_dataset", "set6", "belong_dept_name", "青海省没有的厅")
    export.set("dir_dataset", "set7", "share_type", "9")
    export.set("dir_dataset", "set8", "rel_dataset_code", "3070120337/000024;3070120337/000999")
    export.set("dir_dataset_classify_map", "m10", "info_resource_code", code)
    return export
  }

  @Test(arguments: Engine.allCases)
  func `tells exactly what the run then does, also where the run meets itself`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await withTemporaryFolder { folder in
        let mine = try await offices.published()
        var export = Self.awkward(taken: try #require(mine.code?.description))
        let path = "\(folder)/export"
        func both() async throws -> (trial: MoveReport, run: MoveReport) {
          try export.write(to: path)
          let trial = try await Self.move(offices, path, trial: true)
          let run = try await Self.move(offices, path, trial: false)
          #expect(trial.told == run.told, "\(zip(trial.told, run.told).filter { $0 != $1 })")
          return (trial, run)
        }
        let first = try await both()
        func codes(_ report: MoveReport) -> Set<String> { Set(report.findings.map(\.code)) }
        #expect(
          codes(first.trial).isSuperset(of: [
            "rule.name.taken", "code.new", "code.taken", "provider.unknown", "sharing.missing",
          ]), "\(codes(first.trial))")
        let new = first.trial.findings.filter { $0.code == "code.new" }.map(\.reason.chinese)
        #expect(new == [24, 25, 26].map { "按规则编为 3070120337/0000\($0)。" })
        #expect(first.trial.entries.allSatisfy { $0.resource == nil }, "a trial gives no ids")

        // A name is given up and taken by another, one without a code keeps the one it has here, one goes offline, one is
        // changed there and here.
        export.set("dir_dataset", "set1", "dataset_name", "改称以后的救助信息")
        export.set("dir_dataset", "set2", "dataset_desc", "改写后的摘要，说明内容。")
        export.set("dir_dataset", "set3", "dataset_desc", "也改写后的摘要，说明内容。")
        export.set("dir_dataset_classify_map", "m0", "status", "6")
        export.set("dir_dataset", "set9", "dataset_desc", "草稿改写后的摘要。")
        export.set("dir_dataset", "set4", "dataset_desc", "原系统又改写了。")
        let changedHere = try #require(first.run.entries.first { $0.oldID == "set4" }?.resource)
        _ = try await offices.cataloguing.beginChange(Offices.otherOfficer, changedHere)
        let second = try await both()
        #expect(second.trial.count(.changed) == 5 && second.trial.count(.foreign) == 1)
        #expect(!codes(second.trial).contains("rule.name.taken"), "the name was given up")
        let kept = try #require(second.trial.entries.first { $0.oldID == "set3" })
        #expect(kept.code == "3070120337/000024" && kept.resource != nil)
        #expect(!second.trial.findings.contains { $0.code == "code.new" }, "it has a code here")
        #expect(second.trial.entries.first { $0.oldID == "set0" }?.online == .offline)
      }
    }
  }

  @Test func `the report speaks of elements in words and of their columns by their names`() async throws {
    try await Offices.with(.sqlite) { offices in
      try await withTemporaryFolder { folder in
        var export = ExportedCatalogue(count: 2)
        export.set("dir_dataset", "set0", "share_condition", "")
        export.set("dir_dataset", "set1", "update_frequency", "77")
        try export.write(to: "\(folder)/export")
        let report = try await Self.move(offices, "\(folder)/export", trial: true)
        try report.write(to: "\(folder)/report.xlsx", .chinese)
        let reader = try WorkbookReader(path: "\(folder)/report.xlsx")
        func column(_ title: String, of sheet: String) throws -> [String] {
          var rows: [[Int: String]] = []
          try reader.readRows(of: sheet) { row in
            rows.append(Dictionary(uniqueKeysWithValues: row.cells.map { ($0.column, $0.value.shown) }))
            return .next
          }
          let place = try #require(rows.first?.first { SheetColumn.title(fromHeader: $0.value) == title }?.key)
          return rows.dropFirst().map { $0[place] ?? "" }
        }
        let elements = Set(try column("元素", of: "未照搬之处"))
        #expect(elements.isSuperset(of: ["共享条件或不予共享依据", "更新周期"]), "\(elements)")
        #expect(Set(try column("原系统的列", of: "未照搬之处")).contains("update_frequency"))
        let fields = Set(try column("元素", of: "代码对照"))
        #expect(fields.contains("共享类型") && fields.contains("状态"), "\(fields)")
        let internals = ["sharingCondition", "cycle", "sharingType", "state", "dataType", "methodClass"]
        for sheet in reader.sheets {
          try reader.readRows(of: sheet.name) { row in
            for cell in row.cells { #expect(!internals.contains(cell.value.shown), "\(sheet.name)") }
            return .next
          }
        }
      }
    }
  }
}
