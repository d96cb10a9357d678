import ArgumentParser
import Catalog
import Foundation
import Inventory
import Kernel
import Web

/// The catalogue at the command line: the template and what is wrong with one that was filled in need no node, the others do.
struct CatalogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "catalog", abstract: "Entries in files and from live databases, classes, moving in.",
    subcommands: [
      Template.self, Check.self, CatalogImportCommand.self, CatalogExportCommand.self, CatalogDraftCommand.self,
      ClassesCommand.self, MoveInCommand.self,
    ])

  struct Template: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the empty workbook.")

    @Argument(help: "The .xlsx file to write.") var file: String

    func validate() throws {
      guard CatalogFile.kind(file) == .xlsx else {
        throw Terminal.usage(
          "\(file)：模板是工作簿，文件名应以 .xlsx 结尾。", "\(file): the template is a workbook; the name must end in .xlsx.")
      }
    }

    func run() throws {
      let now = Clock.system.now()
      try CatalogWorkbook(on: now.dateInChina).writeTemplate(to: file, Terminal.language)
      Terminal.print(file)
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what is wrong with a file of entries. Exits 1 when there is anything.",
      discussion: """
        Needs no node, and so cannot say whether names are taken, systems registered and related codes published; the \
        import on the site asks that as well.

        \(CatalogFileHelp.kinds)
        """)

    @Argument(help: "The .xlsx, .csv, .json or .ndjson file.") var file: String
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws { try CatalogFileHelp.check(file) }

    func run() throws {
      let now = Clock.system.now()
      let report = try CatalogFile.check(file, at: now)
      if json {
        Terminal.printJSON([
          ("resources", JSON(report.resources)), ("items", JSON(report.items)),
          ("findings", .array(report.problems.map(Self.json))),
        ])
      } else {
        let t = Terminal.language
        for problem in report.problems { Terminal.print("\(t(problem.severity.title)) \(t(problem.text))") }
        let errors = report.problems.count { $0.severity == .error }
        let warnings = report.problems.count - errors
        Terminal.print(
          t(
            "\(report.resources) 条目录、\(report.items) 个信息项：\(errors) 处须更正，\(warnings) 处请核对。",
            "\(report.resources) resources, \(report.items) items: \(errors) to correct, \(warnings) to check."))
      }
      if !report.problems.isEmpty { throw ExitCode(1) }
    }

    private static func json(_ problem: WorkbookProblem) -> JSON {
      .object([
        ("severity", .string(problem.severity.rawValue)), ("code", .string(problem.code)),
        ("sheet", .string(problem.sheet.rawValue)), ("row", JSON(problem.row)),
        ("column", problem.column.map { JSON($0 + 1) } ?? .null),
        ("message", .object([("zh-CN", .string(problem.text.chinese)), ("en", .string(problem.text.english))])),
      ])
    }
  }
}
