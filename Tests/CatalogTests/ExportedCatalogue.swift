import Foundation
import Identity
import Kernel
import Spreadsheets

/// A plausible export of a BJXC catalogue system: made-up entries of the offices in `Offices`, no real people, and the
/// faults that such exports have when they are asked for.
struct ExportedCatalogue {
  typealias Table = (head: [String], rows: [[String]])

  var tables: [String: Table] = [:]

  /// `count` sound entries of `items` items each; every tenth is a draft, every thirteenth was taken offline.
  init(count: Int = 4, items: Int = 3) {
    tables["sys_dept"] = (
      ["id", "dept_name", "dept_code"],
      [
        ["d1", "青海省工商行政管理局", ""], ["d2", "青海省民政厅", Offices.civilAffairs.creditCode], ["d9", "青海省某撤销局", ""],
      ]
    )
    tables["sys_user"] = (["id", "real_name"], [["u1", "测试甲"], ["u2", "测试乙"]])
    tables["dir_classify"] = (
      ["id", "classify_code", "classify_name", "fid", "national_code", "delete_flag"],
      [
        ["c3", "3070120337", "青海省民政厅", "", "3070120337", "0"],
        ["c31", "307012033701", "社会救助处", "c3", "", "0"],
        ["cz", "ZT", "主题目录", "", "", "0"],
        ["cz1", "ZT-1", "全民救助", "cz", "203", "0"],
        ["c203", "203", "全民社会保障", "", "203", "0"],
        ["cdel", "999", "删除的", "", "", "1"],
      ]
    )
    var sets: [[String]] = []
    var fields: [[String]] = []
    var formats: [[String]] = []
    var maps: [[String]] = []
    var (registered, audited, published, offline): ([[String]], [[String]], [[String]], [[String]]) = ([], [], [], [])
    for index in 0..<count {
      let id = "set\(index)"
      let state = index % 10 == 9 ? "0" : index % 13 == 12 ? "6" : "5"
      sets.append([
        id, "救助对象第 \(index) 类信息", "d2", "青海省民政厅", "", "全省救助对象第 \(index) 类登记信息，每月更新。", "1", "用于社会救助资格核对。", "2",
        "2", "3", "", "4", "", "0", state, "0", "",
      ])
      for item in 0..<items {
        fields.append([id, "F\(item)", "登记事项\(item)", "说明", "1", "40", "0", "0"])
      }
      formats.append([id, "02", "0203"])
      maps.append(["m\(index)", id, "c31", "3070120337/\(index + 11)", state, "0"])
      maps.append(["m\(index)b", id, "cz1", "", "", "0"])
      registered.append(["m\(index)", "2017-11-01", "u1", "请审核"])
      if state != "0" {
        audited.append(["m\(index)", "2017-11-20", "u2", "通过", "3"])
        published.append(["m\(index)", "2017-12-\(1 + index % 28)", "u2"])
      }
      if state == "6" { offline.append(["m\(index)", "2019-05-06", "u2"]) }
    }
    tables["dir_dataset"] = (
      [
        "id", "dataset_name", "belong_dept_id", "belong_dept_name", "belong_dept_no", "dataset_desc", "share_type",
        "share_condition", "share_method_category", "share_method", "is_open", "open_condition", "update_frequency",
        "rel_dataset_code", "secret_flag", "status", "delete_flag", "storage_location",
      ], sets
    )
    tables["dir_dataitem"] = (
      ["dataset_id", "item_code", "item_name", "item_desc", "item_type", "item_length", "secret_flag", "delete_flag"],
      fields
    )
    tables["dir_dataset_ext_format"] = (["dataset_id", "format_category", "format_type"], formats)
    tables["dir_dataset_classify_map"] = (
      ["id", "dataset_id", "classify_id", "info_resource_code", "status", "delete_flag"], maps
    )
    tables["dir_data_registe"] = (["dcm_id", "registe_date", "register_id", "registe_opinion"], registered)
    tables["dir_data_audit"] = (["dcm_id", "audit_date", "auditor_id", "audit_opinion", "audit_status"], audited)
    tables["dir_data_publish"] = (["dcm_id", "publish_date", "publisher_id"], published)
    tables["dir_data_offline"] = (["dcm_id", "offline_time", "offline_user_id"], offline)
    tables["drap_info_system"] = (["id", "system_name"], [])
  }

  /// Changes one cell of the row whose first column is `id`.
  mutating func set(_ table: String, _ id: String, _ column: String, _ value: String) {
    guard let place = tables[table]?.head.firstIndex(of: column),
      let row = tables[table]?.rows.firstIndex(where: { $0[0] == id })
    else { fatalError("no \(column) of \(id) in \(table)") }
    tables[table]?.rows[row][place] = value
  }

  /// The line of that row in the CSV file.
  func line(_ table: String, _ id: String) -> Int {
    (tables[table]?.rows.firstIndex { $0[0] == id }).map { $0 + 2 } ?? 0
  }

  func write(to folder: String, workbook: Bool = false) throws {
    try? FileManager.default.removeItem(atPath: folder)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    if workbook {
      let writer = try WorkbookWriter(path: "\(folder)/export.xlsx")
      for (name, table) in tables.sorted(by: { $0.key < $1.key }) {
        let sheet = try writer.addSheet(SheetPlan(name, table.head.map { SheetColumn($0) }))
        for row in table.rows { try sheet.append(row.map { $0.isEmpty ? .empty : .text($0) }) }
      }
      return try writer.finish()
    }
    for (name, table) in tables {
      let text = ([table.head] + table.rows).map { CSV.line($0) }.joined(separator: "\n") + "\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
    }
  }
}
