import ArgumentParser
import Audit
import Deadlines
import Foundation
import Kernel
import Storage
import Web

struct CalendarCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calendar", abstract: "The working-day calendar.", subcommands: [Load.self])

  struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a year's arrangement of holidays and count every open due date anew.",
      discussion: "FILE is CSV in UTF-8: date,kind,occasion; kind is holiday or workday; a year is whole.")

    @OptionGroup var options: NodeOptions
    @Argument(help: "The file with the year.") var file: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
      let bytes = try Self.read(file)
      let node = try await Node.open(try options.settings())
      let report: CalendarReport
      do {
        report = try await node.loadCalendar(bytes)
        if report.days > 0 { try await node.sequencer.sequenceAll() }
      } catch {
        await node.database.close()
        throw error
      }
      await node.database.close()
      if json {
        Terminal.printJSON([
          ("version", .string(report.version)), ("newDays", JSON(report.days)), ("lastYear", JSON(report.lastYear)),
          ("requests", JSON(report.requests)), ("reviews", JSON(report.reviews)),
          ("feedback", JSON(report.feedback)),
        ])
      } else {
        Terminal.print(Terminal.language(report.summary))
      }
    }

    /// No more than a calendar can have is read, whatever the file is.
    private static func read(_ path: String) throws -> [UInt8] {
      guard let handle = FileHandle(forReadingAtPath: path),
        let data = try? handle.read(upToCount: WorkCalendar.fileLimit + 1) ?? Data()
      else {
        throw Refusal.invalid("calendar.file", "file", Text("读不到文件 \(path)。", "Cannot read the file \(path)."))
      }
      try? handle.close()
      return Array(data)
    }
  }
}

extension CalendarReport {
  var summary: Text {
    days == 0
      ? Text(
        "文件中的年份都已装入，没有变化。日历版本 \(version)。", "Every year in the file is known; nothing changed. Calendar \(version).")
      : Text(
        "已装入 \(days) 天，日历至 \(lastYear) 年，版本 \(version)。重新计算了 \(requests) 件申请、\(reviews) 件目录审核、\(feedback) 件异议与咨询的时限。",
        "\(days) days loaded; the calendar reaches \(lastYear), version \(version). Counted anew: \(requests) requests, \(reviews) reviews of entries, \(feedback) objections and questions."
      )
  }
}
