import ArgumentParser
import Catalog
import Foundation
import Kernel
import Spreadsheets

/// Writes a full workbook for `sanjiang catalog import`, of sound resources or of ones that all come back.
struct BenchWorkbook: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "workbook", shouldDisplay: false)

  @Argument(help: "The .xlsx file to write.") var file: String
  @Option(help: "Rows of both sheets together.") var rows = 20_000
  @Option(help: "Items of each resource.") var items = 9
  @Flag(help: "Every resource is wrong in something.") var wrong = false

  func run() async throws {
    let resources = rows / (items + 1)
    try write(resources)
    Terminal.print("\(resources)")
  }

  private func write(_ resources: Int) throws {
    let writer = try WorkbookWriter(path: file)
    let first = try writer.addSheet(
      SheetPlan(
        "信息资源目录",
        [
          "信息资源名称", "信息资源分类", "信息资源摘要", "信息资源格式", "共享类型", "共享条件或不予共享依据", "共享方式分类", "共享方式类型", "开放属性", "更新周期", "涉密属性",
          "层级",
        ].map { SheetColumn($0) }))
    let second = try writer.addSheet(
      SheetPlan("信息项", ["所属信息资源名称", "信息项名称", "技术名称", "数据类型", "长度", "分级"].map { SheetColumn($0) }))
    for index in 0..<resources {
      let name = "市场主体第 \(index) 类监管信息"
      try first.append(
        [
          name, "3070120302", "全省\(name)，由各级主管部门在业务办理中形成，每月更新。", "0203 电子表格 · xlsx", wrong ? "部分共享" : "2 有条件共享",
          "用于依法履行职责时核对。", "1", "2", "3", "4", "0", "2",
        ].map { .text($0) })
      for item in 0..<items {
        try second.append([
          .text(name), .text("登记事项\(item)"), .text("field_\(item)"), .text("C 字符型"), .number(100), .text("2"),
        ])
      }
    }
    try writer.finish()
  }
}
