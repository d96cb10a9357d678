import ArgumentParser
import Catalog
import Foundation
import Kernel
import Spreadsheets
import Storage

/// Times the import of a full workbook on a new node, of sound resources or of ones that all come back.
struct BenchImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "import", shouldDisplay: false)

  @OptionGroup var options: NodeOptions
  @Option(help: "Rows of both sheets together.") var rows = 20_000
  @Option(help: "Items of each resource.") var items = 9
  @Flag(help: "Every resource is wrong in something.") var wrong = false

  func run() async throws {
    let settings = try options.settings()
    _ = try await InitCommand.make(settings, clock: .system)
    let node = try await Node.open(settings)
    let cast = try await DemoCast.make(on: node)
    let path = settings.data + "/import.xlsx"
    let resources = rows / (items + 1)
    try write(resources, to: path)
    let before = Self.peak()
    let start = ContinuousClock.now
    let summary = try await node.cataloguing.importWorkbook(
      cast.officer, path, named: "import.xlsx", rejected: settings.data + "/rejected.xlsx", .chinese)
    let took = ContinuousClock.now - start
    await node.database.close()
    Terminal.print(
      "\(resources) resources, \(resources * items) items: kept \(summary.kept.resources), rejected \(summary.rejected.resources); "
        + "\(took), peak \(Self.peak() >> 10) MiB (\(before >> 10) MiB before)")
  }

  private func write(_ resources: Int, to path: String) throws {
    let writer = try WorkbookWriter(path: path)
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

  /// The process's largest size so far, in KiB.
  private static func peak() -> Int {
    var usage = rusage()
    getrusage(0 /* RUSAGE_SELF, whose C type differs between libraries */, &usage)
    return usage.ru_maxrss
  }
}
