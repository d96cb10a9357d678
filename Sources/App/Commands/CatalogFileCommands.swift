import ArgumentParser
import Catalog
import Connecting
import Foundation
import Identity
import Inventory
import Kernel
import Storage
import Web

/// What every command that takes a file of entries says of its kinds.
enum CatalogFileHelp {
  static let kinds = """
    .xlsx: the workbook of `catalog template`. .csv: one row for each item; first the resource's columns, titled as in the \
    workbook, then the item's, each title after “信息项：” (“Item: ” in English). In the rows after a resource's first its \
    columns may stay empty or be repeated, and rows of one resource stand together. UTF-8 with or without its mark, or \
    GB18030. A field that begins with “=” is a formula and refused; “'=” means the text. .json, .ndjson: what \
    POST /api/v1/catalog/resources takes, an array or an entry a line.
    """

  /// A name whose end says no kind is wrong usage.
  static func check(_ file: String) throws {
    guard CatalogFile.kind(file) == nil else { return }
    throw Terminal.usage(
      "\(file)：文件名应以 .xlsx、.csv、.json 或 .ndjson 结尾。", "\(file): the name must end in .xlsx, .csv, .json or .ndjson.")
  }
}

struct CatalogImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract:
      "Take a file of entries as drafts of a person's office, by the site's judgement. Exits 1 when any is refused.",
    discussion: """
      All of a file is one transaction: what is right is kept, what is not is told, and a command that is killed leaves \
      nothing or the whole. An entry that stands in the catalogue as the file has it is unchanged.

      \(CatalogFileHelp.kinds)
      """)

  @OptionGroup var options: NodeOptions
  @Argument(help: "The .xlsx, .csv, .json or .ndjson file.") var file: String
  @Option(name: .customLong("as"), help: "The login of the data officer in whose name it is done.") var login: String
  @Flag(help: "Change entries that are there: in their draft, or as their next version.") var update = false
  @Option(
    help: """
      Where what is refused goes: rows as .xlsx, FILE.rejected.xlsx by default; entries of JSON with their findings as \
      .json, FILE.rejected.json.
      """) var rejected: String?
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws { try CatalogFileHelp.check(file) }

  func run() async throws {
    let node = try await Node.open(try options.settings())
    let summary: ImportSummary
    let back = rejected ?? file + (CatalogFile.kind(file) == .json ? ".rejected.json" : ".rejected.xlsx")
    do {
      let principal = try await node.people.acting(login, Node.authority)
      summary = try await node.cataloguing.importFile(
        principal, file, named: (file as NSString).lastPathComponent, update ? .update : .add, rejected: back,
        Terminal.language)
    } catch {
      await node.close()
      throw error
    }
    await node.close()
    report(summary, back)
    if summary.hasRejected { throw ExitCode(1) }
  }

  private func report(_ summary: ImportSummary, _ back: String) {
    let hasFile = summary.hasRejected
    if json {
      Terminal.printJSON([
        ("kept", JSON(summary.kept.resources)), ("items", JSON(summary.kept.items)), ("warned", JSON(summary.warned)),
        ("unchanged", JSON(summary.unchanged)), ("refused", JSON(summary.rejected.resources)),
        ("refusedItems", JSON(summary.rejected.items)), ("rejected", .optional(hasFile ? back : nil)),
        (
          "reasons",
          .array(
            summary.reasons.map {
              ["code": .string($0.code), "times": JSON($0.rows), "example": .string(Terminal.language($0.example))]
            })
        ),
      ])
      return
    }
    let t = Terminal.language
    for reason in summary.reasons.prefix(50) { Terminal.print("\(t(reason.example))  ×\(reason.rows)") }
    Terminal.print(
      t(
        "保存为草稿 \(summary.kept.resources) 条、\(summary.kept.items) 个信息项；未变 \(summary.unchanged) 条；未导入 \(summary.rejected.resources) 条。",
        "\(summary.kept.resources) kept as drafts with \(summary.kept.items) items, \(summary.unchanged) unchanged, \(summary.rejected.resources) refused."
      ))
    guard hasFile else { return }
    Terminal.print(
      CatalogFile.kind(file) == .json
        ? t("未导入的目录：\(back)", "The refused entries: \(back)") : t("未导入的行：\(back)", "The refused rows: \(back)"))
  }
}

