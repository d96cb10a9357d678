import CXLSXWriter
import Glibc
package import Kernel

/// Writes an .xlsx workbook (through libxlsxwriter) for people to read or to fill in.
///
/// The file appears under its name only by `finish`, whole, fsynced, and read back; until then, and when the writer is
/// dropped, nothing remains. Rows go to disk as they come: memory does not grow with them. Not thread-safe; blocks while
/// it writes.
package final class WorkbookWriter {
  private let file: WrittenFile
  private let language: Language
  private var workbook: UnsafeMutablePointer<lxw_workbook>?
  private let formats: CellFormats
  private var sheets: [SheetWriter] = []
  private var choices: ChoiceSheet
  /// Why a sheet could not be made after the library had begun it; the workbook is then of no use.
  private var failure: Refusal?

  /// `language` is that of what the writer itself says: hints, 是 and 否.
  package init(path: String, language: Language = .chinese) throws(Refusal) {
    self.language = language
    choices = ChoiceSheet(name: language("_选项", "_Choices"))
    file = try WrittenFile(path)
    var options = lxw_workbook_options()
    options.constant_memory = 1
    options.use_zip64 = 0
    // Beside the file, so that what it holds never lies in a folder of everybody's.
    let folder = strdup(file.folder)
    defer { free(folder) }
    options.tmpdir = folder
    guard let workbook = workbook_new_opt(file.temporary, &options) else {
      file.discard()
      throw WrittenFile.trouble(ENOMEM)
    }
    guard let formats = CellFormats(workbook) else {
      lxw_workbook_free(workbook)
      file.discard()
      throw WrittenFile.trouble(ENOMEM)
    }
    self.workbook = workbook
    self.formats = formats
  }

  deinit {
    // Closing is the only way to close the library's own temporary files.
    for sheet in sheets { sheet.isOpen = false }
    if let workbook {
      _ = workbook_close(workbook)
      file.discard()
    }
  }

  /// Adds a sheet with its header. Sheets may be written by turns.
  package func addSheet(_ plan: SheetPlan) throws(Refusal) -> SheetWriter {
    guard let workbook else {
      throw .workbook("finished", "工作簿已经写完，不能再加工作表。", "The workbook is finished; no sheet can be added.")
    }
    try plan.check(others: sheets.map(\.plan.name) + [choices.name])
    guard let added = workbook_add_worksheet(workbook, plan.name) else { throw WrittenFile.trouble(ENOMEM) }
    do throws(Refusal) {
      let sheet = try SheetWriter(plan, added, formats, language)
      sheets.append(sheet)
      if plan.fillableRows > 0 {
        var lists: [String?] = []
        for column in plan.columns { lists.append(try list(ColumnRules(column: column, language: language).choices)) }
        try sheet.makeFillable(lists)
      }
      return sheet
    } catch {
      failure = error
      throw error
    }
  }

  /// The drop-down as a formula: the list itself, or a range of the hidden sheet.
  private func list(_ choices: [String]) throws(Refusal) -> String? {
    guard !choices.isEmpty else { return nil }
    if let list = ColumnRules.inlineList(choices) { return list }
    return try self.choices.add(choices)
  }

  /// The hidden sheet comes last, after those for people.
  private func writeChoices(to workbook: UnsafeMutablePointer<lxw_workbook>) throws(Refusal) {
    guard !choices.all.isEmpty else { return }
    guard let sheet = workbook_add_worksheet(workbook, choices.name) else { throw WrittenFile.trouble(ENOMEM) }
    worksheet_hide(sheet)
    let format = formats.format(.text)
    for (index, choice) in choices.all.enumerated() {
      let result = worksheet_write_string(sheet, UInt32(index), 0, TextEscapes.encode(choice), format)
      guard result == LXW_NO_ERROR else {
        throw .workbook(
          "write", at: CellPlace(choices.name, row: index + 1, column: 0), "选项无法写入。", "the choice cannot be written.")
      }
    }
  }

  /// Completes the file and puts it under its name, in the place of an older one.
  package func finish() throws(Refusal) {
    guard let workbook else {
      throw .workbook("finished", "工作簿已经写完。", "The workbook is already finished.")
    }
    if let failure { throw failure }
    guard !sheets.isEmpty else {
      throw .workbook("no-sheet", "工作簿里没有工作表。", "The workbook has no sheet.")
    }
    for sheet in sheets { try sheet.finish() }
    try writeChoices(to: workbook)
    self.workbook = nil
    let result = workbook_close(workbook)
    do throws(Refusal) {
      guard result == LXW_NO_ERROR else { throw WrittenFile.incomplete }
      // Whatever is wrong with it, the disk did not take what was written.
      do throws(Refusal) { try verify() } catch { throw WrittenFile.incomplete }
      try file.publish()
    } catch {
      file.discard()
      throw error
    }
  }

  /// Reads the file back. libxlsxwriter does not look whether its temporary files took what it wrote.
  private func verify() throws(Refusal) {
    var limits = ReadingLimits()
    (limits.fileBytes, limits.partBytes, limits.totalBytes, limits.ratio) = (.max, .max, .max, .max)
    let container = try Container(path: file.temporary, limits: limits)
    let relationships = try Relationships(of: "xl/workbook.xml", container, limits)
    let found = try WorkbookPart("xl/workbook.xml", container, limits).sheets
    var expected = sheets.map { (name: $0.plan.name, cells: $0.cellCount) }
    if !choices.all.isEmpty { expected.append((name: choices.name, cells: choices.all.count)) }
    for sheet in expected {
      let count = WrittenCount()
      guard let place = found.first(where: { $0.info.name == sheet.name }),
        let part = relationships.byID[place.relationship]
      else { throw WrittenFile.incomplete }
      try container.parse(part.target, limits, count)
      guard count.cells == sheet.cells else { throw WrittenFile.incomplete }
    }
  }
}

/// The hidden sheet of drop-downs that are too long for a formula, one below the other.
private struct ChoiceSheet {
  let name: String
  private(set) var all: [String] = []
  private var ranges: [[String]: String] = [:]

  init(name: String) { self.name = name }

  /// The range in which they stand; equal lists share one.
  mutating func add(_ choices: [String]) throws(Refusal) -> String {
    if let range = ranges[choices] { return range }
    guard all.count + choices.count <= SheetBounds.rows else {
      throw .tooLarge(
        "choices", at: CellPlace(name), "选项总数超过 \(SheetBounds.rows) 个。", "more than \(SheetBounds.rows) choices in all."
      )
    }
    let range = "'\(name)'!$A$\(all.count + 1):$A$\(all.count + choices.count)"
    all += choices
    ranges[choices] = range
    return range
  }
}
