import Catalog
import Foundation
import Kernel
import Spreadsheets
import TestKit
import Testing

/// A workbook of the catalogue as a clerk fills it in: rows by column titles, so that a test says only what it is about.
struct FilledWorkbook {
  static let resource: [(String, CellValue)] = [
    ("信息资源名称", .text("城乡低保对象信息")), ("信息资源分类", .text("3070120337 青海省民政厅；203")),
    ("信息资源摘要", .text("全省城乡最低生活保障对象的基本信息和待遇发放情况。")), ("信息资源格式", .text("0203 电子表格 · xlsx")),
    ("共享类型", .text("有条件共享")), ("共享条件或不予共享依据", .text("用于社会救助资格核对。")),
    ("共享方式分类", .text("1 共享平台方式")), ("共享方式类型", .text("文件")), ("开放属性", .number(3)), ("开放条件", .empty),
    ("更新周期", .text("每月")), ("关联资源代码", .empty), ("涉密属性", .text("0 非涉密")), ("层级", .text("省级")),
    ("所属信息系统", .empty),
  ]
  static let item: [(String, CellValue)] = [
    ("所属信息资源名称", .text("城乡低保对象信息")), ("信息项名称", .text("身份标识")), ("技术名称", .text("person_id")),
    ("数据类型", .text("C 字符型")), ("长度", .number(20)), ("小数位", .empty), ("可空", .text("否")), ("主键", .text("是")),
    ("说明", .empty), ("共享类型", .empty), ("条件或依据", .empty), ("分级", .text("2 二级（政务内部）")), ("语义", .empty),
  ]

  var resources: [[(String, CellValue)]] = [resource]
  var items: [[(String, CellValue)]] = [item]
  var titles = (resources: resource.map(\.0), items: item.map(\.0))
  var names = (resources: "信息资源目录", items: "信息项")

  /// The sound resource with other values here and there.
  static func resource(_ changes: [String: CellValue]) -> [(String, CellValue)] {
    resource.map { ($0.0, changes[$0.0] ?? $0.1) }
  }
  static func item(_ changes: [String: CellValue]) -> [(String, CellValue)] {
    item.map { ($0.0, changes[$0.0] ?? $0.1) }
  }

  /// So many sound resources of three items each.
  static func many(_ count: Int, items each: Int = 3) -> FilledWorkbook {
    var book = FilledWorkbook()
    book.resources = (0..<count).map { resource(["信息资源名称": .text("低保对象第 \($0) 批信息")]) }
    book.items = (0..<count).flatMap { number in
      (0..<each).map { index in
        item([
          "所属信息资源名称": .text("低保对象第 \(number) 批信息"), "信息项名称": .text("指标\(index)"), "技术名称": .text("c\(index)"),
          "主键": .text(index == 0 ? "是" : "否"),
        ])
      }
    }
    return book
  }

  func write(to path: String) throws {
    let writer = try WorkbookWriter(path: path)
    let first = try writer.addSheet(SheetPlan(names.resources, titles.resources.map { SheetColumn($0, .decimal) }))
    for row in resources { try first.append(values(row, titles.resources)) }
    let second = try writer.addSheet(SheetPlan(names.items, titles.items.map { SheetColumn($0, .decimal) }))
    for row in items { try second.append(values(row, titles.items)) }
    try writer.finish()
  }

  private func values(_ row: [(String, CellValue)], _ titles: [String]) -> [CellValue] {
    titles.map { title in row.first { $0.0 == title }?.1 ?? .empty }
  }
}

/// What stands in a sheet, under its titles.
func rows(of sheet: String, in path: String) throws -> [[String: String]] {
  let reader = try WorkbookReader(path: path)
  var titles: [String]?
  var found: [[String: String]] = []
  try reader.readRows(of: sheet) { row in
    guard let known = titles else {
      titles = row.cells.map { SheetColumn.title(fromHeader: $0.value.shown) }
      return .next
    }
    found.append(
      Dictionary(
        row.cells.filter { $0.column < known.count }.map { (known[$0.column], $0.value.shown) },
        uniquingKeysWith: { $1 }))
    return .next
  }
  return found
}