struct CatalogExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write every entry in force to files that an import takes.",
    discussion: """
      FILE holds up to 10,000 entries; more go to FILE-2, FILE-3 … An import of one by its own office says “unchanged”; the \
      column of codes says which entry is meant, also when it is renamed, and an entry of another office is refused. \
      In CSV a text that a spreadsheet would run gets an apostrophe, which an import takes away again.

      \(CatalogFileHelp.kinds)
      """)

  @OptionGroup var options: NodeOptions
  @Argument(help: "The file to write; its end says the kind.") var file: String
  @Option(help: "Only of this office: its id, its full name or its credit code.") var office: String?

  func validate() throws { try CatalogFileHelp.check(file) }

  func run() async throws {
    guard let kind = CatalogFile.kind(file) else { return }
    let node = try await Node.open(try options.settings())
    do {
      var id: OrganisationID?
      if let office { id = try await node.office(office) }
      let done = try await node.cataloguing.export(id, as: kind, to: file, Terminal.language)
      await node.close()
      for file in done.files { Terminal.print(file) }
      Terminal.print(Terminal.language("\(done.entries) 条目录。", "\(done.entries) entries."))
    } catch {
      await node.close()
      throw error
    }
  }
}

struct CatalogDraftCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "draft", abstract: "Make drafts from the tables of a live source, and say what was found in them.",
    discussion: """
      Tables that an entry or a draft has already are passed over, so that the same call goes on where it stopped and a \
      second one makes nothing twice.
      """)

  @OptionGroup var options: NodeOptions
  @Option(help: "The source's id, as in the address of its page.") var source: String
  @Option(name: .customLong("as"), help: "The login of a data officer of its department.") var login: String
  @Option(help: "Tables, separated by commas: t or schema.t.") var tables: String?
  @Flag(help: "Every table that has no entry yet.") var all = false

  func validate() throws {
    guard all != (tables != nil) else { throw Terminal.usage("请给出 --tables 或 --all。", "Give --tables or --all.") }
    guard SourceID(source) != nil else { throw Terminal.usage("--source 应为编号（UUID）。", "--source is an id (a UUID).") }
  }

  func run() async throws {
    let node = try await Node.open(try options.settings())
    do {
      let principal = try await node.people.acting(login, Node.authority)
      let id = SourceID(source)!
      let found = try await node.register.tables(principal, id).tables.map(\.name)
      let asked = tables?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      for name in asked ?? [] where !found.contains(where: { Self.isNamed($0, name) }) {
        throw Refusal.notFound(Text("表 \(name)", "table \(name)"))
      }
      let entries = try await node.database.read { try CatalogStore.mounted(on: id, in: $0) }
      for table in found where asked?.contains(where: { Self.isNamed(table, $0) }) ?? true {
        if let there = entries.first(where: { $0.table == table }) {
          let (t, state) = (Terminal.language, there.state.title)
          Terminal.print(
            t(
              "\(table)：已有目录“\(there.name)”（\(state.chinese)，\(there.resource)），跳过",
              "\(table): has the entry “\(there.name)” (\(state.english), \(there.resource)) already; passed over"))
          continue
        }
        let draft = try await node.cataloguing.draft(principal, from: id, table: table, onlyIfNone: true)
        report(draft, table, try await node.cataloguing.findings(principal, draft.id))
      }
      await node.close()
    } catch {
      await node.close()
      throw error
    }
  }

  private static func isNamed(_ table: TableName, _ asked: String) -> Bool {
    table.description == asked || table.name == asked
  }

  private func report(_ draft: Resource, _ table: TableName, _ findings: [Finding]) {
    let t = Terminal.language
    let errors = findings.count { $0.severity == .error }
    Terminal.print(
      t(
        "\(table) → \(draft.metadata.name)（\(draft.id)）：\(draft.items.count) 个信息项，\(errors) 处待补",
        "\(table) → \(draft.metadata.name) (\(draft.id)): \(draft.items.count) items, \(errors) to complete"))
    for item in draft.items {
      guard let semantic = item.semantic, let evidence = item.evidence else { continue }
      let kind = CodeLists.embedded.semantics.text(semantic)
      Terminal.print(
        t(
          "  \(item.column)：疑似\(kind.chinese)，\(evidence.looked) 个值中 \(evidence.valid) 个通过校验",
          "  \(item.column): looks like \(kind.english), \(evidence.valid) of \(evidence.looked) values pass its check")
      )
    }
  }
}

extension Node {
  /// An office by its id, its full name or its credit code.
  fileprivate func office(_ text: String) async throws -> OrganisationID {
    let today = clock.today
    let found = try await database.read { tx in
      try OrganisationStore.list(on: today, in: tx).first {
        $0.id.text == text || $0.name == text || $0.creditCode == text
      }
    }
    guard let found else { throw Refusal.notFound(Text("单位“\(text)”", "office “\(text)”")) }
    return found.id
  }
}
