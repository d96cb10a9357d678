import ArgumentParser
import Catalog
import Foundation
import Kernel
import Storage
import Web
import Yams

struct MoveInCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move-in", abstract: "Take over an existing catalogue system from its export.",
    discussion: """
      FOLDER holds the tables as CSV (UTF-8 or GB18030) or as .xlsx, each named like its table; one workbook with a sheet a table, or a \
      zip of them, will do too. Which column is what stands in a preset (bjxc, dsg) or in a mapping file of your own (YAML \
      or JSON; --print-mapping shows a preset to begin from). Broken off, the same call goes on; the same export again \
      changes nothing. An export that lacks a table which the mapping names, or a column that it must have, is refused \
      before anything is kept, unless the table is "optional: true" in the mapping or named by --without: then new entries \
      come without what it says, and those moved in before stay as they are. Exits 1 when an entry was left out.
      """)

  @OptionGroup var options: NodeOptions
  @Argument(help: "The export: a folder, a .zip or an .xlsx.") var folder: String?
  @Option(help: "A known system: bjxc or dsg.") var preset: String?
  @Option(help: "A mapping file instead.") var mapping: String?
  @Option(help: "Write the report to this .xlsx.") var report: String?
  @Option(help: "Go on though the export lacks this table; may be given again.") var without: [String] = []
  @Flag(name: .customLong("dry-run"), help: "Keep nothing; say what would be.") var isTrial = false
  @Flag(help: "Print the preset's mapping and end.") var printMapping = false
  @Flag(help: "Print one JSON object.") var json = false

  func validate() throws {
    guard (preset == nil) != (mapping == nil) else {
      throw Terminal.usage("请给出 --preset 或 --mapping 之一。", "Give either --preset or --mapping.")
    }
    guard printMapping || folder != nil else { throw Terminal.usage("请给出导出所在的 FOLDER。", "Give the export's FOLDER.") }
  }

  func run() async throws {
    let t = Terminal.language
    let read = try readMapping()
    guard !printMapping, let folder else { return Terminal.print(try Self.shown(read)) }
    let node = try await Node.open(try options.settings())
    let done: MoveReport
    do {
      done = try await UnpackedExport.open(folder) { path in
        try await node.cataloguing.moveIn(
          from: path, named: (folder as NSString).lastPathComponent, by: read, isTrial: isTrial,
          without: without
        ) { count, all in
          Terminal.progress(t("已处理 \(count) / \(all) 条", "\(count) of \(all) entries"), final: count == all)
        }
      }
      if let report { try done.write(to: report, t) }
    } catch {
      await node.database.close()
      throw error
    }
    await node.close()
    if json {
      Terminal.printJSON(
        [("source", .string(done.source)), ("isTrial", JSON(isTrial)), ("run", .optional(done.run?.text))]
          + MovedEntry.Outcome.allCases.map { ($0.rawValue, JSON(done.count($0))) }
          + [("findings", JSON(done.findings.count))])
    } else {
      for (what, number) in done.counts { Terminal.print("\(t(what)) \(number)") }
      for (reason, times) in done.frequentReasons(12) { Terminal.print("  \(times) × \(t(reason))") }
      if isTrial { Terminal.print(t("这是试运行，没有写入任何内容。", "This was a trial; nothing was kept.")) }
    }
    if done.count(.leftOut) > 0 { throw ExitCode(1) }
  }

  /// In words as they are, and in the same order each time.
  private static func shown(_ mapping: MoveMapping) throws -> String {
    let encoder = YAMLEncoder()
    (encoder.options.allowUnicode, encoder.options.sortKeys) = (true, true)
    return try encoder.encode(mapping)
  }

  private func readMapping() throws -> MoveMapping {
    if let preset {
      guard let found = try MoveMapping.preset(preset) else {
        throw Terminal.usage(
          "没有名为 \(preset) 的原系统，只有 \(MoveMapping.presets.joined(separator: "、"))。",
          "There is no preset \(preset), only \(MoveMapping.presets.joined(separator: ", ")).")
      }
      return found
    }
    let path = mapping ?? ""
    guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20 else {
      throw Refusal.invalid(
        "catalog.move.mapping", "mapping",
        Text("读不到对应关系文件 \(path)（最大 1 MiB）。", "Cannot read the mapping \(path) (1 MiB at most)."))
    }
    do {
      // JSON is YAML too.
      let read = try YAMLDecoder().decode(MoveMapping.self, from: data)
      try read.check()
      return read
    } catch let error as DecodingError {
      throw Refusal.invalid(
        "catalog.move.mapping", "mapping", Text("对应关系文件读不懂：\(error)", "The mapping cannot be read: \(error)"))
    }
  }
}
