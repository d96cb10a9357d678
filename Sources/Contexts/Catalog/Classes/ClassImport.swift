package import Kernel
internal import Storage

/// What a file of local classes came to.
package struct ClassImportReport: Hashable, Sendable {
  package var added = 0
  package var changed = 0
  package var retired = 0
  /// Lines that say what is so already.
  package var same = 0
  /// Of those, lines without an end whose class has ended: it stays so.
  package var stayEnded: [Ended] = []
  /// Lines that retire a class without successor though entries are in it: their departments choose another for each.
  package var leavesEntries: [Ended] = []

  package struct Ended: Hashable, Sendable {
    package var line: Int
    package var code: String
    package var on: CalendarDate
  }
}

extension Cataloguing {
  package static let classFileLimit = 8 << 20

  /// Takes local classes from a file: CSV in UTF-8 with `code,parent,name,valid_from,valid_to,national,used_by,successor`,
  /// parents before children. All of it or, naming the line, nothing; the same file again changes nothing.
  ///
  /// For the node's keeper at the command line, who stands outside the roles of the site.
  package func importClasses(_ bytes: [UInt8], by principal: Principal = .system()) async throws -> ClassImportReport {
    guard bytes.count <= Self.classFileLimit else {
      throw Refusal(
        .tooLarge, "catalog.class.file",
        Text("文件超过 \(Self.classFileLimit >> 20) MiB。", "The file is larger than \(Self.classFileLimit >> 20) MiB."))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Refusal.invalid(
        "catalog.class.file", "file",
        Text("文件不是 UTF-8 编码，请另存为 UTF-8 的 CSV。", "The file is not UTF-8; save it as CSV in UTF-8."))
    }
    let lines: [ClassLine]
    do throws(CSV.Fault) {
      let table = try CSV.table(text, comments: true)
      try table.require("code", "parent", "name", "valid_from", "valid_to", "national", "used_by", "successor")
      lines = table.rows.map(ClassLine.init)
    } catch {
      throw Refusal.invalid("catalog.class.file", "file", error.message)
    }
    var first: [String: Int] = [:]
    for line in lines {
      if let before = first.updateValue(line.number, forKey: line.code) {
        throw Refusal.invalid(
          "catalog.class.twice", "code",
          Text(
            "第 \(before) 行和第 \(line.number) 行是同一个代码 \(line.code)；每个分类只写一行。",
            "Lines \(before) and \(line.number) have the same code \(line.code); one line a class."))
      }
    }
    let now = clock.now()
    let (report, isOtherwiseSearched) = try await db.write { tx in
      var report = ClassImportReport()
      var tree = try classification(in: tx)
      var (isMapped, isOtherwiseSearched) = (false, false)
      // Lines whose class is as they say, but for its end.
      var asBefore: Set<Int> = []
      for line in lines {
        let before = report.added + report.changed
        do {
          let done = try take(line, into: &tree, by: principal, at: now, &report, in: tx)
          isMapped = isMapped || done.isMapped
          isOtherwiseSearched = isOtherwiseSearched || done.isOtherwiseSearched
        } catch let refusal as Refusal {
          throw refusal.at(line: line.number)
        }
        if report.added + report.changed == before { asBefore.insert(line.number) }
      }
      // Successors may stand further down, so classes end when all are there.
      for line in lines where !line.validTo.isEmpty {
        let before = report.retired
        do { try end(line, in: &tree, by: principal, at: now, &report, in: tx) } catch let refusal as Refusal {
          throw refusal.at(line: line.number)
        }
        if report.retired == before, asBefore.contains(line.number) { report.same += 1 }
      }
      if report.added + report.changed + report.retired > 0 { try ClassStore.changed(mapping: isMapped, in: tx) }
      return (report, isOtherwiseSearched)
    }
    if isOtherwiseSearched { for line in lines { try await renewSearch(under: line.code) } }
    return report
  }

  private func take(
    _ line: ClassLine, into tree: inout Classification, by principal: Principal, at now: Instant,
    _ report: inout ClassImportReport, in tx: any Transaction
  ) throws -> (isMapped: Bool, isOtherwiseSearched: Bool) {
    guard let from = CalendarDate(line.validFrom) else { throw ClassLine.noDay("valid_from") }
    guard let use = ClassUse(text: line.usedBy) else {
      throw Refusal.invalid(
        "catalog.class.use", "used_by",
        Text("used_by 应为空、division:区划代码 或 office:单位标识。", "used_by is empty, division:CODE or office:ID."))
    }
    let draft = ClassDraft(
      code: line.code, parent: line.parent.isEmpty ? nil : line.parent, name: line.name, from: from,
      national: line.national.isEmpty ? nil : line.national, usedBy: use)
    guard let node = tree[line.code] else {
      try add(draft, to: &tree, by: principal, at: now, in: tx)
      report.added += 1
      return (false, false)
    }
    guard node.parent == draft.parent else {
      throw Refusal.invalid(
        "catalog.class.parent", "parent",
        Text(
          "\(line.code) 已在 \(node.parent ?? "根") 之下，上级不能改变。",
          "\(line.code) lies below \(node.parent ?? "the root"); that does not change."))
    }
    let last = try ClassStore.periods(of: line.code, in: tx).last
    let isSame =
      last.map { ($0.name, $0.national) == (draft.name, draft.national) && $0.usedBy == use && $0.validFrom >= from }
      ?? (node.name == draft.name)
    guard !isSame else {
      // What the end says of it comes later.
      guard line.validTo.isEmpty else { return (false, false) }
      report.same += 1
      if let end = last?.validTo {
        report.stayEnded.append(ClassImportReport.Ended(line: line.number, code: line.code, on: end))
      }
      return (false, false)
    }
    report.changed += 1
    return try change(draft, in: &tree, by: principal, at: now, in: tx)
  }

  private func end(
    _ line: ClassLine, in tree: inout Classification, by principal: Principal, at now: Instant,
    _ report: inout ClassImportReport, in tx: any Transaction
  ) throws {
    guard let day = CalendarDate(line.validTo) else { throw ClassLine.noDay("valid_to") }
    let successor = line.successor.isEmpty ? nil : line.successor
    let last = try ClassStore.periods(of: line.code, in: tx).last
    if last?.validTo == day, last?.successor == successor { return }
    let left = try retire(line.code, on: day, successor: successor, in: &tree, by: principal, at: now, in: tx)
    report.retired += 1
    if left > 0 {
      report.leavesEntries.append(ClassImportReport.Ended(line: line.number, code: line.code, on: day))
    }
  }
}

private struct ClassLine: Sendable {
  var number: Int
  var code, parent, name, validFrom, validTo, national, usedBy, successor: String

  init(_ row: CSV.Row) {
    number = row.line
    (code, parent, name) = (row["code"], row["parent"], row["name"])
    (validFrom, validTo, national) = (row["valid_from"], row["valid_to"], row["national"])
    (usedBy, successor) = (row["used_by"], row["successor"])
  }

  static func noDay(_ column: String) -> Refusal {
    Refusal.invalid(
      "catalog.class.day", column, Text("\(column) 应为日期，如 2026-09-01。", "\(column) is a day such as 2026-09-01."))
  }
}

extension Refusal {
  /// The same with the line of a file before its words.
  fileprivate func at(line: Int) -> Refusal {
    let said = faults.first?.message ?? message
    return Refusal.invalid(
      code, faults.first?.field ?? "file", Text("第 \(line) 行：\(said.chinese)", "Line \(line): \(said.english)"))
  }
}
